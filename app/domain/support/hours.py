"""Business hours: when the desk is open, how much of a stretch of time that is, when time is up.

Pure arithmetic. A day's hours run from the moment of opening to the moment of closing by the wall
clock of the zone, so a day on which clocks change is an hour shorter or longer where it should be.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MIDNIGHT = time(0)
HORIZON = 1500
"""Days looked ahead: who is closed for that long promises nothing."""


@dataclass(frozen=True)
class Hours:
    """Open on ``weekdays`` (Monday is 0) from ``opens`` to ``closes``, but not on ``holidays``.

    ``closes`` at midnight means the end of the day.
    """

    zone: str = "UTC"
    weekdays: frozenset[int] = frozenset(range(5))
    opens: time = time(9)
    closes: time = time(17)
    holidays: frozenset[date] = frozenset()

    def windows(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The stretches of open time that end after ``since``, in order, in UTC."""
        zone = ZoneInfo(self.zone)
        day = since.astimezone(zone).date() - timedelta(days=1)
        for _ in range(HORIZON):
            if day.weekday() in self.weekdays and day not in self.holidays:
                last = day + timedelta(days=1) if self.closes == MIDNIGHT else day
                begin = datetime.combine(day, self.opens, zone).astimezone(UTC)
                end = datetime.combine(last, self.closes, zone).astimezone(UTC)
                if end > since and end > begin:
                    yield begin, end
            day += timedelta(days=1)

    def between(self, since: datetime, until: datetime) -> int:
        """The open seconds from ``since`` to ``until``."""
        total = timedelta()
        for begin, end in self.windows(since):
            if begin >= until:
                break
            total += max(timedelta(), min(end, until) - max(begin, since))
        return int(total.total_seconds())


def due_at(spent: int, allowed: int, since: datetime, hours: Hours) -> datetime | None:
    """When ``allowed`` open seconds are used up, of which ``spent`` were before ``since``.

    Returns:
        The first such moment, not before ``since``; ``None`` if the desk never opens again.
    """
    left = timedelta(seconds=allowed - spent)
    if left <= timedelta():
        return since
    for begin, end in hours.windows(since):
        start = max(begin, since)
        if end - start >= left:
            return start + left
        left -= end - start
    return None
