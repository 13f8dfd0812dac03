"""A schedule in words: in one line, and what is worth knowing before it is saved. Pure."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from app.domain import schedule as schedules
from app.domain.schedule import Schedule
from runner.protocol import Window

DAY_NAMES = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
AHEAD = timedelta(days=14)
YEAR = timedelta(days=366)
NEVER = "It never opens: its blackouts leave nothing for a whole year. Stop the bot instead."


@dataclass(frozen=True)
class Finding:
    """One thing to know; ``warns`` where it may not be what was meant."""

    text: str
    warns: bool = True


def describe(plan: Schedule) -> str:
    """The schedule in one line, as a person would say it."""
    text = "Around the clock"
    if not plan.always:
        parts = (
            f"{_days(s.days)} {_clock(s.opens)}–{_clock(s.closes)}"
            + (f" {s.zone}" if s.zone and s.zone != plan.zone else "")
            for s in plan.sessions
        )
        text = f"{', '.join(parts)} ({plan.zone})"
    return "; ".join([text, *_extras(plan)])


def never_opens(plan: Schedule, now: datetime) -> bool:
    """Whether no window opens within a year."""
    return not schedules.windows(plan, now, now + YEAR)


def overlaps(plan: Schedule, now: datetime) -> list[Finding]:
    """Sessions of the next days that lie in one another: rarely what was meant."""
    return [] if plan.always else [item for item in _overlaps(plan, now) if item.warns]


def findings(
    plan: Schedule, now: datetime, *, wake_lead: timedelta, least_gap: timedelta
) -> list[Finding]:
    """What is worth knowing before this schedule is saved."""
    if never_opens(plan, now):
        return [Finding(NEVER)]
    windows = schedules.windows(plan, now, now + AHEAD)
    found = list(_blackouts(plan, now, windows))
    if not plan.always:
        found += [*_overlaps(plan, now), *_clock_changes(plan, now)]
    if not plan.endless:
        found += [*_gaps(windows, wake_lead, plan.gap(least_gap)), *_quiet(plan, windows)]
    return found


def _extras(plan: Schedule) -> Iterator[str]:
    if plan.blackouts:
        yield "not on " + ", ".join(
            f"{b.first}" if b.first == b.last else f"{b.first} to {b.last}" for b in plan.blackouts
        )
    if plan.flatten:
        yield "flat at the end"
    if plan.quiet_minutes:
        yield f"no entries in the last {plan.quiet_minutes} min"
    if plan.least_sleep:
        yield f"sleeps from {plan.least_sleep} min on"


def _blackouts(plan: Schedule, now: datetime, windows: list[Window]) -> Iterator[Finding]:
    if not windows:
        yield Finding("Its blackouts leave no session in the next 14 days.")
    today = now.astimezone(ZoneInfo(plan.zone)).date()
    past = [b for b in plan.blackouts if b.last < today]
    if past:
        yield Finding(f"{len(past)} of its blackouts lie in the past and change nothing.")


def _overlaps(plan: Schedule, now: datetime) -> Iterator[Finding]:
    bare = [
        schedules.windows(replace(plan, sessions=(s,), blackouts=()), now, now + AHEAD)
        for s in plan.sessions
    ]
    for (a, first), (b, second) in itertools.combinations(enumerate(bare, 1), 2):
        pairs = [(x, y) for x in first for y in second]
        if any(x.opens < y.closes and y.opens < x.closes for x, y in pairs):
            yield Finding(f"Sessions {a} and {b} overlap: where they do, they are one window.")
        elif any(x.closes == y.opens or y.closes == x.opens for x, y in pairs):
            yield Finding(f"Sessions {a} and {b} touch: they become one window.", warns=False)


def _gaps(windows: list[Window], wake_lead: timedelta, least: timedelta) -> Iterator[Finding]:
    gaps = [b.opens - a.closes for a, b in itertools.pairwise(windows)]
    short = [gap for gap in gaps if gap <= least + wake_lead]
    if short:
        text = (
            f"Gaps of {_minutes(min(short))} are too short to be slept: waking takes "
            f"{_minutes(wake_lead)}, and a sleep is worth it from {_minutes(least)} on. "
            "The machine stays, and nothing is entered."
        )
        yield Finding(text)


def _quiet(plan: Schedule, windows: list[Window]) -> Iterator[Finding]:
    quiet = timedelta(minutes=plan.quiet_minutes)
    if quiet and any(window.closes - window.opens <= quiet for window in windows):
        yield Finding(
            f"Some windows are not longer than the {plan.quiet_minutes} minutes without new "
            "entries before their end: in those nothing is ever entered."
        )


def _clock_changes(plan: Schedule, now: datetime) -> Iterator[Finding]:
    for name in sorted({item.zone or plan.zone for item in plan.sessions}):
        zone = ZoneInfo(name)
        hours = (now + timedelta(hours=n) for n in range(int(AHEAD / timedelta(hours=1)) + 1))
        for before, after in itertools.pairwise(hours):
            change = _offset(after, zone) - _offset(before, zone)
            if change:
                way = "forward" if change > timedelta(0) else "back"
                yield Finding(
                    f"The clocks of {name} go {way} by {_minutes(abs(change))} on "
                    f"{after.astimezone(zone):%a %d %b %Y}; sessions keep their wall-clock times. "
                    "A time that is skipped counts from the change on; of one that comes twice, "
                    "the earlier opens and the later closes.",
                    warns=False,
                )


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta(0)


def _minutes(length: timedelta) -> str:
    total = int(length.total_seconds())
    return f"{total // 60} min" if total >= 60 else f"{total} s"


def _days(days: tuple[int, ...]) -> str:
    if days == tuple(range(7)):
        return "daily"
    if len(days) > 2 and days == tuple(range(days[0], days[-1] + 1)):
        return f"{DAY_NAMES[days[0]]}–{DAY_NAMES[days[-1]]}"
    return " ".join(DAY_NAMES[day] for day in days)


def _clock(moment: time) -> str:
    return moment.strftime("%H:%M:%S" if moment.second else "%H:%M")
