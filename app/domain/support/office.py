"""When the desk is open and what it promises: one row, which operators change on a page."""

from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from app.domain import audit, audit_columns
from app.domain.audit import Actor
from app.domain.errors import Invalid
from app.domain.support.hours import Hours
from app.extensions import db
from app.models import ClockKind, DeskSetting, TicketPriority

ONLY = "desk"
HOUR = 3600
LONGEST = 90 * 24
MOST_HOLIDAYS = 200

Targets = dict[TicketPriority, dict[ClockKind, int]]
"""Open seconds until the first answer and until the solution, by priority."""


def _promised(first: int, solved: int) -> dict[ClockKind, int]:
    return {ClockKind.FIRST_RESPONSE: first * HOUR, ClockKind.RESOLUTION: solved * HOUR}


DEFAULT_TARGETS: Targets = {
    TicketPriority.URGENT: _promised(1, 8),
    TicketPriority.HIGH: _promised(2, 16),
    TicketPriority.NORMAL: _promised(8, 40),
    TicketPriority.LOW: _promised(16, 80),
}


@dataclass(frozen=True)
class Office:
    """Hours and promises."""

    hours: Hours = field(default_factory=Hours)
    targets: Targets = field(default_factory=lambda: DEFAULT_TARGETS)


def now_open() -> Office:
    """What holds at present. Read it where everything is open."""
    row = db.session.get(DeskSetting, ONLY)
    return Office() if row is None else _read(row)


def save(wanted: Office, *, by: Actor, now: datetime) -> bool:
    """Change it; ``True`` if something changed.

    Raises:
        Invalid: no day or no hour is open, or a promise is no positive number of hours.
    """
    _check(wanted)
    row = db.session.get(DeskSetting, ONLY)
    fresh = row is None
    row = row or DeskSetting(id=ONLY, **_plain(Office()))
    before = audit_columns.values_of(row)
    for name, value in _plain(wanted).items():
        setattr(row, name, value)
    changes = audit_columns.changes_in(row, before)
    if not changes:
        return False
    if fresh:
        db.session.add(row)
    row.updated_at = now
    db.session.flush()
    audit.record(
        "desk.hours",
        by=by,
        now=now,
        target_id=row.id,
        target_label="Desk hours",
        changes=changes,
    )
    return True


def _check(wanted: Office) -> None:
    hours = wanted.hours
    if not hours.weekdays:
        raise Invalid("Open on one day at least.", "weekdays")
    if hours.closes != time(0) and hours.closes <= hours.opens:
        raise Invalid("Close after you open; 00:00 is the end of the day.", "closes")
    if len(hours.holidays) > MOST_HOLIDAYS:
        raise Invalid(f"Keep at most {MOST_HOLIDAYS} holidays; take out those that passed.")
    for priority, promised in wanted.targets.items():
        if not all(0 < seconds <= LONGEST * HOUR for seconds in promised.values()):
            raise Invalid(f"Promise 1 to {LONGEST} hours for {priority}.")


def _plain(office: Office) -> dict[str, Any]:
    hours = office.hours
    return {
        "zone": hours.zone,
        "weekdays": sorted(hours.weekdays),
        "opens": hours.opens.strftime("%H:%M"),
        "closes": hours.closes.strftime("%H:%M"),
        "holidays": sorted(it.isoformat() for it in hours.holidays),
        "targets": {
            str(priority): {str(kind): seconds for kind, seconds in promised.items()}
            for priority, promised in office.targets.items()
        },
    }


def _read(row: DeskSetting) -> Office:
    hours = Hours(
        zone=row.zone,
        weekdays=frozenset(row.weekdays),
        opens=time.fromisoformat(row.opens),
        closes=time.fromisoformat(row.closes),
        holidays=frozenset(date.fromisoformat(it) for it in row.holidays),
    )
    targets = {
        TicketPriority(priority): {ClockKind(kind): seconds for kind, seconds in promised.items()}
        for priority, promised in row.targets.items()
    }
    return Office(hours, targets)
