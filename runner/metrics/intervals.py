"""Between what the truth may lie, of a share and of a ratio that no formula is known for.

Win rate: Wilson's score interval (E. B. Wilson, 1927), which Brown, Cai and DasGupta (2001)
recommend for small samples. Profit factor: the percentile bootstrap (B. Efron, 1979) with a seed
that never changes, so that the same trades always say the same. The mean trade has Student's t.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import inf, sqrt
from random import Random
from statistics import NormalDist

RESAMPLES = 1_000
MOST = 1_000
"""Results that are drawn from; the newest of more."""
LEAST = 5
"""Fewer results can be drawn in too few ways to say anything."""
SEED = 20_260_701


def win_rate(wins: int, count: int, confidence: float = 0.95) -> tuple[float, float]:
    """Between what the true share of wins lies, both from 0 to 1; ``count`` at least one."""
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share, weight = wins / count, z * z / count
    middle = (share + weight / 2) / (1 + weight)
    reach = z * sqrt(share * (1 - share) / count + weight / (4 * count)) / (1 + weight)
    low, high = max(middle - reach, 0.0), min(middle + reach, 1.0)
    return (0.0 if not wins else low), (1.0 if wins == count else high)


def profit_factor(
    results: Sequence[float], confidence: float = 0.95, seed: int = SEED
) -> tuple[float, float] | None:
    """Between what the profit factor lies, of results in the order of time.

    ``inf`` above where too many draws hold no loss; ``None`` for fewer than ``LEAST`` results or
    where nothing was lost or nothing won.
    """
    drawn_from = results[-MOST:]
    won = [complex(max(it, 0.0), max(-it, 0.0)) for it in drawn_from]
    whole = sum(won)
    if len(won) < LEAST or not whole.real or not whole.imag:
        return None
    dice, found = Random(seed), list[float]()  # noqa: S311 - it has to repeat, not to be secret
    for _ in range(RESAMPLES):
        drawn = sum(dice.choices(won, k=len(won)))
        found.append(drawn.real / drawn.imag if drawn.imag else inf)
    found.sort()
    cut = round((1 - confidence) / 2 * RESAMPLES)
    return found[cut], found[-cut - 1]


def by_luck(tries: int, level: float = 0.05) -> float:
    """How likely the best of so many tries without any edge looks sure at ``level`` (Šidák)."""
    return 1 - float((1 - level) ** max(tries, 0))


def strict(tries: int, level: float = 0.05) -> float:
    """The level at which one of so many tries must be judged to be as sure as one alone (Šidák)."""
    return 1 - float((1 - level) ** (1 / max(tries, 1)))
