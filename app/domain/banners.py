"""Maintenance that everybody should know of: announced, under way, over or withdrawn."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, update

from app.domain import audit
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid
from app.extensions import change, db
from app.models import FleetNotice, User

TEXT = 300
LONGEST = timedelta(days=14)
AHEAD = timedelta(days=90)
SHOWN = 50


@dataclass(frozen=True)
class Banner:
    """What a page says; plain values, so that it can be kept between requests."""

    id: str
    text: str
    starts_at: datetime
    ends_at: datetime

    def under_way(self, now: datetime) -> bool:
        """Whether it has begun."""
        return self.starts_at <= now


def announce(
    text: str, starts_at: datetime, ends_at: datetime, *, operator: User, by: Actor, now: datetime
) -> FleetNotice:
    """Show it on every page from now on, until it is over or withdrawn.

    Raises ``Invalid``: no text, or times that make no sense.
    """
    said = " ".join(text.split())
    if not 1 <= len(said) <= TEXT:
        raise Invalid(f"Say what happens, in 1 to {TEXT} characters.", "text")
    if ends_at <= now:
        raise Invalid("It would be over already: give an end that is still to come.", "ends")
    if ends_at <= starts_at:
        raise Invalid("Its end must lie after its beginning.", "ends")
    if ends_at - starts_at > LONGEST:
        raise Invalid("At most 14 days; for more, open an incident.", "ends")
    if starts_at - now > AHEAD:
        raise Invalid("At most 90 days ahead.", "starts")
    made = FleetNotice(text=said, starts_at=starts_at, ends_at=ends_at, created_by=operator.id)
    db.session.add(made)
    db.session.flush()
    told = {"text": said, "starts_at": starts_at, "ends_at": ends_at}
    _record("banner.announce", made, audit.changes_between({}, told), by, now)
    return made


def withdraw(notice: FleetNotice, *, by: Actor, now: datetime) -> None:
    """Show it no more. Raises ``Conflict`` if it is over or withdrawn already."""
    standing = FleetNotice.id == notice.id, FleetNotice.withdrawn_at.is_(None)
    mine = update(FleetNotice).where(*standing, FleetNotice.ends_at > now)
    if change(mine.values(withdrawn_at=now)) != 1:
        raise Conflict("It is shown no more; look again.")
    db.session.refresh(notice)
    _record("banner.withdraw", notice, [Change("withdrawn_at", None, now)], by, now)


def standing(now: datetime) -> list[Banner]:
    """What is announced or under way, the soonest first."""
    query = select(FleetNotice.id, FleetNotice.text, FleetNotice.starts_at, FleetNotice.ends_at)
    query = query.where(FleetNotice.withdrawn_at.is_(None), FleetNotice.ends_at > now)
    rows = db.session.execute(query.order_by(FleetNotice.starts_at, FleetNotice.id))
    return [Banner(row.id, row.text, row.starts_at, row.ends_at) for row in rows]


def recent() -> list[FleetNotice]:
    """All of them, the latest first."""
    query = select(FleetNotice).order_by(FleetNotice.starts_at.desc(), FleetNotice.id)
    return list(db.session.scalars(query.limit(SHOWN)))


def find(notice_id: str) -> FleetNotice | None:
    """One of them."""
    return db.session.get(FleetNotice, notice_id)


def moment(text: str, field: str) -> datetime:
    """A moment as typed, in UTC unless it says another zone. Raises ``Invalid``."""
    try:
        found = datetime.fromisoformat(text.strip())
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise Invalid("Write it as 2026-11-24 18:00; it is taken for UTC.", field) from error


def _record(
    action: str, notice: FleetNotice, changes: list[Change], by: Actor, now: datetime
) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        target_id=notice.id,
        target_label=notice.text,
        changes=changes,
    )
