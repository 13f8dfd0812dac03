"""When a bot trades: sessions in local wall time of one IANA zone, expanded to UTC. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from app.domain.errors import Invalid
from app.domain.wall_clock import instant
from runner.protocol import Window

HORIZON = timedelta(days=8)
MAX_SESSIONS = 20
_TIME = re.compile(r"^([01]\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?$")


@dataclass(frozen=True)
class Session:
    """One weekly trading session: opens at a wall time on given weekdays (Monday is 0).

    A session whose close is not after its open crosses midnight; equal times mean 24 hours.
    ``zone`` is set where a session keeps another clock than its schedule: a market's own.
    """

    days: tuple[int, ...]
    opens: time
    closes: time
    zone: str = ""

    def to_plain(self) -> dict[str, Any]:
        """The stored form."""
        plain = {
            "days": list(self.days),
            "opens": self.opens.isoformat(),
            "closes": self.closes.isoformat(),
        }
        return plain | ({"zone": self.zone} if self.zone else {})


@dataclass(frozen=True)
class Blackout:
    """Whole local days without trading, first and last included, and why."""

    first: date
    last: date
    note: str = ""

    def to_plain(self) -> dict[str, str]:
        """The stored form."""
        return {"first": self.first.isoformat(), "last": self.last.isoformat(), "note": self.note}


@dataclass(frozen=True)
class Schedule:
    """Sessions in a zone, and what is taken from them. No session at all means: always open.

    ``flatten``: close what is open when a window ends, instead of holding and managing it.
    ``quiet_minutes``: no new entries that long before a window ends.
    ``least_sleep``: minutes below which a gap is not slept; ``None`` leaves it to the compute.
    """

    zone: str
    sessions: tuple[Session, ...] = ()
    blackouts: tuple[Blackout, ...] = ()
    flatten: bool = False
    quiet_minutes: int = 0
    least_sleep: int | None = None

    @property
    def always(self) -> bool:
        """Whether the bot trades around the clock, blackouts aside."""
        return not self.sessions

    @property
    def endless(self) -> bool:
        """Whether no window ever ends."""
        return not self.sessions and not self.blackouts

    @property
    def end_policy(self) -> str:
        """What the runner is told to do with a position when a window ends."""
        return "flatten" if self.flatten else "hold"

    def gap(self, least: timedelta) -> timedelta:
        """The shortest gap worth sleeping: the compute's own, or a longer one set for this bot."""
        return max(least, timedelta(minutes=self.least_sleep or 0))

    def to_plain(self) -> dict[str, Any]:
        """The stored form; what is not set is not written."""
        plain: dict[str, Any] = {
            "zone": self.zone,
            "sessions": [item.to_plain() for item in self.sessions],
        }
        if self.blackouts:
            plain["blackouts"] = [item.to_plain() for item in self.blackouts]
        for name in ("flatten", "quiet_minutes", "least_sleep"):
            if getattr(self, name):
                plain[name] = getattr(self, name)
        return plain


ALWAYS = Schedule("UTC")


def from_plain(data: dict[str, Any]) -> Schedule:
    """Read the stored form; what is not written has its default."""
    return Schedule(
        zone=data["zone"],
        sessions=tuple(
            Session(
                tuple(item["days"]),
                time.fromisoformat(item["opens"]),
                time.fromisoformat(item["closes"]),
                item.get("zone", ""),
            )
            for item in data["sessions"]
        ),
        blackouts=tuple(
            Blackout(date.fromisoformat(item["first"]), date.fromisoformat(item["last"]), note)
            for item in data.get("blackouts", ())
            for note in (item.get("note", ""),)
        ),
        flatten=data.get("flatten", False),
        quiet_minutes=data.get("quiet_minutes", 0),
        least_sleep=data.get("least_sleep"),
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
    if plan.endless:
        return [Window(start, end)]
    found = _opened(plan, start, end)
    for blackout in plan.blackouts:
        found = without(found, span(blackout, plan.zone))
    return [w for w in merged(found, min_gap) if w.closes > start and w.opens < end]


def wished(
    plan: Schedule,
    start: datetime,
    end: datetime,
    *,
    keep_awake_until: datetime | None,
    asleep_until: datetime | None,
    min_gap: timedelta = timedelta(0),
) -> list[Window]:
    """``windows`` from ``start`` on, with what a person wished for the day added or taken."""
    found = windows(plan, start, end, min_gap)
    if keep_awake_until is not None and keep_awake_until > start:
        found = merged([*found, Window(start, keep_awake_until)], min_gap)
    if asleep_until is not None and asleep_until > start:
        found = without(found, Window(start, asleep_until))
        found = [window for window in found if window.closes > start]
    return found


def merged(found: list[Window], min_gap: timedelta = timedelta(0)) -> list[Window]:
    """Sorted, and joined where they touch, overlap or lie closer than ``min_gap``."""
    result: list[Window] = []
    for window in sorted(found, key=lambda window: window.opens):
        if result and window.opens - result[-1].closes <= min_gap:
            closes = max(result[-1].closes, window.closes)
            result[-1] = Window(result[-1].opens, closes)
        else:
            result.append(window)
    return result


def without(found: list[Window], hole: Window) -> list[Window]:
    """``found`` with one stretch cut out."""
    pieces = [
        piece
        for window in found
        for piece in (
            Window(window.opens, min(window.closes, hole.opens)),
            Window(max(window.opens, hole.closes), window.closes),
        )
    ]
    return sorted({p for p in pieces if p.opens < p.closes}, key=lambda piece: piece.opens)


def span(blackout: Blackout, zone: str) -> Window:
    """A blackout as a stretch of time: local midnight to local midnight."""
    days = Session((), time(0), time(0))
    where = ZoneInfo(zone)
    return Window(
        _window(days, blackout.first, where).opens, _window(days, blackout.last, where).closes
    )


def is_open(plan: Schedule, now: datetime) -> bool:
    """Whether trading is allowed at ``now``."""
    return any(w.opens <= now < w.closes for w in windows(plan, now, now + timedelta(seconds=1)))


def next_opening(plan: Schedule, now: datetime) -> datetime | None:
    """When the next window opens that is not open yet; ``None`` if there is none in eight days."""
    upcoming = (w.opens for w in windows(plan, now, now + HORIZON) if w.opens > now)
    return next(upcoming, None)


def closing(plan: Schedule, now: datetime) -> datetime | None:
    """When the window open at ``now`` closes; ``None`` if none is open or it never closes."""
    if plan.endless:
        return None
    for window in windows(plan, now, now + HORIZON):
        if window.opens <= now < window.closes:
            return window.closes if window.closes < now + HORIZON else None
    return None


def _opened(plan: Schedule, start: datetime, end: datetime) -> list[Window]:
    """The windows of the sessions, blackouts not yet taken out."""
    if plan.always:
        return [Window(start - timedelta(days=1), end + timedelta(days=1))]
    return list(_expand(plan, start, end))


def _expand(plan: Schedule, start: datetime, end: datetime) -> Iterator[Window]:
    for item in plan.sessions:
        zone = ZoneInfo(item.zone or plan.zone)
        # Two days before: a session crossing midnight, seen from a zone a day ahead.
        day = start.astimezone(zone).date() - timedelta(days=2)
        last = end.astimezone(zone).date() + timedelta(days=1)
        while day <= last:
            if day.weekday() in item.days:
                window = _window(item, day, zone)
                if window.opens < window.closes:
                    yield window
            day += timedelta(days=1)


def _window(item: Session, day: date, zone: ZoneInfo) -> Window:
    until = day if item.closes > item.opens else day + timedelta(days=1)
    return Window(
        instant(datetime.combine(day, item.opens), zone, later=False),
        instant(datetime.combine(until, item.closes), zone, later=True),
    )


def _wall_time(text: str, field: str) -> time:
    match = _TIME.match(text.strip())
    if match is None:
        raise Invalid("Write a time as HH:MM, between 00:00 and 23:59.", field)
    return time(int(match[1]), int(match[2]), int(match[3] or 0))
