"""Holds: why no bot of the whole installation may enter for now.

Exits, stops and flattening go on under one. A bot's own pause is a matter of its own, also where
the book of its workspace has passed a ceiling (``book_watch``).
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError

from app.domain import audit
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid
from app.extensions import change, db
from app.models import Hold, User

OPERATOR = "operator"
"""The cause of a hold that an operator imposes; of each cause one stands at a time."""

TEXT = 300
SHOWN = 50


@dataclass(frozen=True)
class Standing:
    """One hold as a page says it; plain values, so that it can be kept between requests."""

    text: str
    since: datetime


def current() -> str | None:
    """Why no bot may enter."""
    query = select(Hold.text).where(Hold.lifted_at.is_(None)).order_by(Hold.since, Hold.id)
    return db.session.scalar(query.limit(1))


def standing() -> list[Standing]:
    """All that stand."""
    query = select(Hold.text, Hold.since).where(Hold.lifted_at.is_(None))
    return [Standing(*row) for row in db.session.execute(query.order_by(Hold.since, Hold.id))]


def impose(text: str, now: datetime, *, by: Actor, author: User | None = None) -> Hold:
    """Let no bot enter from now on; where one stands, in its newest words.

    Args:
        text: the reason, for everybody whose bots are held.
        now: the moment, UTC.
        by: who acts.
        author: the person.

    Raises:
        Invalid: no reason, or one that is too long.
    """
    said = " ".join(text.split())
    if not 1 <= len(said) <= TEXT:
        raise Invalid(f"Say why, in 1 to {TEXT} characters.", "text")
    known = _standing()
    if known is None:
        imposed_by = author.id if author else None
        fresh = Hold(cause=OPERATOR, text=said, imposed_by=imposed_by, since=now)
        if _kept(fresh):
            _record("hold.impose", fresh, [Change("text", None, said)], by, now)
            return fresh
        known = _standing()
    if known is None:
        raise Conflict("Somebody lifted it just now; look again.")
    if known.text != said:
        before, known.text = known.text, said
        _record("hold.reword", known, [Change("text", before, said)], by, now)
    return known


def lift(now: datetime, *, by: Actor) -> bool:
    """Let bots enter again; ``False`` if none was held."""
    found = _standing()
    mine = Hold.cause == OPERATOR, Hold.lifted_at.is_(None)
    if found is None or not change(update(Hold).where(*mine).values(lifted_at=now)):
        return False
    _record("hold.lift", found, [Change("lifted_at", None, now)], by, now)
    return True


def latest() -> list[Hold]:
    """Those there were, the latest first."""
    query = select(Hold).order_by(Hold.since.desc(), Hold.id).limit(SHOWN)
    return list(db.session.scalars(query))


def imposers(found: list[Hold]) -> dict[str, str]:
    """The names of those who imposed any of them, by id."""
    ids = {hold.imposed_by for hold in found if hold.imposed_by}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return dict(rows.all()) if ids else {}


def find(hold_id: str) -> Hold | None:
    """One of them."""
    return db.session.scalar(select(Hold).where(Hold.id == hold_id))


def _standing() -> Hold | None:
    mine = Hold.cause == OPERATOR, Hold.lifted_at.is_(None)
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
        target_id=hold.id,
        target_label=hold.cause,
        changes=changes,
        reason=hold.text,
    )
