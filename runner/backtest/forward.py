"""Walk-forward: chosen on one stretch, judged on the next, which no choice has seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from runner.backtest import curve
from runner.backtest.grid import FEW_TRADES, Plan, Run, attempt, combinations
from runner.backtest.keeping import efficiency, kept_little
from runner.backtest.lane import moment
from runner.backtest.request import Refused, Request
from runner.backtest.result import figures_plain
from runner.backtest.run import Tell, instruments
from runner.history.reading import History
from runner.metrics import (
    Figure,
    Period,
    Point,
    cost_figures,
    curve_figures,
    days_of,
    tally,
    trade_figures,
)
from runner.metrics.figures import Sheet
from runner.strategy.spec import TIMEFRAMES

MOST_WINDOWS = 24
_DAY = 86_400


@dataclass(frozen=True)
class Window:
    """In-sample from ``begins`` to ``meets``, out-of-sample from there to ``ends``."""

    begins: datetime
    meets: datetime
    ends: datetime


@dataclass(frozen=True)
class Judged:
    """One window: the combination chosen in sample, and how the same did out of sample."""

    window: Window
    chosen: Run
    after: Run


def walk_forward(
    request: Request, plan: Plan, options: dict[str, Any], found: list[History], tell: Tell
) -> dict[str, Any]:
    """Choose on one stretch, judge on the next, then move on by as much as was judged.

    The account goes on from window to window: each is judged with the equity the last one left.
    """
    cut = windows_of(request, options)
    chosen, done = combinations(plan, request.seed)[0], 0
    rules, judged, equity = instruments(request), list[Judged](), request.balance
    for window in cut:
        train = replace(request, since=window.begins, until=window.meets)
        best: Run | None = None
        for values in chosen:
            tell("combinations", done, len(chosen) * len(cut))
            done += 1
            run = attempt(train, plan, values, found, rules)
            if best is None or run.score > best.score:
                best = run
        assert best is not None
        if best.result is None:
            raise Refused("options", "grid", f"no combination can be run: {best.refused}")
        test = replace(request, since=window.meets, until=window.ends, balance=equity)
        after = attempt(test, plan, best.values, found, rules)
        judged.append(Judged(window, replace(best, result=None), after))
        equity = _left(after, equity)
        if equity <= 0:
            break
    tell("combinations", done, done)
    return _told(request, plan, cut, judged)


def windows_of(request: Request, options: dict[str, Any]) -> list[Window]:
    """How the period is cut, in whole candles.

    ``in_sample`` and ``out_of_sample`` are days; ``anchored`` lets each choice see everything from
    the beginning on. Without them, ``windows`` cuts the period into one equal part more.

    Raises:
        Refused: the period does not hold a window, or holds too many.
    """
    first, last = request.period
    span = TIMEFRAMES[request.rules["timeframe"]]
    if "in_sample" not in options:
        return _equal(first, (last - first) // span, span, options.get("windows", 4))
    inner, outer = (_length(options, name, span) for name in ("in_sample", "out_of_sample"))
    count = (last - first - inner) // outer
    if count < 1:
        text = "the period is shorter than one window; choose a longer one, or shorter windows"
        raise Refused("options", "in_sample", text)
    if count > MOST_WINDOWS:
        text = f"{count} windows are too many, {MOST_WINDOWS} are the most; make them longer"
        raise Refused("options", "out_of_sample", text)
    anchored = bool(options.get("anchored", False))
    return [
        Window(
            moment(first + (0 if anchored else n * outer)),
            moment(first + inner + n * outer),
            moment(first + inner + (n + 1) * outer),
        )
        for n in range(count)
    ]


def _length(options: dict[str, Any], name: str, span: int) -> int:
    """Days as seconds, in whole candles."""
    days = options.get(name)
    if isinstance(days, bool) or not isinstance(days, int | float) or not days * _DAY >= 2 * span:
        raise Refused("options", name, "must be a number of days that holds two candles")
    return int(days * _DAY) // span * span


def _equal(first: int, count: int, span: int, windows: Any) -> list[Window]:
    if not isinstance(windows, int) or not 1 <= windows <= MOST_WINDOWS:
        raise Refused("options", "windows", f"must be from 1 to {MOST_WINDOWS}")
    if count < 2 * (windows + 1):
        text = "the period is too short for so many windows; choose a longer one, or fewer"
        raise Refused("options", "windows", text)
    edges = [moment(first + count * n // (windows + 1) * span) for n in range(windows + 2)]
    return [Window(*edges[n : n + 3]) for n in range(windows)]


def _left(run: Run, before: Decimal) -> Decimal:
    """The equity a window ends with; an open position counts as it is worth then."""
    if run.result is None or not run.result.equity:
        return before
    return Decimal(f"{run.result.equity[-1].equity:.8f}")


def _told(request: Request, plan: Plan, cut: list[Window], judged: list[Judged]) -> dict[str, Any]:
    period = Period(judged[0].window.meets, judged[-1].window.ends)
    results = [it.after.result for it in judged if it.after.result is not None]
    closed = [trade.closed for result in results for trade in result.trades]
    line = [one for result in results for one in result.equity]
    points = curve.points(line, float(request.balance), int(period.start.timestamp()))
    sums = tally(closed)
    figures = {
        **trade_figures(sums, period),
        **cost_figures(sums, period),
        **curve_figures(days_of(_straight(points), ()), period),
    }
    kept = _compared(judged, period)
    return {
        "objective": plan.objective,
        "axes": plan.plain(),
        "tried": len(combinations(plan, request.seed)[0]),
        "seed": request.seed,
        "windows": [_row(it) for it in judged],
        "equity": [[s.at, round(s.equity, 4), round(s.low, 4)] for s in curve.fewer(line)],
        "figures": figures_plain(figures),
        "kept": figures_plain(kept),
        "period": [period.start.isoformat(), period.end.isoformat()],
        "warnings": _warnings(request, cut, judged, figures, kept),
    }


def _straight(points: list[Point]) -> list[Point]:
    """In the order of time: a window's first low may be of the second the last one ended in."""
    return sorted(points, key=lambda point: point.at)


def _row(it: Judged) -> dict[str, Any]:
    window = it.window
    return {
        "train": [window.begins.isoformat(), window.meets.isoformat()],
        "test": [window.meets.isoformat(), window.ends.isoformat()],
        "values": list(it.chosen.values),
        "in_sample": it.chosen.shown,
        "out_of_sample": it.after.shown,
        "daily_in": _daily(it.chosen, window.meets - window.begins),
        "daily_out": _daily(it.after, window.ends - window.meets),
    }


def _daily(run: Run, length: timedelta) -> float | None:
    """Return in percent a day, so that stretches of different lengths compare."""
    found = run.figures["return"].value
    return None if found is None else found / (length.total_seconds() / _DAY)


def _compared(judged: Sequence[Judged], period: Period) -> dict[str, Figure]:
    """In sample against out of sample, over all windows."""
    sheet, count = Sheet(period), len(judged)
    rows = [_row(it) for it in judged]
    days: dict[str, list[float]] = {}
    for key, name, place in (
        ("daily_in", "Return a day, in sample", "the windows they were chosen on"),
        ("daily_out", "Return a day, out of sample", "the windows after, which no choice has seen"),
    ):
        known = days[key] = [float(row[key]) for row in rows if row[key] is not None]
        mean = sum(known) / len(known) if known else None
        text = f"Return divided by days, of the chosen combinations on {place}; mean of all."
        sheet.add(key, name, "percent", mean, len(known), text, "No window has a return.")
    share, why = efficiency(days["daily_in"], days["daily_out"])
    sheet.add(
        *("efficiency", "Walk-forward efficiency", "percent", share, count),
        "Return a day out of sample in percent of that in sample. Below 50 % most of what the "
        "search found was the past itself. Given only where the return in sample is above zero "
        "by more than its own standard error over the windows.",
        why,
    )
    won = sum(1 for row in rows if (row["out_of_sample"]["return"] or 0) > 0)
    sheet.add(
        *("won_windows", "Windows won out of sample", "percent", 100 * won / count, count),
        "Windows that ended above where they began, of all.",
    )
    different = len({it.chosen.values for it in judged})
    sheet.add(
        *("choices", "Different choices", "count", different, count),
        "How many different combinations were chosen. As many as windows: each choice followed its "
        "own past.",
    )
    return sheet.found


def _warnings(
    request: Request,
    cut: list[Window],
    judged: list[Judged],
    figures: dict[str, Figure],
    kept: dict[str, Figure],
) -> list[dict[str, str]]:
    told = list[tuple[str, str]]()
    if len(judged) < len(cut):
        text = f"The account was used up in window {len(judged)} of {len(cut)}; it ends there."
        told.append(("ruined", text))
    trades = int(figures["trades"].value or 0)
    if trades < FEW_TRADES:
        text = f"{trades} trades out of sample are too few; {FEW_TRADES} are the least to judge."
        told.append(("few_trades", text))
    thin = sum(1 for it in judged if (it.chosen.figures["trades"].value or 0) < FEW_TRADES)
    if thin:
        text = (
            f"In {thin} of {len(judged)} windows the choice rests on fewer than {FEW_TRADES} "
            "trades; it may as well have been drawn. Make the windows in sample longer."
        )
        told.append(("thin_choice", text))
    told += kept_little(kept)
    if len(judged) > 2 and kept["choices"].value == len(judged):
        told.append(("restless", "Every window chose other numbers: the best did not stay best."))
    held = sum(1 for it in judged if it.after.result and it.after.result.account.trades.open)
    if held:
        text = (
            f"In {held} {'window' if held == 1 else 'windows'} a position was open at the end: it "
            "counts as it was worth then, without the cost of leaving it, and is in no trade."
        )
        told.append(("open", text))
    rest = request.until - cut[-1].ends
    if rest >= timedelta(days=1):
        many = f"{rest.days} days fill no window and were"
        left = "day fills no window and was" if rest.days == 1 else many
        told.append(("rest", f"The last {left} not used."))
    return [{"code": code, "text": text} for code, text in told]
