"""Components that look at the clock: it counts when a candle closes, in UTC."""

from __future__ import annotations

from math import inf

from runner.strategy.components.parts import PASS, choice, whole
from runner.strategy.indicators.structure import DAY
from runner.strategy.spec import Bar, ComponentSpec, Params

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_THURSDAY = 3
"""The weekday of 1 January 1970."""


def _clock(seconds: float) -> str:
    return f"{int(seconds // 3600):02d}:{int(seconds % 3600 // 60):02d}"


def _at(params: Params, hour: str, minute: str) -> str:
    return f"{params[hour]:02.0f}:{params[minute]:02.0f}"


class _Clock:
    """When the candle closes; its length is the step from the one before."""

    def __init__(self) -> None:
        self._opened: float | None = None
        self._length = inf
        self._now = 0.0

    def _close(self, bar: Bar) -> bool:
        """Whether the length is known, and with it the time."""
        before, self._opened = self._opened, bar.at
        if before is None:
            return False
        self._length = min(self._length, bar.at - before)
        self._now = bar.at + self._length
        return True

    def _said(self) -> str:
        day = WEEKDAYS[int(self._now // DAY + _THURSDAY) % 7]
        return f"it is {day} {_clock(self._now % DAY)} UTC"


class TradingHours(_Clock):
    """1 from one time of day until another."""

    spec = ComponentSpec(
        "trading_hours",
        PASS,
        "Trading hours",
        "Lets entries pass between two times of the day.",
        (
            whole("from_hour", "From", (0, 23), 8, "First hour.", "h UTC"),
            whole("from_minute", "and", (0, 59), 0, "Its minute.", "min"),
            whole("until_hour", "Until", (0, 23), 20, "Hour of the end.", "h UTC"),
            whole("until_minute", "and", (0, 59), 0, "Its minute.", "min"),
        ),
        group="time",
        directional=False,
        warmup=lambda _: 2,
        sentence=lambda p: (
            f"it is between {_at(p, 'from_hour', 'from_minute')} and "
            f"{_at(p, 'until_hour', 'until_minute')} UTC"
        ),
        faults=lambda p: (
            [("until_hour", "The end must differ from the beginning.")]
            if (p["from_hour"], p["from_minute"]) == (p["until_hour"], p["until_minute"])
            else []
        ),
    )

    def __init__(self, params: Params) -> None:
        super().__init__()
        self._from = 3600.0 * params["from_hour"] + 60.0 * params["from_minute"]
        until = 3600.0 * params["until_hour"] + 60.0 * params["until_minute"]
        self._span = (until - self._from) % DAY

    def update(self, bar: Bar) -> int | None:
        if not self._close(bar):
            return None
        return 1 if (self._now - self._from) % DAY < self._span else 0

    def detail(self) -> str:
        until = (self._from + self._span) % DAY
        return f"{self._said()}, {_clock(self._from)} to {_clock(until)} passes"


class TradingDays(_Clock):
    """1 from one day of the week to another, both included."""

    spec = ComponentSpec(
        "weekdays",
        PASS,
        "Days of the week",
        "Lets entries pass on some days of the week only.",
        (
            choice("first", "From", WEEKDAYS, "Monday", "First day that passes."),
            choice("last", "To", WEEKDAYS, "Friday", "Last day that passes."),
        ),
        group="time",
        directional=False,
        warmup=lambda _: 2,
        sentence=lambda p: (
            f"it is {p['first']} (UTC)"
            if p["first"] == p["last"]
            else f"the day is one from {p['first']} to {p['last']} (UTC)"
        ),
    )

    def __init__(self, params: Params) -> None:
        super().__init__()
        self._first = WEEKDAYS.index(params["first"])
        self._days = (WEEKDAYS.index(params["last"]) - self._first) % 7

    def update(self, bar: Bar) -> int | None:
        if not self._close(bar):
            return None
        weekday = int(self._now // DAY) + _THURSDAY
        return 1 if (weekday - self._first) % 7 <= self._days else 0

    def detail(self) -> str:
        last = WEEKDAYS[(self._first + self._days) % 7]
        return f"{self._said()}, {WEEKDAYS[self._first]} to {last} passes"


class AfterOpen(_Clock):
    """1 within some minutes after a session opened."""

    spec = ComponentSpec(
        "after_open",
        PASS,
        "Minutes after the open",
        "Lets entries pass only for a while after a session opened.",
        (
            whole("hour", "Opens at", (0, 23), 13, "Hour at which the session opens.", "h UTC"),
            whole("minute", "and", (0, 59), 30, "Minute at which it opens.", "min"),
            whole("wait", "Not before", (0, 1438), 0, "Minutes that must have passed.", "min"),
            whole("minutes", "Until", (1, 1439), 120, "Minutes after the open.", "min"),
        ),
        group="time",
        directional=False,
        warmup=lambda _: 2,
        sentence=lambda p: (
            f"the session that opened at {_at(p, 'hour', 'minute')} UTC is {p['wait']:g} to "
            f"{p['minutes']:g} minutes old"
        ),
        faults=lambda p: (
            [("wait", "The wait must be shorter than the end.")]
            if p["wait"] >= p["minutes"]
            else []
        ),
    )

    def __init__(self, params: Params) -> None:
        super().__init__()
        self._open = 3600.0 * params["hour"] + 60.0 * params["minute"]
        self._wait, self._end = 60.0 * params["wait"], 60.0 * params["minutes"]

    def update(self, bar: Bar) -> int | None:
        if not self._close(bar):
            return None
        return 1 if self._wait <= (self._now - self._open) % DAY < self._end else 0

    def detail(self) -> str:
        age = (self._now - self._open) % DAY / 60.0
        span = f"{self._wait / 60:g} to {self._end / 60:g}"
        return f"the session is {age:g} minutes old, {span} passes"


class AwayFromFunding(_Clock):
    """1 while the next and the last funding payment are some minutes away."""

    spec = ComponentSpec(
        "away_from_funding",
        PASS,
        "Away from funding",
        "Keeps entries out of the minutes around a funding payment.",
        (
            whole("interval", "Paid every", (1, 24), 8, "Counted from midnight.", "h"),
            whole("before", "Before", (0, 180), 10, "Minutes before a payment.", "min"),
            whole("after", "After", (0, 180), 5, "Minutes after a payment.", "min"),
        ),
        group="time",
        directional=False,
        warmup=lambda _: 2,
        sentence=lambda p: (
            f"funding, paid every {p['interval']:g} hours, is neither due within "
            f"{p['before']:g} minutes nor was paid within {p['after']:g}"
        ),
        faults=lambda p: (
            [("before", "Before and after together must be shorter than the interval.")]
            if p["before"] + p["after"] >= 60 * p["interval"]
            else []
        ),
    )

    def __init__(self, params: Params) -> None:
        super().__init__()
        self._interval = 3600.0 * float(params["interval"])
        self._before, self._after = 60.0 * params["before"], 60.0 * params["after"]

    def _since(self) -> float:
        return self._now % DAY % self._interval

    def update(self, bar: Bar) -> int | None:
        if not self._close(bar):
            return None
        since = self._since()
        due = min(self._interval - since, DAY - self._now % DAY)
        return 1 if since >= self._after and due > self._before else 0

    def detail(self) -> str:
        return f"{self._said()}, funding was due {self._since() / 60:g} minutes ago"
