"""Ninety days of each component as the status page draws them, a day at a time (UTC)."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import or_, select

from app.extensions import db
from app.models import Condition, Incident, Measurement

DAYS = 90
_LEAST = 60
"""Seconds of trouble that give a day its colour."""

_ENOUGH = 24 * 60 * 60
"""Seconds of measured time from which on a share of it says something."""


@dataclass
class Day:
    """Seconds in each condition on one day."""

    date: date
    spent: dict[Condition, float] = field(default_factory=lambda: defaultdict(float))

    @property
    def condition(self) -> Condition:
        """The worst that lasted a minute or more; where nothing was measured it is not known."""
        for bad in (Condition.DOWN, Condition.DEGRADED):
            if self.spent[bad] >= _LEAST:
                return bad
        measured = any(self.spent[it] for it in Condition if it is not Condition.UNKNOWN)
        return Condition.OPERATIONAL if measured else Condition.UNKNOWN

    @property
    def bad_minutes(self) -> int:
        """Whole minutes that were not as they should be."""
        return round((self.spent[Condition.DOWN] + self.spent[Condition.DEGRADED]) / 60)


@dataclass(frozen=True)
class Record:
    """What is remembered of one component."""

    days: list[Day]

    @property
    def share(self) -> float | None:
        """The share of the measured time in which it worked; ``None`` before a day was measured."""
        worked = self._spent(Condition.OPERATIONAL)
        return worked / self.measured if self.measured >= _ENOUGH else None

    @property
    def measured(self) -> float:
        """Seconds in which its condition was known."""
        return self._spent(*(it for it in Condition if it is not Condition.UNKNOWN))

    @property
    def verdict(self) -> str:
        """What stands under the bars."""
        if self.share is not None:
            return f"worked {percent(self.share)}"
        return "measured for less than a day" if self.measured else "not measured"

    @property
    def words(self) -> str:
        """The bars in words, for who does not see them."""
        if not self.measured:
            return f"Nothing was measured in {DAYS} days."
        bad = [it for it in self.days if it.bad_minutes]
        text = f"Measured for less than a day in {DAYS} days."
        if self.share is not None:
            text = f"Worked {percent(self.share)} of the measured time in {DAYS} days."
        if not bad:
            return f"{text} No day with trouble."
        named = ", ".join(
            f"{it.date.day} {it.date:%b} ({it.bad_minutes} min)" for it in reversed(bad[-5:])
        )
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        return f"{text} Days with trouble: {named}{more}."

    def _spent(self, *conditions: Condition) -> float:
        return sum(day.spent[it] for day in self.days for it in conditions)


def percent(share: float) -> str:
    """A share with two decimals, never rounded up to a whole hundred."""
    return "100 %" if share == 1 else f"{min(share * 100, 99.99):.2f} %"


def records(keys: Sequence[str], hits: Iterable[Incident], now: datetime) -> dict[str, Record]:
    """The last ninety days of components, today last.

    Args:
        keys: of the components.
        hits: incidents; while one lasted, what it hit was at best as it says.
        now: the moment, UTC.
    """
    first = (now - timedelta(days=DAYS - 1)).astimezone(UTC).date()
    start = datetime.combine(first, datetime.min.time(), UTC)
    query = select(Measurement).where(
        Measurement.component_key.in_(list(keys)),
        or_(Measurement.ended_at.is_(None), Measurement.ended_at > start),
    )
    stretches: dict[str, list[tuple[datetime, datetime, Condition]]] = defaultdict(list)
    for it in db.session.scalars(query):
        stretches[it.component_key].append((it.began_at, it.ended_at or now, it.condition))
    for incident in hits:
        for part in incident.components:
            until = incident.resolved_at or now
            stretches[part.component_key].append((incident.began_at, until, incident.impact))
    return {key: Record(_days(first, start, stretches[key], now)) for key in keys}


def _days(
    first: date,
    start: datetime,
    stretches: list[tuple[datetime, datetime, Condition]],
    now: datetime,
) -> list[Day]:
    days = [Day(first + timedelta(days=number)) for number in range(DAYS)]
    for began, ended, condition in _flat(stretches, start, now):
        at = began
        while at < ended:
            number = (at - start).days
            until = min(ended, start + timedelta(days=number + 1))
            days[number].spent[condition] += (until - at).total_seconds()
            at = until
    return days


def _flat(
    stretches: list[tuple[datetime, datetime, Condition]], start: datetime, now: datetime
) -> Iterable[tuple[datetime, datetime, Condition]]:
    """Stretches that do not overlap: where several do, the worst holds."""
    order = list(Condition)
    cut = [(max(b, start), min(e, now), order.index(c)) for b, e, c in stretches]
    changes: list[tuple[datetime, int, int]] = []
    for began, ended, rank in cut:
        if began < ended:
            changes += [(began, 1, rank), (ended, -1, rank)]
    changes.sort(key=lambda it: it[0])
    running = [0] * len(order)
    at = start
    for moment, step, rank in changes:
        held = max((number for number, count in enumerate(running) if count), default=None)
        if held is not None and moment > at:
            yield at, moment, order[held]
        running[rank] += step
        at = moment
