"""Monte Carlo of trade order: how deep the same trades could have fallen in another order."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
MOST_RUNS = 10_000


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
        "quantiles": {f"{q:g}": round(_quantile(deepest, q), 6) for q in QUANTILES},
        "deeper": sum(depth > actual for depth in deepest) / runs if runs else None,
        "ruined": ruined / runs if runs else None,
        "method": (
            "The net results of the closed trades in random order, each order once through; the "
            "drawdown is the deepest fall of the closed balance below its peak, in percent of it."
        ),
    }


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


def _quantile(ordered: Sequence[float], share: float) -> float:
    """Between the two neighbours, in proportion."""
    if not ordered:
        return 0.0
    place = share * (len(ordered) - 1)
    low = int(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)
