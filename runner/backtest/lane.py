"""One symbol of a backtest on candles: its engine, its log, and the fast way through quiet times.

Nothing looks ahead, by construction: the engine is given candle after candle as each closes, what
it decides is sent at that moment, and the first picture an order can meet is the next candle's
opening. While nothing is sent, held at its levels or decided, candles pass without the account.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from functools import partial
from itertools import chain, repeat
from math import inf, nan

from runner.backtest.payments import Payments
from runner.backtest.position import Position, anchored, calm, levels, moves
from runner.backtest.request import Request
from runner.bars import is_sound
from runner.code.engine import engine_on_history
from runner.decision_log import DecisionLog
from runner.engine import STILL, Engine
from runner.history.columns import Columns
from runner.history.reading import History
from runner.step import Reason, Step
from runner.strategy import warmup
from runner.strategy.spec import Bar, Holding

_bar: Callable[[tuple[float, ...]], Bar] = partial(tuple.__new__, Bar)
_holding: Callable[[tuple[object, ...]], Holding] = partial(tuple.__new__, Holding)
_NONE: dict[str, Decimal] = {}
_NO_BAR = Bar(nan, nan, nan, nan, nan)
"""Stands after the last candle; nobody reads it."""


class Lane:
    """Walks the candles of one symbol. ``place`` is the candle that comes next."""

    def __init__(
        self,
        symbol: str,
        request: Request,
        history: History,
        first: int,
    ) -> None:
        rules, model = request.rules, request.model
        self.symbol = symbol
        self.columns: Columns = history.columns
        self.engine = engine_on_history(rules, symbol)
        self.span = self.engine.candle_seconds
        self.first = first
        self.place = first
        self.count = len(self.columns)
        self.half_spread = float(model.spread_percent) / 200
        self.position: Position | None = None
        self.step: Step | None = None
        self.ready_at = max(first, warmup(rules))
        self._need = warmup(rules)
        self.log = DecisionLog(components_of(self.engine))
        self.log.times = self.columns.times[first:]
        self.payments = Payments.of(model, history.funding)
        self._anchored, self._moves = anchored(self.engine), moves(self.engine)
        rates = self.payments.known(self.log.times, self.span)
        columns = (*self.columns.floats(first), map(float, self.log.times))
        self._bars: Iterator[Bar] = map(_bar, zip(*columns, rates, repeat(nan)))
        self._next: Bar = next(self._bars, _NO_BAR)
        self._calm = calm(self.engine)
        self._low, self._high = -inf, inf
        self._under, self._over = -inf, inf
        self._liquidation: Decimal | None = None

    def warm(self) -> None:
        """Read what lies before the period."""
        self.engine.warm(self.columns.candle(place) for place in range(self.first))

    def opens_at(self, place: int) -> int:
        """Seconds since the epoch."""
        return self.columns.times[place]

    def closes_at(self, place: int) -> datetime:
        """When a candle is complete, which is when the next one opens."""
        return moment(self.columns.times[place] + self.span)

    def price(self, column: array[int], place: int) -> Decimal:
        """An exact price of a candle."""
        return self.columns.price(column, place)

    # -- quiet times ----------------------------------------------------------------------------

    def idle(self) -> bool:
        """Pass candles until the strategy wants something; whether it does.

        ``place`` is the candle it wants it on.
        """
        on_bar, log, bars = self.engine.on_bar, self.log, self._bars
        append, code, known = log.codes.append, 0, list[int | None]()
        last: Reason | None = None
        for bar in chain((self._next,), bars):
            step = on_bar(bar)
            if step.code is last and step.values == known:
                append(code)
                continue
            code, last, known = log.code(step), step.code, step.values[:]
            append(code)
            if step.action:
                log.say(step)
                self.place, self.step = self.first + len(log) - 1, step
                self._next = next(bars, _NO_BAR)
                return True
            if last <= _BROKEN:
                self._begin_anew(self.first + len(log) - 1, bar)
        self.place, self.step = self.count, None
        return False

    def ride(self, until: int) -> bool:  # noqa: C901 - a call a candle would cost as much as its step
        """Pass candles while nothing can fire in them; whether the next one needs a closer look.

        Stops after the candle that closes at ``until`` or later, or at which the strategy leaves:
        ``step`` is set then.
        """
        assert self.position is not None
        position, times, span = self.position, self.columns.times, self.span
        ends, decided, self.step = until - span, position.decided_at, None
        side, cost, steps, opened = (
            position.side,
            position.entry_price,
            position.steps,
            position.opened_at,
        )
        upward, best = side > 0, None if position.best is None else float(position.best)
        on_bar, log, plain = self.engine.on_bar, self.log, not self._anchored
        append, code, known = log.codes.append, 0, list[int | None]()
        last: Reason | None = None
        low, high, bar, bars = self._low, self._high, self._next, self._bars
        under, over = (self._under, self._over) if self._calm else (inf, -inf)
        for place in range(self.place, self.count):
            if bar.low <= low or bar.high >= high:
                return True
            reach = bar.high if upward else bar.low
            if best is None or (reach > best if upward else reach < best):
                if self._moves:  # a level may follow the price within this very candle
                    return True
                best = reach
                column = self.columns.highs if upward else self.columns.lows
                position.best = self.price(column, place)
            at = times[place]
            holding: Holding | None = STILL
            if not under < bar.close < over:
                seen = (side, cost, (at - decided) // span, position.best, opened, steps, _NONE)
                holding = _holding(seen) if plain else self.holding(place)
            step = on_bar(bar, holding)
            if holding is STILL and step.direction:
                step = self._asked(place, bar)
            # As long as it holds, no exit has fired: there is nothing else to compare.
            if step.code is not last or step.values != known:
                code, last, known = log.code(step), step.code, step.values[:]
                if last <= _BROKEN:
                    self._begin_anew(place, bar)
            append(code)
            self.place, self._next = place + 1, (bar := next(bars, _NO_BAR))
            if step.action or at >= ends:
                if step.action:
                    log.say(step)
                self.step = step
                return False
            if self._moves:
                self.watch(self._liquidation)
                low, high = self._low, self._high
        return False

    def _asked(self, place: int, bar: Bar) -> Step:
        holding = self.holding(place)
        assert holding is not None
        return self.engine.hold(bar, holding)

    def close(self) -> Step:
        """Judge the next candle as it closes, with the position there is."""
        place, bar = self.place, self._next
        self._next = next(self._bars, _NO_BAR)
        step = self.engine.on_bar(bar, self.holding(place))
        self.log.note(step)
        if step.code <= _BROKEN:
            self._begin_anew(place, bar)
        self.place = place + 1
        return step

    def holding(self, place: int) -> Holding | None:
        """The position as exits see it when a candle closes."""
        position = self.position
        if position is None:
            return None
        age = (self.columns.times[place] - position.decided_at) // self.span
        return position.holding(max(age, 0), self.engine, anchored=self._anchored)

    def watch(self, liquidation: Decimal | None) -> None:
        """Work out between which prices nothing can fire."""
        assert self.position is not None
        self._liquidation = liquidation
        holding = self.holding(min(self.place, self.count - 1))
        assert holding is not None
        side = self.position.side
        found = levels(self.engine, holding)
        self._low, self._high = found.floats(side, self.half_spread)
        # Exits compare the close itself with their level.
        self._under, self._over = found.floats(side, 0.0)
        if liquidation is not None:
            price = float(liquidation)
            if side > 0:
                self._low = max(self._low, price)
            else:
                self._high = min(self._high, price)

    def _begin_anew(self, place: int, bar: Bar) -> None:
        """The history before this candle is of no use; the engine reads on from it."""
        self.engine.warm(())
        if is_sound(bar):
            self.engine.on_bar(bar)
        self.ready_at = place + self._need


_BROKEN = Reason.BROKEN


def components_of(engine: Engine) -> tuple[tuple[str, str], ...]:
    """Kind and role of what speaks in a log, in the order it speaks."""
    said = [(placed.kind, placed.role) for placed in engine.components]
    return (*said, *((placed.kind, "exit") for placed in engine.exits))


def moment(seconds: int) -> datetime:
    """A time of its seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC)
