"""Equity day by day, deposits and withdrawals taken out, and what it says of return and risk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import sqrt

from runner.metrics.facts import Figure, Period
from runner.metrics.figures import Sheet

YEAR = 365
SHORTEST_YEAR_RATE = 30
NO_DAY = "There is no equity of this period yet."
TWO_DAYS = "It takes equity of at least two days."
NO_SPREAD = "Equity did not move from day to day."
NO_FALL = "Equity never fell below an earlier peak."
TOO_SHORT = f"It takes {SHORTEST_YEAR_RATE} days of equity; less says nothing of a year."
GONE = "Equity went to zero or below."


@dataclass(frozen=True, slots=True)
class Point:
    """Account value in quote currency at one moment."""

    at: datetime
    equity: float


@dataclass(frozen=True, slots=True)
class Flow:
    """Money deposited (positive) or withdrawn (negative); funding is a result and not among it."""

    at: datetime
    amount: float


@dataclass(frozen=True, slots=True)
class Day:
    """One day (UTC) of equity. ``start``: what worked at its beginning; ``flow``: what came in.

    ``low`` is the lowest result of the day so far, at most ``result``; ``None`` on days with a
    flow, when equity alone does not tell what it lost.
    """

    day: date
    start: float
    end: float
    flow: float = 0.0
    low: float | None = None

    @property
    def result(self) -> float:
        """What the day earned."""
        return self.end - self.start - self.flow

    @property
    def change(self) -> float:
        """The same as a share of what worked; money that came in during the day worked too."""
        base = self.start + max(self.flow, 0.0)
        return self.result / base if base > 0 else 0.0


@dataclass(frozen=True, slots=True)
class Drawdown:
    """From a peak of the equity index to the lowest point before the peak was reached again.

    ``depth`` in percent of the peak. ``recovered_on`` is ``None`` while it goes on.
    """

    peak_on: date
    low_on: date
    recovered_on: date | None
    depth: float
    last_on: date

    @property
    def days(self) -> int:
        """From the peak until it was reached again, or until now."""
        return ((self.recovered_on or self.last_on) - self.peak_on).days

    @property
    def recovery_days(self) -> int | None:
        """From the low to the peak's height again."""
        return (self.recovered_on - self.low_on).days if self.recovered_on else None


def days_of(points: Sequence[Point], flows: Sequence[Flow]) -> list[Day]:
    """Fold one account's points, oldest first, into days; on days without one nothing moved.

    A flow belongs to the day whose points are the first to hold it.
    """
    found: list[Day] = []
    waiting = sorted(flows, key=lambda it: it.at)
    start = points[0].equity if points else 0.0
    waiting = [it for it in waiting if points and it.at > points[0].at]
    for day, values in _by_day(points):
        found += [Day(it, start, start, low=0.0) for it in _between(found, day)]
        last = values[-1]
        moved = [it.amount for it in waiting if it.at <= last.at]
        waiting = waiting[len(moved) :]
        low = None if moved else min(it.equity for it in values) - start
        found.append(Day(day, start, last.equity, sum(moved), low))
        start = last.equity
    return found


def together(accounts: Sequence[Sequence[Day]]) -> list[Day]:
    """Several accounts as one, day by day. One that comes or goes is no result.

    Their lows within a day need not have met, so only a single account keeps them.
    """
    if len(accounts) == 1:
        return list(accounts[0])
    found: dict[date, Day] = {}
    for it in (day for days in accounts for day in days):
        so_far = found.get(it.day, Day(it.day, 0.0, 0.0))
        sums = (so_far.start + it.start, so_far.end + it.end, so_far.flow + it.flow)
        found[it.day] = Day(it.day, *sums)
    return [found[day] for day in sorted(found)]


def index(days: Iterable[Day]) -> list[tuple[date, float, float]]:
    """The time-weighted index from 1: of each day its close and its low."""
    level, found = 1.0, []
    for it in days:
        low = level
        if it.low is not None and it.start > 0:
            low = level * (1 + it.low / it.start)
        level *= max(1 + it.change, 0.0)
        found.append((it.day, level, min(low, level)))
    return found


def drawdowns(days: Sequence[Day]) -> list[Drawdown]:
    """All falls below an earlier peak of daily closes, the lows of days counted; oldest first."""
    found: list[Drawdown] = []
    if not days:
        return found
    peak, peak_on = 1.0, days[0].day - timedelta(days=1)
    low, low_on = 1.0, peak_on
    for day, close, lowest in index(days):
        if lowest < low:
            low, low_on = lowest, day
        if close >= peak:
            if low < peak:
                found.append(Drawdown(peak_on, low_on, day, 100 * (1 - low / peak), day))
            peak, peak_on, low, low_on = close, day, close, day
    if low < peak:
        found.append(Drawdown(peak_on, low_on, None, 100 * (1 - low / peak), days[-1].day))
    return found


def curve_figures(days: Sequence[Day], period: Period) -> dict[str, Figure]:
    """Return and risk by equity. Days carry the account's own deposits and withdrawals."""
    sheet = Sheet(period)
    line = index(days)
    level = line[-1][1] if line else 1.0
    falls = drawdowns(days)
    rate = _yearly(days, level)
    _returns(sheet, days, level, rate)
    _ratios(sheet, [it.change for it in days])
    _falls(sheet, len(days), falls)
    deepest = max((it.depth for it in falls), default=0.0)
    sheet.add(
        *("calmar", "Calmar ratio", "ratio"),
        rate / deepest if rate is not None and deepest else None,
        *(len(days), "Annual return divided by the deepest drawdown, both in percent."),
        _why_no_rate(days, level) if rate is None else NO_FALL,
    )
    return sheet.found


def _returns(sheet: Sheet, days: Sequence[Day], level: float, rate: float | None) -> None:
    n = len(days)
    sheet.add(
        *("return", "Return", "percent", 100 * (level - 1) if n else None, n),
        "Time-weighted: the results of all days, each as a share of the equity that worked that "
        "day, multiplied together. Deposits and withdrawals change nothing of it.",
        NO_DAY,
    )
    sheet.add(
        *("annual_return", "Annual return", "percent", rate, n),
        f"The return raised to {YEAR} days from the days that have equity.",
        _why_no_rate(days, level),
    )
    sheet.add(
        *("equity_result", "Change of equity", "money"),
        sum(it.result for it in days) if n else None,
        n,
        "Equity at the end less equity at the beginning, deposits and withdrawals taken out; "
        "positions that are still open are part of it.",
        NO_DAY,
    )


def _ratios(sheet: Sheet, changes: list[float]) -> None:
    n = len(changes)
    mean = sum(changes) / n if n else 0.0
    spread = sqrt(sum((it - mean) ** 2 for it in changes) / (n - 1)) if n > 1 else 0.0
    below = sqrt(sum(min(it, 0.0) ** 2 for it in changes) / n) if n else 0.0
    sheet.add(
        *("sharpe", "Sharpe ratio", "ratio"),
        mean / spread * sqrt(YEAR) if spread > 1e-12 else None,
        n,
        "Mean of the daily returns divided by their standard deviation (n - 1), times the square "
        f"root of {YEAR}; the riskless rate is taken as zero.",
        NO_SPREAD if n > 1 else TWO_DAYS,
    )
    sheet.add(
        *("sortino", "Sortino ratio", "ratio"),
        mean / below * sqrt(YEAR) if n > 1 and below > 1e-12 else None,
        n,
        "Mean of the daily returns divided by the root of the mean square of the negative ones "
        f"(over all days), times the square root of {YEAR}.",
        "No day ended with a loss." if n > 1 else TWO_DAYS,
    )


def _falls(sheet: Sheet, n: int, falls: list[Drawdown]) -> None:
    deepest = max(falls, key=lambda it: it.depth, default=None)
    longest = max(falls, key=lambda it: it.days, default=None)
    recovered = [it.recovery_days for it in falls if it.recovery_days is not None]
    why = NO_FALL if n else NO_DAY
    sheet.add(
        *("max_drawdown", "Deepest drawdown", "percent", deepest.depth if deepest else None, n),
        "Largest fall of the time-weighted equity below its highest daily close so far; the lowest "
        "equity within a day counts on days without deposits and withdrawals.",
        why,
    )
    sheet.add(
        *("drawdown_length", "Longest drawdown", "days", longest.days if longest else None, n),
        "Most days from a peak until equity was as high again, or until now.",
        why,
    )
    sheet.add(
        *("drawdown_recovery", "Longest recovery", "days"),
        max(recovered) if recovered else None,
        *(len(recovered), "Most days from the low of a drawdown until its peak was reached again."),
        "No drawdown has been recovered yet." if falls else why,
    )


def _yearly(days: Sequence[Day], level: float) -> float | None:
    if len(days) < SHORTEST_YEAR_RATE or level <= 0:
        return None
    return float(100 * (level ** (YEAR / len(days)) - 1))


def _why_no_rate(days: Sequence[Day], level: float) -> str:
    return GONE if days and level <= 0 else TOO_SHORT


def _between(found: list[Day], day: date) -> Iterable[date]:
    """The days that are missing after the last one found."""
    missing = (day - found[-1].day).days - 1 if found else 0
    return (day - timedelta(days=left) for left in range(missing, 0, -1))


def _by_day(points: Sequence[Point]) -> Iterable[tuple[date, list[Point]]]:
    found: dict[date, list[Point]] = {}
    for point in points:
        found.setdefault(point.at.astimezone(UTC).date(), []).append(point)
    return sorted(found.items())
