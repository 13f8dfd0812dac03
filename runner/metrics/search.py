"""How far the best of many tries may be luck: its neighbours, and what chance alone would bring.

Sources: Bailey and López de Prado, "The Deflated Sharpe Ratio" (2014), equations 1 and 2, with the
ratio of a trade (mean over standard deviation of net results) in the place of the Sharpe ratio.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import e, sqrt
from statistics import NormalDist

from runner.metrics.facts import Figure, Period
from runner.metrics.figures import Sheet

EULER = 0.5772156649015329
_NORMAL = NormalDist()
_ONE = "It takes two combinations whose trades have a spread."
_NO_SPREAD = "It takes two closed trades of the best combination whose results differ."
_LOST = "The best one lost by the mean of its trades; there is no gain that luck could explain."


@dataclass(frozen=True)
class Moments:
    """Of the net results of some trades; ``deviation`` is that of a sample (n - 1)."""

    count: int
    mean: float
    deviation: float
    skew: float
    kurtosis: float

    @property
    def ratio(self) -> float | None:
        """Mean over deviation, ``None`` where there is no spread to measure by."""
        measured = self.count > 1 and self.deviation > 1e-9 * max(abs(self.mean), 1e-12)
        return self.mean / self.deviation if measured else None


@dataclass(frozen=True)
class Tried:
    """One combination: its steps on each axis, its score (``None`` is none), net and trades."""

    place: tuple[int, ...]
    score: float | None
    net: float | None
    moments: Moments


def moments(results: Sequence[float]) -> Moments:
    """The first four; the normal distribution has a skew of 0 and a kurtosis of 3."""
    count = len(results)
    if count < 2:
        return Moments(count, results[0] if results else 0.0, 0.0, 0.0, 3.0)
    mean = sum(results) / count
    away = [it - mean for it in results]
    second = sum(it**2 for it in away) / count
    deviation = sqrt(second * count / (count - 1))
    if second <= 0:
        return Moments(count, mean, deviation, 0.0, 3.0)
    third, fourth = sum(it**3 for it in away) / count, sum(it**4 for it in away) / count
    return Moments(count, mean, deviation, third / second**1.5, fourth / second**2)


def luckiest(tries: int) -> float:
    """The expected highest of so many independent draws from a standard normal distribution."""
    if tries < 2:
        return 0.0
    near, far = _NORMAL.inv_cdf(1 - 1 / tries), _NORMAL.inv_cdf(1 - 1 / (tries * e))
    return (1 - EULER) * near + EULER * far


def neighbours(of: Tried, tried: Sequence[Tried]) -> list[float]:
    """Scores of those that lie at most one step away on each axis; the one itself is none."""
    return [
        it.score
        for it in tried
        if it.score is not None
        and it.place != of.place
        and all(abs(a - b) <= 1 for a, b in zip(it.place, of.place, strict=True))
    ]


def search_figures(best: Tried, tried: Sequence[Tried], period: Period) -> dict[str, Figure]:
    """What to know of the best before believing it."""
    sheet, count = Sheet(period), len(tried)
    sheet.add(
        *("tried", "Combinations tried", "count", count, count),
        "How often the same candles were asked. The best of many is partly the luckiest: the more "
        "were tried, the less the best one says.",
    )
    winning = sum(1 for it in tried if it.net is not None and it.net > 0)
    sheet.add(
        *("winning", "Ended with a profit", "percent", 100 * winning / count, count),
        "Combinations with a net profit above zero, of all that were tried.",
    )
    _stability(sheet, best, tried)
    _deflated(sheet, best, tried)
    return sheet.found


def _stability(sheet: Sheet, best: Tried, tried: Sequence[Tried]) -> None:
    near, top = neighbours(best, tried), best.score
    mean = sum(near) / len(near) if near else None
    sheet.add(
        *("stability", "Neighbours of the best", "percent"),
        100 * mean / top if mean is not None and top is not None and top > 0 else None,
        len(near),
        "Mean of the objective over all combinations at most one step away on each axis, in "
        "percent of the best. Near 100 % the best lies in a region; far below, it is a lone peak.",
        "The best has no neighbour, or is not above zero.",
    )


def _deflated(sheet: Sheet, best: Tried, tried: Sequence[Tried]) -> None:
    ratios = [it.moments.ratio for it in tried]
    known = [it for it in ratios if it is not None]
    own, it, n = best.moments.ratio, best.moments, best.moments.count
    chance = _spread(known) * luckiest(len(known)) if len(known) > 1 else None
    why = _ONE if chance is None else _NO_SPREAD
    sheet.add(
        *("chance_ratio", "Best by chance", "ratio", chance, len(known)),
        "Mean over standard deviation of a trade's result that the best of so many combinations "
        "would show by chance, were none of them any good (Bailey and López de Prado, 2014). It "
        "takes them to be independent; neighbours are not, so it is rather too high.",
        _ONE,
    )
    left = None if own is None or chance is None else own - chance
    # Luck explains a gain; taken off a loss it would be a larger loss that nobody had.
    lost = own is not None and own <= 0
    sheet.add(
        *("deflated", "Expectancy less luck", "money"),
        None if left is None or lost else left * it.deviation,
        n,
        "What is left of the best one's mean gain of a trade without its share of luck. Below zero "
        "luck alone explains it.",
        _LOST if lost else why,
    )
    sheet.add(
        *("deflated_sharpe", "Better than luck", "percent"),
        None if own is None or left is None else 100 * _sure(own, left, it),
        n,
        "Deflated Sharpe ratio of the trades: how likely the best one's true ratio is above what "
        "the best of so many would show by chance. Below 95 % the search has not shown an edge.",
        why,
    )


def _sure(own: float, left: float, it: Moments) -> float:
    wide = 1 - it.skew * own + (it.kurtosis - 1) / 4 * own**2
    return _NORMAL.cdf(left * sqrt(it.count - 1) / sqrt(max(wide, 1e-12)))


def _spread(values: Sequence[float]) -> float:
    mean = sum(values) / len(values)
    return sqrt(sum((it - mean) ** 2 for it in values) / (len(values) - 1))
