"""The next seven days of a schedule as rows of a calendar: drawn on the server, and as a list."""

import itertools
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from markupsafe import Markup

from app.domain import schedule as schedules
from app.domain.lifecycle import Tempo
from app.domain.schedule import Schedule
from runner.protocol import Window

DAYS, WIDE, TALL = 7, 1440, 24


@dataclass(frozen=True)
class Day:
    """One local day of the schedule's zone, and its row as SVG."""

    begins: datetime
    name: str
    drawing: Markup


@dataclass(frozen=True)
class Week:
    """What the strip shows. ``wakes`` and ``sleeps`` are when a machine comes and may go."""

    zone: str
    days: list[Day]
    ticks: list[datetime]
    windows: list[Window]
    wakes: list[datetime]
    sleeps: list[datetime]
    blackouts: list[tuple[Window, str]]
    endless: bool


def week(
    plan: Schedule,
    now: datetime,
    tempo: Tempo,
    *,
    keep_awake_until: datetime | None = None,
    asleep_until: datetime | None = None,
) -> Week:
    """Seven local days from today on; what is over is left out of the list."""
    zone = ZoneInfo(plan.zone)
    today = now.astimezone(zone).date()
    edges = [
        datetime.combine(today + timedelta(days=n), time(0), zone).astimezone(UTC)
        for n in range(DAYS + 1)
    ]
    end = edges[-1]

    def wished(gap: timedelta) -> list[Window]:
        return schedules.wished(
            plan,
            now,
            end,
            keep_awake_until=keep_awake_until,
            asleep_until=asleep_until,
            min_gap=gap,
        )

    windows = wished(timedelta(0))
    awake = wished(plan.gap(tempo.sleep_min_gap) + tempo.wake_lead)
    dark = [(schedules.span(item, plan.zone), item.note) for item in plan.blackouts]
    dark = [(span, note) for span, note in dark if span.closes > now and span.opens < end]
    wakes = [w.opens - tempo.wake_lead for w in awake if now < w.opens - tempo.wake_lead < end]
    sleeps = [w.closes for w in awake if now < w.closes < end]
    days = [
        Day(a, f"{a.astimezone(zone):%a %d}", _row(a, b, now, windows, dark, wakes, sleeps))
        for a, b in itertools.pairwise(edges)
    ]
    ticks = [edges[0] + timedelta(hours=hours) for hours in (0, 6, 12, 18)]
    return Week(plan.zone, days, ticks, windows, wakes, sleeps, dark, plan.endless)


def _row(
    begins: datetime,
    ends: datetime,
    now: datetime,
    windows: list[Window],
    dark: list[tuple[Window, str]],
    wakes: list[datetime],
    sleeps: list[datetime],
) -> Markup:
    day = Window(begins, ends)
    parts = [_bar(day, span, "week-dark") for span, _ in dark]
    parts += [_bar(day, window, "week-open") for window in windows]
    for kind, moments in (("week-wake", wakes), ("week-sleep", sleeps), ("week-now", [now])):
        parts += [
            f'<rect class="{kind}" x="{_at(day, m):.0f}" y="0" width="6" height="{TALL}"/>'
            for m in moments
            if begins <= m < ends
        ]
    # Made of numbers and of words that stand here.
    return Markup(  # noqa: S704 -- see above
        f'<svg class="week-row" viewBox="0 0 {WIDE} {TALL}" preserveAspectRatio="none" '
        f'aria-hidden="true">{"".join(parts)}</svg>'
    )


def _bar(day: Window, span: Window, kind: str) -> str:
    opens, closes = max(span.opens, day.opens), min(span.closes, day.closes)
    if opens >= closes:
        return ""
    left, right = _at(day, opens), _at(day, closes)
    return (
        f'<rect class="{kind}" x="{left:.0f}" y="3" width="{max(right - left, 4):.0f}" '
        f'height="{TALL - 6}"/>'
    )


def _at(day: Window, moment: datetime) -> float:
    """How far across; a day of 23 or 25 hours fills its row like any other."""
    return WIDE * ((moment - day.opens) / (day.closes - day.opens))
