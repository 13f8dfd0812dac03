"""When a bot trades: sessions in local wall time of one IANA zone, expanded to UTC. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from app.domain.errors import Invalid
from runner.protocol import Window

HORIZON = timedelta(days=8)
MAX_SESSIONS = 20
DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TIME = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$")


@dataclass(frozen=True)
class Session:
    """One weekly trading session: opens at a wall time on given weekdays (Monday is 0).

    A session whose close is not after its open crosses midnight; equal times mean 24 hours.
    """

    days: tuple[int, ...]
    opens: time
    closes: time


@dataclass(frozen=True)
class Schedule:
    """Sessions in a zone. No session at all means: always open."""

    zone: str
    sessions: tuple[Session, ...] = ()

    @property
    def always(self) -> bool:
        """Whether the bot trades around the clock."""
        return not self.sessions

    def to_plain(self) -> dict[str, Any]:
        """The stored form."""
        return {
            "zone": self.zone,
            "sessions": [
                {"days": list(s.days), "opens": s.opens.isoformat(), "closes": s.closes.isoformat()}
                for s in self.sessions
            ],
        }


ALWAYS = Schedule("UTC")


def from_plain(data: dict[str, Any]) -> Schedule:
    """Read the stored form."""
    return Schedule(
        zone=data["zone"],
        sessions=tuple(
            Session(
                tuple(item["days"]),
                time.fromisoformat(item["opens"]),
                time.fromisoformat(item["closes"]),
            )
            for item in data["sessions"]
        ),
    )


def session(days: list[int], opens: str, closes: str) -> Session:
    """Build a session from what a person typed (``HH:MM`` or ``HH:MM:SS``).

    Raises:
        Invalid: no weekday, or a time that is none; ``field`` is days, opens or closes.
    """
    chosen = tuple(sorted(set(days)))
    if not chosen:
        raise Invalid("Choose at least one weekday.", "days")
    if any(day not in range(7) for day in chosen):
        raise Invalid("Weekdays run from Monday to Sunday.", "days")
    return Session(chosen, _wall_time(opens, "opens"), _wall_time(closes, "closes"))


def schedule(zone: str, sessions: list[Session]) -> Schedule:
    """Build a schedule. Raises ``Invalid`` for an unknown zone or too many sessions."""
    if zone not in available_timezones():
        raise Invalid(
            f"{zone or 'Nothing'} is no IANA time zone; choose one like Europe/Berlin.", "zone"
        )
    if len(sessions) > MAX_SESSIONS:
        raise Invalid(f"At most {MAX_SESSIONS} sessions; join some of them.", "sessions")
    return Schedule(zone, tuple(sessions))


def windows(
    plan: Schedule, start: datetime, end: datetime, min_gap: timedelta = timedelta(0)
) -> list[Window]:
    """The trading windows that overlap ``[start, end)``, merged and sorted, in UTC.

    Windows that touch, overlap, or lie closer than ``min_gap`` become one: a gap too short to
    be worth sleeping must not take the machine down. Windows are not cut at ``start`` and ``end``.
    """
    if plan.always:
        return [Window(start, end)]
    found = sorted(_expand(plan, start, end), key=lambda window: window.opens)
    merged: list[Window] = []
    for window in found:
        if merged and window.opens - merged[-1].closes <= min_gap:
            closes = max(merged[-1].closes, window.closes)
            merged[-1] = Window(merged[-1].opens, closes)
        else:
            merged.append(window)
    return [window for window in merged if window.closes > start and window.opens < end]


def is_open(plan: Schedule, now: datetime) -> bool:
    """Whether trading is allowed at ``now``."""
    return any(w.opens <= now < w.closes for w in windows(plan, now, now + timedelta(seconds=1)))


def next_opening(plan: Schedule, now: datetime) -> datetime | None:
    """When the next window opens that is not open yet; ``None`` if there is none in eight days."""
    upcoming = (w.opens for w in windows(plan, now, now + HORIZON) if w.opens > now)
    return next(upcoming, None)


def closing(plan: Schedule, now: datetime) -> datetime | None:
    """When the window open at ``now`` closes; ``None`` if none is open or it never closes."""
    if plan.always:
        return None
    for window in windows(plan, now, now + HORIZON):
        if window.opens <= now < window.closes:
            return window.closes if window.closes < now + HORIZON else None
    return None


def describe(plan: Schedule) -> str:
    """The schedule in one line, as a person would say it."""
    if plan.always:
        return "Around the clock"
    parts = (f"{_days(s.days)} {_clock(s.opens)}–{_clock(s.closes)}" for s in plan.sessions)
    return f"{', '.join(parts)} ({plan.zone})"


def _wall_time(text: str, field: str) -> time:
    match = _TIME.match(text.strip())
    if match is None:
        raise Invalid("Write a time as HH:MM, between 00:00 and 23:59.", field)
    return time(int(match[1]), int(match[2]), int(match[3] or 0))


def _expand(plan: Schedule, start: datetime, end: datetime) -> Iterator[Window]:
    zone = ZoneInfo(plan.zone)
    # Two days before: a session crossing midnight, seen from a zone a day ahead.
    day = start.astimezone(zone).date() - timedelta(days=2)
    last = end.astimezone(zone).date() + timedelta(days=1)
    while day <= last:
        for item in plan.sessions:
            if day.weekday() in item.days:
                window = _window(item, day, zone)
                if window.opens < window.closes:
                    yield window
        day += timedelta(days=1)


def _window(item: Session, day: date, zone: ZoneInfo) -> Window:
    until = day if item.closes > item.opens else day + timedelta(days=1)
    return Window(
        _instant(datetime.combine(day, item.opens), zone, later=False),
        _instant(datetime.combine(until, item.closes), zone, later=True),
    )


def _instant(wall: datetime, zone: ZoneInfo, *, later: bool) -> datetime:
    """The UTC instant of a wall time.

    A wall time that daylight saving skips becomes the first instant after the gap; one that
    happens twice opens at the earlier and closes at the later of the two.
    """
    moment = wall.replace(tzinfo=zone, fold=int(later)).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == wall:
        return moment
    before = wall.replace(tzinfo=zone, fold=1).astimezone(UTC)
    after = wall.replace(tzinfo=zone, fold=0).astimezone(UTC)
    return _first_after_gap(before, after, zone)


def _first_after_gap(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The clock change between two instants, found by halving to the second."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=1) // 2)
        if middle.astimezone(zone).utcoffset() == offset:
            before = middle
        else:
            after = middle
    return after


def _days(days: tuple[int, ...]) -> str:
    if days == tuple(range(7)):
        return "daily"
    if len(days) > 2 and days == tuple(range(days[0], days[-1] + 1)):
        return f"{DAY_NAMES[days[0]]}–{DAY_NAMES[days[-1]]}"
    return " ".join(DAY_NAMES[day] for day in days)


def _clock(moment: time) -> str:
    return moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
