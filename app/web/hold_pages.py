"""What the frame says of holds, kept for some seconds: every page asks for it."""

from flask import g

from app.domain import holds
from app.domain.holds import Standing
from app.web import status_pages


def standing() -> list[Standing]:
    """Why no bot of the installation enters now."""
    if g.get("broken"):
        return []
    return status_pages.kept("holds", holds.standing)
