"""Hosts a strategy: a closed candle in, a conclusion with every reason out. Pure, no IO."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from runner.protocol import Candle, Verdict
from runner.strategy.registry import Placed, assemble, assemble_exits
from runner.strategy.spec import TIMEFRAMES, Bar, Holding, Reading


@dataclass(frozen=True)
class Conclusion:
    """What the strategy wants; ``action`` as in ``protocol.Decision``, direction -1, 0 or 1."""

    action: str
    reason: str
    direction: int
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class ExitCall:
    """A price-watching exit that fired between candles."""

    kind: str
    reason: str


class Engine:
    """One strategy on one symbol. Feed every closed candle once, oldest first."""

    def __init__(self, rules: dict[str, Any]) -> None:
        self._rules = rules
        self._components = assemble(rules)
        self._exits = assemble_exits(rules)
        self._combination = rules["combination"]
        self._sides = {"long": (1,), "short": (-1,), "both": (1, -1)}[rules["direction"]]
        self._only = rules["direction"]
        self.candle_seconds = TIMEFRAMES[rules["timeframe"]]
        self.last: datetime | None = None
        self._broken = False

    def warm(self, candles: list[Candle]) -> None:
        self._broken = False
        for candle in candles:
            if not is_absurd(candle):
                self._update(candle)

    def on_candle(self, candle: Candle, holding: Holding | None, blocked: str | None) -> Conclusion:
        """Judge a closed candle. ``blocked`` says why no entry is allowed now, if so.

        What the indicators would make of a gap or of numbers that cannot be is no decision:
        ``last`` is forgotten then, and the engine wants to be warmed anew.
        """
        unfit = self._unfit(candle)
        if unfit is not None:
            return Conclusion("none", unfit, 0, ())
        readings = self._update(candle)
        direction, scored = self._combine(readings)
        verdicts = [_verdict(placed, reading) for placed, reading in readings]
        fired: list[str] = []
        if holding is not None:
            for placed in self._exits:
                reading = placed.rule.check(holding, candle.close, direction)
                verdicts.append(Verdict(placed.kind, "exit", reading.value, reading.detail))
                if reading.value:
                    fired.append(reading.detail)
        if fired:
            return Conclusion("exit", "; ".join(fired), direction, tuple(verdicts))
        if holding is not None:
            return Conclusion("none", "no exit fired", direction, tuple(verdicts))
        reason = self._why_not(readings, direction, scored, blocked)
        if reason is not None:
            return Conclusion("none", reason, direction, tuple(verdicts))
        action = "enter_long" if direction > 0 else "enter_short"
        return Conclusion(action, scored, direction, tuple(verdicts))

    def on_price(self, holding: Holding, price: Decimal) -> ExitCall | None:
        """Check the exits that have a price level against the price one could leave at now."""
        for placed in self._exits:
            if placed.rule.level(holding) is None:
                continue
            reading = placed.rule.check(holding, price, 0)
            if reading.value:
                return ExitCall(placed.kind, reading.detail)
        return None

    def stop_price(self, holding: Holding) -> Decimal | None:
        """Where the stop loss sits, for the protective order at the venue."""
        for placed in self._exits:
            if placed.kind == "stop_loss":
                return placed.rule.level(holding)
        return None

    def _unfit(self, candle: Candle) -> str | None:
        """Why nothing can be concluded from this candle, if so."""
        missing = 0
        if self.last is not None:
            passed = int((candle.opened_at - self.last).total_seconds())
            missing = passed // self.candle_seconds - 1
        if is_absurd(candle):
            why = "this candle's numbers cannot be true"
        elif missing > 0:
            why = f"{missing} candles are missing before this one"
        elif self._broken:
            why = "candles before this one are missing or wrong"
        else:
            return None
        if not self._broken:
            self._broken, self.last = True, None
            self._components = assemble(self._rules)
        return f"{why}: no decision, the history is read again"

    def _update(self, candle: Candle) -> list[tuple[Placed, Reading]]:
        if self.last is not None and candle.opened_at <= self.last:
            raise ValueError(f"candle {candle.opened_at} is not newer than {self.last}")
        self.last = candle.opened_at
        bar = Bar(
            float(candle.open),
            float(candle.high),
            float(candle.low),
            float(candle.close),
            float(candle.volume),
        )
        return [(placed, placed.component.update(bar)) for placed in self._components]

    def _combine(self, readings: list[tuple[Placed, Reading]]) -> tuple[int, str]:
        """Direction the signals agree on, and the sum in words."""
        signals = [(p, r) for p, r in readings if p.role == "signal"]
        threshold = self._combination["threshold"]
        if any(reading.value is None for _, reading in signals):
            return 0, "signals are warming up"
        if self._combination["mode"] == "min_signals":
            up = sum(1 for _, r in signals if r.value == 1)
            down = sum(1 for _, r in signals if r.value == -1)
            direction = (up >= threshold and up > down) - (down >= threshold and down > up)
            said = f"{max(up, down)} of {len(signals)} signals agree, {threshold:g} needed"
            return direction, said
        score = sum(placed.weight * (reading.value or 0) for placed, reading in signals)
        direction = (score >= threshold) - (score <= -threshold)
        if direction:
            return direction, f"score {score:g} reached the threshold {threshold:g}"
        return 0, f"no signal reached the threshold {threshold:g} (score {score:g})"

    def _why_not(
        self,
        readings: list[tuple[Placed, Reading]],
        direction: int,
        scored: str,
        blocked: str | None,
    ) -> str | None:
        """Why no position is opened, in the order a reader would ask; ``None`` to enter."""
        if direction == 0:
            return scored
        if direction not in self._sides:
            return f"{scored}, but the strategy only trades {self._only}"
        for placed, reading in readings:
            if placed.role != "signal" and reading.value != 1:
                return f"{scored}, but {placed.kind} blocks: {reading.detail}"
        return f"{scored}, but {blocked}" if blocked else None


def _verdict(placed: Placed, reading: Reading) -> Verdict:
    return Verdict(placed.kind, placed.role, reading.value, reading.detail)


def is_absurd(candle: Candle) -> bool:
    """Whether the numbers contradict each other or are none."""
    prices = (candle.open, candle.high, candle.low, candle.close)
    if not all(price.is_finite() and price > 0 for price in prices):
        return True
    within = candle.low <= min(prices) and max(prices) <= candle.high
    return not within or not candle.volume.is_finite() or candle.volume < 0
