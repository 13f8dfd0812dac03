"""How several signals become one answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

Values = Sequence[int | None]
SCORES = ("weighted", "min_score")
"""Modes that add weights up; the others count signals."""
NEEDS_THRESHOLD = (*SCORES, "min_signals")
_ROUNDING = 1e-9  # of sums of weights such as 0.7 + 0.2 + 0.1


class Combination:
    """``judge(values)`` is -1, 0 or 1, or ``None`` while a signal warms up.

    ``values`` begin with those of the signals. Scores add weight times value; ``weighted`` wants a
    share of the sum of all weights, ``min_score`` a sum. The others count: a side wins with as many
    signals as the mode wants, if they are more than those against it.
    """

    def __init__(self, combination: dict[str, Any], weights: Sequence[float]) -> None:
        self.mode: str = combination["mode"]
        self._weights = tuple(weights)
        self._count = len(self._weights)
        self._needed = needed(combination, self._weights)
        self.judge: Callable[[Values], int | None] = self._counted
        if self.mode in SCORES:
            self._needed_score = self._needed - _ROUNDING
            self.judge = self._scored
        most = self._weights[0] if self.mode in SCORES and self._weights else 1.0
        if self._count == 1 and most >= self._needed - _ROUNDING:
            self.judge = itemgetter(0)  # one signal that is enough is the answer

    def words(self, values: Values, direction: int | None) -> str:
        """What the signals came to."""
        if direction is None:
            return "signals are warming up"
        if self.mode in SCORES:
            score = sum(w * (v or 0) for w, v in zip(self._weights, values, strict=False))
            if direction:
                return f"score {score:g} reached the threshold {self._needed:g}"
            return f"no signal reached the threshold {self._needed:g} (score {score:g})"
        said = values[: self._count]
        most = max(said.count(1), said.count(-1))
        return f"{most} of {self._count} signals agree, {self._needed:g} needed"

    def _scored(self, values: Values) -> int | None:
        score = 0.0
        for weight, value in zip(self._weights, values, strict=False):
            if value is None:
                return None
            if value:
                score += weight if value > 0 else -weight
        if score >= self._needed_score:
            return 1
        return -1 if score <= -self._needed_score else 0

    def _counted(self, values: Values) -> int | None:
        said = values[: self._count]
        if None in said:
            return None
        up, down = said.count(1), said.count(-1)
        if up >= self._needed and up > down:
            return 1
        return -1 if down >= self._needed and down > up else 0


def needed(combination: dict[str, Any], weights: Sequence[float]) -> float:
    """The score or the number of signals an entry needs."""
    mode, threshold = combination["mode"], float(combination.get("threshold", 1))
    if mode == "weighted":
        return threshold * sum(weights)
    counts = {"all": len(weights), "any": 1, "majority": len(weights) // 2 + 1}
    return counts.get(mode, threshold)
