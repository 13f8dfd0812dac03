"""Who of a workspace holds a permission now: those to ask, to tell, to count."""

from sqlalchemy import select

from app.domain.access import Permission, can
from app.extensions import db
from app.models import Membership, User, Workspace


def active(workspace: Workspace) -> list[Membership]:
    """Memberships that count: neither they nor their people are suspended. By name."""
    query = (
        select(Membership)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.workspace_id == workspace.id,
            Membership.suspended_at.is_(None),
            User.suspended_at.is_(None),
        )
        .options(db.contains_eager(Membership.user))
        .order_by(User.name, User.id)
    )
    return list(db.session.scalars(query, execution_options={"populate_existing": True}))


def of(workspace: Workspace, permission: Permission) -> list[Membership]:
    """Active memberships that hold ``permission``."""
    return [member for member in active(workspace) if can(member, permission)]


def member(workspace: Workspace, user_id: str | None) -> Membership | None:
    """The active membership of one person, as it is at this moment."""
    return next((item for item in active(workspace) if item.user_id == user_id), None)
