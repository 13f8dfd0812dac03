"""The banner of announced maintenance, kept for some seconds: every page asks for it."""

from flask import g

from app import current
from app.domain import banners
from app.domain.banners import Banner
from app.web import status_pages


def standing() -> list[tuple[Banner, bool]]:
    """What is announced, and whether it is under way; nothing where the database may be away."""
    if g.get("broken"):
        return []
    now = current.now()
    kept = status_pages.kept("banners", lambda: banners.standing(now))
    return [(it, it.under_way(now)) for it in kept if it.ends_at > now]
