"""All workspaces of the installation, as its operator sees them: names and numbers alone."""

from sqlalchemy import func, select

from app.domain import owners
from app.domain.errors import Invalid
from app.extensions import db
from app.models import Membership, User, Workspace, WorkspaceKind

SHOWN = 200
_SHOWABLE = Workspace.deleted_at.is_(None), Workspace.kind != WorkspaceKind.FRONT_DESK


def listing(wanted: str = "") -> list[Workspace]:
    """The newest ``SHOWN`` that are not deleted, or those with this text in name or slug.

    The front desk is a workspace in the database only.
    """
    query = select(Workspace).where(*_SHOWABLE)
    if wanted:
        named = Workspace.name.icontains(wanted, autoescape=True)
        query = query.where(named | Workspace.slug.icontains(wanted, autoescape=True))
    return list(db.session.scalars(query.order_by(Workspace.created_at.desc()).limit(SHOWN)))


def find(workspace_id: str) -> Workspace | None:
    """One that is not deleted."""
    query = select(Workspace).where(Workspace.id == workspace_id, *_SHOWABLE)
    return db.session.scalar(query)


def member(slug: str, user: User) -> Membership:
    """A person's membership in the workspace with this slug. Raises ``Invalid``."""
    query = select(Membership).join(Workspace, Workspace.id == Membership.workspace_id)
    query = query.where(Workspace.slug == slug, Workspace.deleted_at.is_(None))
    found = db.session.scalar(query.where(Membership.user_id == user.id))
    if found is None:
        raise Invalid(f"{user.email} is no member of a workspace with the slug {slug}.")
    return found


def head_counts(found: list[Workspace]) -> dict[str, int]:
    """How many members each has, by its id."""
    query = select(Membership.workspace_id, func.count().label("heads")).group_by(
        Membership.workspace_id
    )
    ids = [workspace.id for workspace in found]
    rows = db.session.execute(query.where(Membership.workspace_id.in_(ids)))
    return {row.workspace_id: row.heads for row in rows}


def owner_addresses(workspace: Workspace) -> list[str]:
    """Whom to write to about it: name and e-mail of each active owner."""
    return [f"{owner.name} <{owner.email}>" for owner in owners.active(workspace)]
