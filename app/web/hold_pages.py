"""What the frame says of holds, kept for some seconds: every page asks for it."""

from flask import g

from app.domain import holds
from app.domain.holds import Standing
from app.models import Membership
from app.web import status_pages


def standing() -> list[Standing]:
    """The installation's, and those of the workspace whose page it is; of no other."""
    if g.get("broken"):
        return []
    member: Membership | None = g.get("member")
    here = member.workspace_id if member else None
    kept = status_pages.kept("holds", holds.standing)
    return [it for it in kept if it.workspace_id is None or it.workspace_id == here]
