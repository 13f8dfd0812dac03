"""What a backtest knows of an open position, and where its exits would fire."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from math import inf

from runner.engine import Engine
from runner.strategy.exits.base import ExitRule
from runner.strategy.spec import Holding

_NEVER = Decimal(1_000_000_000)


@dataclass
class Position:
    """An open position. ``decided_at``: opening time of the candle that decided it, seconds.

    ``best``: the most favourable price since; ``steps``: ladder steps taken; ``anchors``: what
    exits want to be reminded of, by kind.
    """

    side: int
    entry_price: Decimal
    decided_at: int
    opened_at: datetime
    best: Decimal | None = None
    steps: int = 0
    anchors: dict[str, Decimal] = field(default_factory=dict)

    def holding(self, candles: int, engine: Engine, *, anchored: bool) -> Holding:
        """As the exits see it, after so many closed candles."""
        plain = Holding(
            self.side,
            self.entry_price,
            candles,
            self.best,
            self.opened_at,
            self.steps,
            self.anchors,
        )
        if not anchored:
            return plain
        self.anchors = dict(engine.anchors(plain))
        return plain._replace(anchors=self.anchors)

    def note(self, price: Decimal) -> None:
        """The market was at this price."""
        if self.best is None or (price - self.best) * self.side > 0:
            self.best = price


@dataclass(frozen=True)
class Levels:
    """Prices at which something has to be looked at: ``worse`` against, ``better`` for it."""

    worse: Decimal | None
    better: Decimal | None

    def floats(self, side: int, half_spread: float) -> tuple[float, float]:
        """The middle prices between which nothing can fire, low and high, a hair too narrow."""
        worse = None if self.worse is None else float(self.worse)
        better = None if self.better is None else float(self.better)
        low, high = (worse, better) if side > 0 else (better, worse)
        # Who leaves a long position gets less than the middle, who leaves a short one pays more.
        shift = 1 + side * half_spread
        return (
            -inf if low is None else low * shift * (1 + 1e-9),
            inf if high is None else high * shift * (1 - 1e-9),
        )


def levels(engine: Engine, holding: Holding) -> Levels:
    """The nearest levels of the exits on either side."""
    worse = better = None
    for placed in engine.exits:
        level = placed.rule.level(holding)
        if level is None:
            continue
        if placed.rule.protective:
            if worse is None or (level - worse) * holding.side > 0:
                worse = level
        elif better is None or (level - better) * holding.side < 0:
            better = level
    return Levels(worse, better)


def moves(engine: Engine) -> bool:
    """Whether a level may change while a position is held: then it is asked for each candle."""
    return anchored(engine) or any(_moves(placed.rule) for placed in engine.exits)


def anchored(engine: Engine) -> bool:
    """Whether an exit wants a number kept with the position."""
    return any(type(placed.rule).anchor is not ExitRule.anchor for placed in engine.exits)


def calm(engine: Engine) -> bool:
    """Whether, between its levels, a position has nothing to fear but what the signals ask for."""
    return not moves(engine) and all(
        placed.rule.by_signals or type(placed.rule).level is not ExitRule.level
        for placed in engine.exits
    )


def moving(engine: Engine) -> list[bool]:
    """Of each exit, whether it remembers more of a position than its entry and its age."""
    return [
        _moves(placed.rule)
        or type(placed.rule).anchor is not ExitRule.anchor
        or type(placed.rule).steps is not ExitRule.steps
        for placed in engine.exits
    ]


def _moves(rule: ExitRule) -> bool:
    """Asked of two positions that differ in all that time changes."""
    if type(rule).level is ExitRule.level:
        return False
    if type(rule).update is not ExitRule.update:
        return True
    at = datetime(2026, 1, 1, tzinfo=UTC)
    young = Holding(1, Decimal(100), 0, None, at)
    old = Holding(1, Decimal(100), 10**6, _NEVER, at)
    return rule.level(young) != rule.level(old)
