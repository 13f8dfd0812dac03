"""Monte Carlo of trades: the same trades in another order, and others drawn from them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from runner.backtest.result import figures_plain
from runner.metrics import Figure, Period
from runner.metrics.figures import Sheet

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
BANDS = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_RUNS = 10_000
MOST_STEPS = 6_000_000
"""Trades times runs; of more trades fewer orders are drawn."""
_LEAST_RUNS = 200
_MARKS = 40
_NO_TRADE = "No trade was closed."


def monte_carlo(
    results: Sequence[float], start: float, runs: int, seed: int, period: Period
) -> dict[str, Any]:
    """Both ways of drawing, with what their numbers mean."""
    fit = max(min(runs, MOST_STEPS // max(len(results), 1)), min(runs, _LEAST_RUNS))
    order, drawn = shuffled(results, start, fit, seed), resampled(results, start, fit, seed)
    figures = _figures(order, drawn, len(results), period)
    return {**order, "drawn": drawn, "figures": figures_plain(figures)}


def shuffled(results: Sequence[float], start: float, runs: int, seed: int) -> dict[str, Any]:
    """Drawdowns in percent of ``runs`` random orders of the trades' net results.

    The end is the same in every order; the way there is not. ``ruined``: the share of orders in
    which the account was used up on the way.
    """
    dice, order = random.Random(seed), list(results)  # noqa: S311 - a simulation, repeatable
    deepest, ruined = list[float](), 0
    for _ in range(runs):
        dice.shuffle(order)
        depth, gone = _fall(order, start)
        deepest.append(depth)
        ruined += gone
    deepest.sort()
    actual, _ = _fall(results, start)
    return {
        "runs": runs,
        "seed": seed,
        "trades": len(order),
        "actual": round(actual, 6),
        "quantiles": _quantiles(deepest),
        "deeper": sum(depth > actual for depth in deepest) / runs if runs else None,
        "ruined": ruined / runs if runs else None,
        "method": (
            "The net results of the closed trades in random order, each order once through; the "
            "drawdown is the deepest fall of the closed balance below its peak, in percent of it."
        ),
    }


def resampled(results: Sequence[float], start: float, runs: int, seed: int) -> dict[str, Any]:
    """Ends and drawdowns of ``runs`` series of as many trades, each drawn with replacement.

    ``bands``: quantiles of the balance after a number of trades, for a fan; the first is the start.
    """
    dice, count = random.Random(seed + 1), len(results)  # noqa: S311 - a simulation, repeatable
    marks = sorted({round(count * n / _MARKS) for n in range(_MARKS + 1)})
    ends, falls, lost = list[float](), list[float](), 0
    at_marks: list[list[float]] = [[] for _ in marks]
    for _ in range(runs if count else 0):
        series = dice.choices(results, k=count)
        balance, begun = start, 0
        for place, mark in enumerate(marks):
            balance += sum(series[begun:mark])
            begun = mark
            at_marks[place].append(balance)
        ends.append(balance - start)
        falls.append(_fall(series, start)[0])
        lost += balance < start
    ends.sort()
    falls.sort()
    return {
        "ends": _quantiles(ends) if ends else {},
        "falls": _quantiles(falls) if falls else {},
        "lost": lost / len(ends) if ends else None,
        "bands": [
            [mark, *(round(_quantile(sorted(values), q), 4) for q in BANDS)]
            for mark, values in zip(marks, at_marks, strict=True)
            if values
        ],
    }


def _figures(
    order: dict[str, Any], drawn: dict[str, Any], trades: int, period: Period
) -> dict[str, Figure]:
    sheet, runs = Sheet(period), order["runs"]
    said = f"Of {runs:,} series of as many trades, drawn with replacement from those closed"
    for key, name, quantile in (
        ("end_low", "Final result, 5 %", "0.05"),
        ("end_middle", "Final result, middle", "0.5"),
        ("end_high", "Final result, 95 %", "0.95"),
    ):
        value = drawn["ends"].get(quantile)
        text = f"{said}: {float(quantile) * 100:g} % ended below this net result."
        sheet.add(key, name, "money", value, trades, text, _NO_TRADE)
    lost = drawn["lost"]
    sheet.add(
        *("loss_share", "Ended with a loss", "percent", None if lost is None else 100 * lost),
        *(trades, f"{said}: the share that ended below the starting balance.", _NO_TRADE),
    )
    _falls(sheet, order, drawn, trades)
    return sheet.found


def _falls(sheet: Sheet, order: dict[str, Any], drawn: dict[str, Any], trades: int) -> None:
    known, runs = trades > 0, order["runs"]
    said = f"Of {runs:,} random orders of the very trades that were closed"
    what = "the deepest fall of the closed balance below its peak, in percent of it"
    for key, name, value, text in (
        ("fall_actual", "Drawdown as it came", order["actual"], f"In the order it came: {what}."),
        ("fall_middle", "Drawdown, middle", order["quantiles"]["0.5"], f"{said}, half: {what}."),
        ("fall_high", "Drawdown, 95 %", order["quantiles"]["0.95"], f"{said}, 95 of 100 had less."),
        (
            *("fall_drawn", "Drawdown of other trades, 95 %", drawn["falls"].get("0.95")),
            f"As before, of {runs:,} series drawn with replacement: some losses come twice.",
        ),
    ):
        sheet.add(key, name, "percent", value if known else None, trades, text, _NO_TRADE)
    sheet.add(
        *("ruin", "Used up on the way", "percent", 100 * order["ruined"] if known else None),
        *(trades, f"{said}: in how many the balance reached zero on the way.", _NO_TRADE),
    )


def _fall(results: Sequence[float], start: float) -> tuple[float, bool]:
    """The deepest fall in percent of the peak before it, and whether nothing was left."""
    balance = peak = start
    deepest = 0.0
    for result in results:
        balance += result
        if balance > peak:
            peak = balance
        elif peak - balance > deepest * peak:
            deepest = (peak - balance) / peak
        if balance <= 0:
            return 100.0, True
    return 100 * deepest, False


def _quantiles(ordered: Sequence[float]) -> dict[str, float]:
    return {f"{q:g}": round(_quantile(ordered, q), 6) for q in QUANTILES}


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Between the two neighbours, in proportion."""
    if not ordered:
        return 0.0
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
