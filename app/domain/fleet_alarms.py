"""What of the fleet wakes an operator: one alarm open for each thing, told once, taken, cleared.

An alarm is its own record: who raises it changes nothing else by it. Persons who take one are in
the audit log.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Select, func, select, update
from sqlalchemy.exc import IntegrityError

from app import tenancy
from app.domain import audit, mail, notices
from app.domain.audit import Actor, Change
from app.domain.support import tidings
from app.domain.telegram import calls
from app.extensions import change, db
from app.models import AlarmKind, FleetAlarm, NoticeKind, User

LETTERS_AN_HOUR = 10
"""So many alarms send letters and ring the chat; a region that fails rings the inbox alone."""

PAGE = "/operator/fleet"

TITLES = {
    AlarmKind.LATE_WAKE: "A bot wakes too late",
    AlarmKind.PHASE_DEADLINE: "A bot is stuck",
    AlarmKind.BOOT_FAILED: "A machine did not start",
    AlarmKind.BLOCKED: "A bot is blocked",
    AlarmKind.REGION_SHUT: "A region is shut",
    AlarmKind.ADDRESS_LOST: "A bot's address is lost",
    AlarmKind.ADDRESS_WRONG: "A bot is seen at a wrong address",
    AlarmKind.MACHINE_OLD: "A machine nears its longest run time",
    AlarmKind.LONG_DRAIN: "A bot has been finishing for long",
    AlarmKind.FOUND: "Something in the cloud belongs to nobody",
    AlarmKind.SWEEP_REFUSED: "A sweep refuses to delete",
    AlarmKind.CLOUD_SILENT: "The cloud does not answer",
}


def raise_alarm(
    kind: AlarmKind, key: str, message: str, now: datetime, bot_id: str | None = None
) -> FleetAlarm:
    """Ring once for each ``key``; a repeat, while it is open, moves ``seen_at`` and rings no more.

    Args:
        kind: what it is.
        key: what makes it one thing, e.g. ``address bot_…``; 120 characters at most.
        message: what is wrong and what to do, for operators; cut to its column.
        now: the moment, UTC.
        bot_id: whose trouble it is, if a bot's.
    """
    message = message[:400]
    with tenancy.everywhere("operators look after the whole fleet"):
        if not _known(key, message, now):
            fresh = FleetAlarm(
                kind=kind, key=key, bot_id=bot_id, message=message, since=now, seen_at=now
            )
            if _kept(fresh):
                _tell(fresh, now)
        found: FleetAlarm = db.session.scalars(_open(key)).one()
    return found


def clear_alarm(key: str, now: datetime) -> bool:
    """What it rang for is over; ``False`` if none was open. The next one rings again."""
    standing = FleetAlarm.key == key, FleetAlarm.cleared_at.is_(None)
    with tenancy.everywhere("operators look after the whole fleet"):
        return change(update(FleetAlarm).where(*standing).values(cleared_at=now)) > 0


def open_alarms() -> list[FleetAlarm]:
    """What rings at present, the longest first."""
    query = select(FleetAlarm).where(FleetAlarm.cleared_at.is_(None))
    return list(db.session.scalars(query.order_by(FleetAlarm.since, FleetAlarm.id)))


def takers(alarms: Iterable[FleetAlarm]) -> dict[str, str]:
    """The names of those who have taken any of them, by id."""
    ids = {alarm.taken_by for alarm in alarms if alarm.taken_by}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(ids)))
    return dict(rows.all()) if ids else {}


def take(alarm: FleetAlarm, person: User, *, by: Actor, now: datetime) -> bool:
    """Somebody looks after it; ``False`` if it is over or theirs already. Others may take it on."""
    before = alarm.taken_by
    standing = FleetAlarm.id == alarm.id, FleetAlarm.cleared_at.is_(None)
    taken = update(FleetAlarm).where(*standing, FleetAlarm.taken_by.is_distinct_from(person.id))
    if not change(taken.values(taken_by=person.id)):
        return False
    audit.record(
        "fleet.alarm_take",
        by=by,
        now=now,
        target_id=alarm.id,
        target_label=alarm.key,
        changes=[Change("taken_by", before, person.id)],
    )
    return True


def _open(key: str) -> Select[FleetAlarm]:
    query = select(FleetAlarm).where(FleetAlarm.key == key, FleetAlarm.cleared_at.is_(None))
    return query.execution_options(populate_existing=True)


def _known(key: str, message: str, now: datetime) -> bool:
    """Whether it rings already; then it is seen once more, in its newest words."""
    seen = update(FleetAlarm).where(FleetAlarm.key == key, FleetAlarm.cleared_at.is_(None))
    return change(seen.values(seen_at=now, message=message)) > 0


def _kept(alarm: FleetAlarm) -> bool:
    """Two may ring at once: the database keeps one, and only who rang it tells."""
    try:
        with db.session.begin_nested():
            db.session.add(alarm)
    except IntegrityError:
        return False
    return True


def _tell(alarm: FleetAlarm, now: datetime) -> None:
    people = tidings.operators()
    title = TITLES[alarm.kind]
    notices.tell(
        [it.id for it in people],
        title,
        key=f"fleet {alarm.id}",
        now=now,
        body=alarm.message,
        path=PAGE,
        kind=NoticeKind.ALARM,
    )
    if _rung_since(now - timedelta(hours=1)) > LETTERS_AN_HOUR:
        return
    calls.tell_fleet(alarm.id, now)
    for person in people:
        mail.post(
            "fleet_alarm",
            to=person.email,
            name=person.name,
            now=now,
            title=title,
            message=alarm.message,
            bot=alarm.bot_id or "",
            moment=f"{now:%Y-%m-%d %H:%M} UTC",
        )


def _rung_since(moment: datetime) -> int:
    query = select(func.count()).select_from(FleetAlarm).where(FleetAlarm.since > moment)
    return db.session.scalar(query) or 0
