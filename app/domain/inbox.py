"""The inbox of one person: what there is to read, and what was read.

That somebody has read something concerns nobody else, so it leaves no audit event.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, func, or_, select, update

from app.extensions import change, db, prepared
from app.models import Membership, Notice, User, Workspace

PAGE = 30
STAFF = "/operator"
"""Where the pages of operators begin; what leads there was told to staff, not to the person."""

COUNTED = 100
"""Nobody needs to know how many more are unread."""


def page(user: User, workspace_id: str | None, number: int) -> Sequence[Notice]:
    """Unread first, then the newest: one more than a page, if there is one more."""
    query = select(Notice).where(*_visible(user.id, workspace_id))
    order = (Notice.read_at.is_not(None), Notice.created_at.desc(), Notice.id.desc())
    start = (number - 1) * PAGE
    return db.session.scalars(query.order_by(*order).offset(start).limit(PAGE + 1)).all()


def unread(user: User, workspace_id: str | None = None) -> int:
    """How many are unread, counted up to a hundred."""
    values = {"person": user.id} | ({"workspace": workspace_id} if workspace_id else {})
    return db.session.scalar(_unread(workspace_id is not None), values) or 0


@prepared
def _unread(inside: bool) -> Select[int]:
    visible = _visible(bindparam("person"), bindparam("workspace") if inside else None)
    some = select(Notice.id).where(*visible, Notice.read_at.is_(None))
    return select(func.count()).select_from(some.limit(COUNTED).subquery())


def find(user: User, notice_id: str) -> Notice | None:
    """One notice of this person that is still theirs to see."""
    return db.session.scalar(select(Notice).where(Notice.id == notice_id, *_visible(user.id)))


def mark_read(notice: Notice, now: datetime) -> None:
    """Remember when it was first read."""
    unread_still = (Notice.id == notice.id, Notice.read_at.is_(None))
    change(update(Notice).where(*unread_still).values(read_at=now))


def mark_path_read(user: User, path: str, now: datetime) -> None:
    """The same for all that a page was about which the person has opened."""
    mine = (Notice.user_id == user.id, Notice.path == path, Notice.read_at.is_(None))
    query = update(Notice).where(*mine).values(read_at=now)
    change(query.execution_options(synchronize_session=False))


def mark_all_read(user: User, workspace_id: str | None, now: datetime) -> int:
    """The same for all there are; returns how many were unread."""
    mine = select(Notice.id).where(*_visible(user.id, workspace_id), Notice.read_at.is_(None))
    return change(
        update(Notice)
        .where(Notice.id.in_(mine))
        .values(read_at=now)
        .execution_options(synchronize_session=False)
    )


def _visible(person: Any, workspace_id: Any = None) -> tuple[Any, ...]:
    """What concerns the person alone, and the workspaces they are an active member of.

    What was told to staff names tickets of others, and is for whoever is an operator now.
    """
    theirs = (
        select(Membership.workspace_id)
        .join(Workspace, Workspace.id == Membership.workspace_id)
        .where(
            Membership.user_id == person,
            Membership.suspended_at.is_(None),
            Workspace.deleted_at.is_(None),
        )
    )
    serves = select(User.id).where(User.id == person, User.operator.is_(True)).exists()
    inside = Notice.workspace_id.in_(theirs)
    if workspace_id is not None:
        return Notice.user_id == person, inside, Notice.workspace_id == workspace_id
    own = Notice.path.not_like(f"{STAFF}%") | serves
    return Notice.user_id == person, or_(Notice.workspace_id.is_(None) & own, inside)
