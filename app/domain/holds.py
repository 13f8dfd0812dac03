"""Holds: why no bot of a workspace, or of the whole installation, may enter for now.

Exits, stops and flattening go on under one. A bot's own pause is a matter of its own.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select, update
from sqlalchemy.exc import IntegrityError

from app import tenancy
from app.domain import audit
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid
from app.extensions import change, db
from app.models import Hold, User, Workspace

OPERATOR = "operator"
"""The cause of a hold that an operator imposes on the installation; others name their own."""

TEXT = 300
SHOWN = 50


@dataclass(frozen=True)
class Standing:
    """One hold as a page says it; plain values, so that it can be kept between requests."""

    workspace_id: str | None
    text: str
    since: datetime


def current(workspace_id: str) -> str | None:
    """Why no bot of this workspace may enter; that of the installation goes first."""
    query = select(Hold.text).where(
        Hold.lifted_at.is_(None),
        or_(Hold.workspace_id.is_(None), Hold.workspace_id == workspace_id),
    )
    order = Hold.workspace_id.is_not(None), Hold.since, Hold.id
    with tenancy.everywhere("what holds bots may be said of one workspace or of all"):
        return db.session.scalar(query.order_by(*order).limit(1))


def standing() -> list[Standing]:
    """All that stand, of the installation and of any workspace; the caller shows each its own."""
    query = select(Hold.workspace_id, Hold.text, Hold.since).where(Hold.lifted_at.is_(None))
    with tenancy.everywhere("what holds bots may be said of one workspace or of all"):
        rows = db.session.execute(query.order_by(Hold.since, Hold.id)).all()
    return [Standing(*row) for row in rows]


def impose(
    workspace: Workspace | None,
    cause: str,
    text: str,
    now: datetime,
    *,
    by: Actor = audit.TIMETABLE,
    author: User | None = None,
) -> Hold:
    """Let no bot enter from now on; of one cause one stands at a time, in its newest words.

    Args:
        workspace: whose bots; those of the whole installation, where ``None``.
        cause: what it is lifted by, e.g. ``operator``; 24 characters at most.
        text: the reason, for everybody whose bots are held.
        now: the moment, UTC.
        by: who acts.
        author: the person, if one does.

    Raises:
        Invalid: no reason, or one that is too long.
    """
    said = " ".join(text.split())
    if not 1 <= len(said) <= TEXT:
        raise Invalid(f"Say why, in 1 to {TEXT} characters.", "text")
    with tenancy.everywhere("what holds bots may be said of one workspace or of all"):
        known = _standing(workspace, cause)
        if known is None:
            fresh = Hold(
                workspace_id=workspace.id if workspace else None,
                place=_place(workspace),
                cause=cause,
                text=said,
                imposed_by=author.id if author else None,
                since=now,
            )
            if _kept(fresh):
                _record("hold.impose", fresh, [Change("text", None, said)], by, now)
                return fresh
            known = _standing(workspace, cause)
        if known is None:
            raise Conflict("Somebody lifted it just now; look again.")
        if known.text != said:
            before, known.text = known.text, said
            _record("hold.reword", known, [Change("text", before, said)], by, now)
        return known


def lift(
    workspace: Workspace | None, cause: str, now: datetime, *, by: Actor = audit.TIMETABLE
) -> bool:
    """Let bots enter again as far as this cause goes; ``False`` if it held none."""
    with tenancy.everywhere("what holds bots may be said of one workspace or of all"):
        found = _standing(workspace, cause)
        mine = Hold.place == _place(workspace), Hold.cause == cause, Hold.lifted_at.is_(None)
        if found is None or not change(update(Hold).where(*mine).values(lifted_at=now)):
            return False
        _record("hold.lift", found, [Change("lifted_at", None, now)], by, now)
        return True


def of_installation() -> list[Hold]:
    """Those an operator imposed on everybody, the latest first."""
    mine = Hold.workspace_id.is_(None), Hold.cause == OPERATOR
    query = select(Hold).where(*mine).order_by(Hold.since.desc(), Hold.id).limit(SHOWN)
    return list(db.session.scalars(query))


def imposers(found: list[Hold]) -> dict[str, str]:
    """The names of those who imposed any of them, by id."""
    ids = {hold.imposed_by for hold in found if hold.imposed_by}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return dict(rows.all()) if ids else {}


def find(hold_id: str) -> Hold | None:
    """One of them."""
    mine = Hold.id == hold_id, Hold.workspace_id.is_(None), Hold.cause == OPERATOR
    return db.session.scalar(select(Hold).where(*mine))


def _place(workspace: Workspace | None) -> str:
    return workspace.id if workspace else "installation"


def _standing(workspace: Workspace | None, cause: str) -> Hold | None:
    mine = Hold.place == _place(workspace), Hold.cause == cause, Hold.lifted_at.is_(None)
    return db.session.scalar(select(Hold).where(*mine).execution_options(populate_existing=True))


def _kept(hold: Hold) -> bool:
    """Two may impose at once: the database keeps one."""
    try:
        with db.session.begin_nested():
            db.session.add(hold)
    except IntegrityError:
        return False
    return True


def _record(action: str, hold: Hold, changes: list[Change], by: Actor, now: datetime) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        workspace_id=hold.workspace_id,
        target_id=hold.id,
        target_label=hold.cause,
        changes=changes,
        reason=hold.text,
    )
