"""What every exit answers, and the two kinds that watch a price level on each tick."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

from runner.strategy.spec import Bar, ComponentSpec, Holding, Params

ALL = Decimal(1)


class ExitRule:
    """A rule that ends a position, or a share of it. What it knows is in ``holding`` and bars."""

    spec: ClassVar[ComponentSpec]
    protective: ClassVar[bool] = False
    """Whether its level limits a loss, so that a stop at the venue may stand there."""
    by_signals: ClassVar[bool] = False
    """Whether it fires only while the signals ask for a side."""

    def __init__(self, params: Params) -> None: ...

    @classmethod
    def stands_at_once(cls, params: Params) -> bool:  # noqa: ARG003 - some wait for a gain
        """Whether it has a protective level from the moment of the entry on."""
        return cls.protective

    def update(self, bar: Bar) -> None:
        """Read a closed candle, each once and in order."""

    def level(self, holding: Holding) -> Decimal | None:  # noqa: ARG002 - some have none
        """The price at which it fires, where it has one just now; watched on every tick."""
        return None

    def anchor(self, holding: Holding) -> Decimal | None:  # noqa: ARG002 - few need one
        """A number to be kept with the position and handed back in ``holding.anchors``."""
        return None

    def check(self, holding: Holding, price: Decimal, direction: int) -> int:
        """1 to leave now, else 0; ``direction`` is what the signals now ask for (-1, 0, 1).

        ``price`` is for rules that have a level; the others judge by candles and signals alone.
        """
        raise NotImplementedError

    def share(self, holding: Holding, price: Decimal) -> Decimal:  # noqa: ARG002 - most leave whole
        """How much of what is held to leave, where it fired; 1 is all."""
        return ALL

    def steps(self, holding: Holding, price: Decimal) -> int:  # noqa: ARG002 - most have no steps
        """Ladder steps taken once it has fired."""
        return holding.steps

    def detail(self, holding: Holding, price: Decimal, direction: int) -> str:
        """Why it fires, or does not; asked for only when somebody reads."""
        raise NotImplementedError


class Stop(ExitRule):
    """Leaves where the price falls to a level, seen from the position's side."""

    protective = True
    waits: ClassVar[str] = "the stop has no level yet"

    def check(self, holding: Holding, price: Decimal, direction: int) -> int:  # noqa: ARG002 - one signature for all exits
        level = self.level(holding)
        return int(level is not None and (price - level) * holding.side <= 0)

    def detail(self, holding: Holding, price: Decimal, direction: int) -> str:
        level = self.level(holding)
        if level is None:
            return self.waits
        verb = "reached" if self.check(holding, price, direction) else "has not reached"
        return f"price {price:f} {verb} the stop {level:.8g}"


class Target(ExitRule):
    """Leaves where the price rises to a level, seen from the position's side."""

    def check(self, holding: Holding, price: Decimal, direction: int) -> int:  # noqa: ARG002 - one signature for all exits
        level = self.level(holding)
        return int(level is not None and (price - level) * holding.side >= 0)

    def detail(self, holding: Holding, price: Decimal, direction: int) -> str:
        level = self.level(holding)
        if level is None:
            return "no target is left"
        verb = "reached" if self.check(holding, price, direction) else "has not reached"
        return f"price {price:f} {verb} the target {level:.8g}"


def percent(params: Params, name: str) -> Decimal:
    """A parameter in percent as a share."""
    return Decimal(str(params[name])) / 100


def tighter(one: Decimal | None, other: Decimal | None, side: int) -> Decimal | None:
    """The level that leaves less to lose on ``side``."""
    if one is None or other is None:
        return other if one is None else one
    return max(one, other) if side > 0 else min(one, other)
