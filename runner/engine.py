"""Hosts a strategy: a closed candle in, a conclusion with every reason out. Pure, no IO."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from math import inf
from typing import Any

from runner.bars import bar_of, is_sound
from runner.protocol import Candle
from runner.rates import UNKNOWN, Rates
from runner.sizing import AtrDistance
from runner.step import EXIT, NOTHING, Conclusion, ExitCall, Reason, Step, concluded
from runner.strategy.combination import Combination
from runner.strategy.components.external import ExternalDirection, Heard
from runner.strategy.exits.base import ExitRule, tighter
from runner.strategy.folding import Fold
from runner.strategy.registry import assemble, assemble_exits
from runner.strategy.spec import TIMEFRAMES, Bar, Holding

_SIDES = {"long": (1,), "short": (-1,), "both": (1, -1)}
# Bound once, as a member of an enumeration costs a look-up in its class at each candle.
_WARMING_UP, _NO_SIGNAL, _OTHER_SIDE = Reason.WARMING_UP, Reason.NO_SIGNAL, Reason.OTHER_SIDE
_FILTERED, _BLOCKED, _ENTERS = Reason.FILTERED, Reason.BLOCKED, Reason.ENTERS
_NO_PRICE = Decimal("NaN")
"""For exits without a level: comparing with it raises."""
_HOLDS, _LEAVES = Reason.HOLDS, Reason.LEAVES
STILL = Holding(0, Decimal("NaN"), 0, None, datetime.min.replace(tzinfo=UTC))
"""Stands for a position none of whose exits can fire unless the signals ask for something."""


class Engine:
    """One strategy on one symbol. Feed every closed candle once, oldest first."""

    _assemble, _assemble_exits = staticmethod(assemble), staticmethod(assemble_exits)
    _combination: Callable[..., Combination] = Combination

    def __init__(self, rules: dict[str, Any]) -> None:
        self._rules = rules
        self.candle_seconds = TIMEFRAMES[rules["timeframe"]]
        self._span = float(self.candle_seconds)
        self._sides = _SIDES[rules["direction"]]
        self._broken = False
        self._begin()

    def _begin(self) -> None:
        """Fresh components that have seen nothing yet."""
        rules = self._rules
        self._due: float | None = None
        self.components = self._assemble(rules)
        self.exits = self._assemble_exits(rules)
        weights = [p.weight for p in self.components if p.role == "signal"]
        combination = self._combination(rules["combination"], weights)
        self._judge = combination.judge
        self._step = Step(self.components, self.exits, combination, rules["direction"])
        self._values = self._step.values
        placed = list(enumerate(self.components))
        self._conditions = [(n, it.directional) for n, it in placed if it.role != "signal"]
        self._listeners = [
            (place, it.component, it.role == "signal")
            for place, it in placed
            if isinstance(it.component, ExternalDirection)
        ]
        # Making a decimal of each close would cost more than all other exits together.
        self._priced = any(type(p.rule).level is not ExitRule.level for p in self.exits)
        self._checks = [placed.rule.check for placed in self.exits]
        self._unfired = [0] * len(self.exits)
        self._size_by = AtrDistance(rules["sizing"])
        self._wire()

    def _wire(self) -> None:
        """Who reads which candles."""
        base = self.candle_seconds
        self._updates = [
            (place, placed.component.update)
            for place, placed in enumerate(self.components)
            if placed.seconds == base
        ]
        # Most exits read no candles, and a call that does nothing costs as much as one that does.
        reading = [p for p in self.exits if type(p.rule).update is not ExitRule.update]
        self._readers: list[Callable[[Bar], object]] = [
            placed.rule.update for placed in reading if placed.seconds == base
        ]
        if self._size_by.atr is not None:
            self._readers.append(self._size_by.update)
        lengths = [p.seconds for p in self.components] + [p.seconds for p in self.exits]
        self._folds = [
            (
                Fold(seconds, base),
                [
                    (i, p.component.update)
                    for i, p in enumerate(self.components)
                    if p.seconds == seconds
                ],
                [p.rule.update for p in reading if p.seconds == seconds],
            )
            for seconds in sorted(set(lengths) - {base})
        ]
        self._slow = bool(self._readers or self._folds)

    @property
    def last(self) -> datetime | None:
        """Opening time of the newest candle read; ``None`` before, and after a gap."""
        if self._due is None:
            return None
        return datetime.fromtimestamp(self._due - self._span, UTC)

    def warm(self, candles: Iterable[Candle]) -> None:
        """Read history; what cannot be true of it is left out."""
        self._broken = False
        for candle in candles:
            bar = bar_of(candle)
            if is_sound(bar):
                self._require_newer(bar)
                self._read(bar)

    def on_candle(
        self,
        candle: Candle,
        holding: Holding | None,
        blocked: str | None,
        rates: Rates = UNKNOWN,
    ) -> Conclusion:
        """Judge a closed candle, with all its words. See ``on_bar``."""
        return concluded(self.on_bar(bar_of(candle, *rates), holding, blocked))

    def hear(self, heard: Heard | None, now: datetime) -> None:
        """Tell the components that listen what was said last outside; ``None`` for nothing."""
        for place, component, spendable in self._listeners:
            self._values[place] = component.hear(heard, now, spendable=spendable)

    def judge_again(self, last: Candle, holding: Holding | None, blocked: str | None) -> Conclusion:
        """Judge the last candle read once more: somebody outside has said something since."""
        step = self._step
        step.direction = direction = self._judge(self._values)
        if holding is not None:
            self._hold(step, holding, bar_of(last))
            return concluded(step)
        step.fired, step.action = None, NOTHING
        if direction:
            self._enter(step, direction, blocked)
        else:
            step.code = _WARMING_UP if direction is None else _NO_SIGNAL
        return concluded(step)

    def on_bar(self, bar: Bar, holding: Holding | None = None, blocked: str | None = None) -> Step:
        """Judge a closed candle. ``blocked`` says why no entry is allowed now, if so.

        What the indicators would make of a gap or of numbers that cannot be is no decision:
        ``last`` is forgotten then, and the engine wants to be warmed anew. With ``STILL`` for the
        position no exit is asked: where the step has a direction, ``hold`` is to be.
        """
        opening, high, low, close, volume, at, _, _ = bar
        step = self._step
        if not (  # ``is_sound``, written out: a call a candle costs as much as the rest here
            at == self._due
            and 0.0 < low <= opening <= high < inf
            and low <= close <= high
            and 0.0 <= volume < inf
        ) and self._is_unfit(bar):
            return self._step
        self._due = at + self._span
        values = self._values
        for place, update in self._updates:
            values[place] = update(bar)
        if self._slow:
            self._read_further(bar)
        step.direction = direction = self._judge(values)
        if holding is STILL:
            step.fired, step.action, step.code = self._unfired, NOTHING, _HOLDS
            return step
        if holding is not None:
            self._hold(step, holding, bar)
            return step
        step.fired, step.action = None, NOTHING
        if not direction:
            step.code = _WARMING_UP if direction is None else _NO_SIGNAL
        else:
            self._enter(step, direction, blocked)
        return step

    def hold(self, bar: Bar, holding: Holding) -> Step:
        """Ask the exits about the candle that was judged last."""
        self._hold(self._step, holding, bar)
        return self._step

    def on_price(self, holding: Holding, price: Decimal) -> ExitCall | None:
        """Check the exits that have a price level against the price one could leave at now."""
        for placed in self.exits:
            rule = placed.rule
            if rule.level(holding) is None or not rule.check(holding, price, 0):
                continue
            return ExitCall(
                placed.kind,
                rule.detail(holding, price, 0),
                rule.share(holding, price),
                rule.steps(holding, price),
            )
        return None

    def stop_price(self, holding: Holding) -> Decimal | None:
        """The tightest level that limits the loss, for the protective order at the venue."""
        stop = None
        for placed in self.exits:
            if placed.rule.protective:
                stop = tighter(stop, placed.rule.level(holding), holding.side)
        return stop

    def anchors(self, holding: Holding) -> Mapping[str, Decimal]:
        """What exits want to be reminded of in ``holding.anchors``.

        Ask once the position is open and before each candle.
        """
        found = {placed.kind: placed.rule.anchor(holding) for placed in self.exits}
        return {kind: value for kind, value in found.items() if value is not None}

    @property
    def risk_distance(self) -> Decimal | None:
        """How far a position sized by ATR may lose, in quote currency; ``None`` if unknown."""
        return self._size_by.distance

    def _read(self, bar: Bar) -> None:
        self._due = bar.at + self._span
        for place, update in self._updates:
            self._values[place] = update(bar)
        self._read_further(bar)

    def _read_further(self, bar: Bar) -> None:
        """What exits, sizing and higher time frames make of a candle."""
        values = self._values
        for read in self._readers:
            read(bar)
        for fold, updates, readers in self._folds:
            for higher in fold.add(bar):
                for place, update in updates:
                    values[place] = update(higher)
                for read in readers:
                    read(higher)

    def _enter(self, step: Step, direction: int, blocked: str | None) -> None:
        if direction not in self._sides:
            step.code = _OTHER_SIDE
            return
        values = self._values
        for place, directional in self._conditions:
            if values[place] != (direction if directional else 1):
                step.code, step.blocker = _FILTERED, place
                return
        if blocked:
            step.code, step.blocked = _BLOCKED, blocked
            return
        step.code, step.action = _ENTERS, direction

    def _hold(self, step: Step, holding: Holding, bar: Bar) -> None:
        step.holding, step.close, direction = holding, bar.close, step.direction or 0
        price = step.price if self._priced else _NO_PRICE
        step.fired = fired = [check(holding, price, direction) for check in self._checks]
        if 1 in fired:
            step.action, step.code = EXIT, _LEAVES
        else:
            step.action, step.code = NOTHING, _HOLDS

    def _is_unfit(self, bar: Bar) -> bool:
        """Whether nothing can be concluded from this candle; then the step says why."""
        step, due = self._step, self._due
        sound, missing = is_sound(bar), 0
        if due is not None and sound:
            self._require_newer(bar)
            missing = int((bar.at - due) // self._span)
        if not sound:
            code = Reason.NOT_TRUE
        elif missing > 0:
            code = Reason.GAP
        elif self._broken:
            code = Reason.BROKEN
        else:
            return False
        if not self._broken:
            self._broken = True
            self._begin()
            step = self._step
        step.action, step.code, step.direction, step.fired = NOTHING, code, None, None
        step.missing = missing
        return True

    def _require_newer(self, bar: Bar) -> None:
        if self._due is not None and bar.at < self._due:
            opened = datetime.fromtimestamp(bar.at, UTC)
            raise ValueError(f"candle {opened} is not newer than {self.last}")
