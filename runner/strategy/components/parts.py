"""What the components share: roles, forms of parameters, ties and crossings."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from runner.strategy.indicators.rolling import STILL
from runner.strategy.spec import Parameter, Params

SIGNAL = ("signal",)
"""For what speaks on single candles: as a filter it would be shut nearly always."""
STATE = ("signal", "filter", "guard", "gate")
PASS = ("filter", "guard", "gate")

Faults = Callable[[Params], Iterable[tuple[str, str]]]


def candles(name: str, title: str, bounds: tuple[int, int], default: int, about: str) -> Parameter:
    """A length or a count of candles."""
    return Parameter(name, title, "int", "candles", *bounds, default, about)


def whole(
    name: str, title: str, bounds: tuple[int, int], default: int, about: str, unit: str = ""
) -> Parameter:
    """A whole number."""
    return Parameter(name, title, "int", unit, *bounds, default, about)


def number(
    name: str, title: str, bounds: tuple[float, float], default: float, about: str, unit: str = ""
) -> Parameter:
    """A number in its own unit."""
    return Parameter(name, title, "float", unit, *bounds, default, about)


def choice(name: str, title: str, choices: tuple[str, ...], default: str, about: str) -> Parameter:
    """One of a few words."""
    return Parameter(name, title, "choice", "", 0, 0, default, about, choices)


def rising(lesser: str, greater: str, message: str) -> Faults:
    """A fault unless one parameter is less than another."""

    def faults(params: Params) -> Iterable[tuple[str, str]]:
        if params[lesser] >= params[greater]:
            yield lesser, message

    return faults


FAST_BELOW_SLOW = rising("fast", "slow", "The fast average must be shorter than the slow one.")


def sign(gap: float, scale: float) -> int:
    """The direction of ``gap``; what is mere rounding at this price is none."""
    tie = STILL * scale
    return (gap > tie) - (gap < -tie)


class Crossing:
    """Tells the candle on which a value changes its side of a level; ties change nothing."""

    __slots__ = ("side",)

    def __init__(self) -> None:
        self.side = 0

    def update(self, side: int) -> int:
        before = self.side
        if side in (0, before):
            return 0
        self.side = side
        return side if before else 0
