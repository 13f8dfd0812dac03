"""The one workspace in which people without an account have their tickets. It has no members.

Made when the first of them asks. No list shows it, and nobody can enter, join or suspend it.
"""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from app import tenancy
from app.domain import audit
from app.domain.audit import Actor
from app.extensions import db
from app.models import Workspace, WorkspaceKind

NAME = "Front desk"
SLUG = "_front_desk"
"""No slug that anybody may choose: those begin with a letter or digit."""


def workspace(*, by: Actor, now: datetime) -> Workspace:
    """It, made if it is not there yet; of two who make it at once, one does."""
    with tenancy.everywhere("the front desk belongs to nobody who asks there"):
        return _find() or _made(by, now)


def _find() -> Workspace | None:
    return db.session.scalar(select(Workspace).where(Workspace.slug == SLUG))


def _made(by: Actor, now: datetime) -> Workspace:
    try:
        with db.session.begin_nested():
            made = Workspace(kind=WorkspaceKind.FRONT_DESK, name=NAME, slug=SLUG, created_at=now)
            db.session.add(made)
    except IntegrityError:
        return db.session.scalars(select(Workspace).where(Workspace.slug == SLUG)).one()
    audit.record(
        "workspace.create",
        by=by,
        now=now,
        workspace_id=made.id,
        target_id=made.id,
        target_label=made.name,
    )
    return made
