"""The book a backtest on candles has to make up: a spread and a depth around one price."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from runner.backtest.request import Model
from runner.exchange.base import Book, Instrument, Level
from runner.protocol import Side

HUNDRED = Decimal(100)


class Pictures:
    """Books of one instrument. Prices are on the tick, rounded against who takes."""

    def __init__(self, model: Model, instrument: Instrument) -> None:
        self._model = model
        self._instrument = instrument
        self.half = model.spread_percent / HUNDRED / 2
        self._step = model.step_percent / HUNDRED

    def around(self, middle: Decimal, taker: Side) -> Book:
        """The book while the market trades at ``middle``; in depth on the side ``taker`` meets."""
        buying = taker is Side.BUY
        return Book(
            self._side(middle * (1 - self.half), Side.SELL, 1 if buying else self._model.levels),
            self._side(middle * (1 + self.half), Side.BUY, self._model.levels if buying else 1),
        )

    def leaving(self, price: Decimal, side: int) -> Book:
        """The book in which a position of this side can be left at ``price`` at best."""
        wide = 1 + side * 2 * self.half
        bid, ask = (price, price * wide) if side > 0 else (price * wide, price)
        below, above = (self._model.levels, 1) if side > 0 else (1, self._model.levels)
        return Book(self._side(bid, Side.SELL, below), self._side(ask, Side.BUY, above))

    def closing(self, middle: Decimal, side: int) -> Decimal:
        """What a position of this side gets while the market trades at ``middle``."""
        return middle * (1 - side * self.half)

    def _side(self, touch: Decimal, taker: Side, levels: int) -> tuple[Level, ...]:
        """What a taker of this side meets."""
        tick, away = self._instrument.tick, 1 if taker is Side.BUY else -1
        rounding = ROUND_CEILING if away > 0 else ROUND_FLOOR
        first = int((touch / tick).to_integral_value(rounding))
        quantity = self._instrument.round_quantity(self._model.depth / touch)
        quantity = max(quantity, self._instrument.step)
        if levels == 1:
            return ((first * tick, quantity),)
        between = max(int((touch * self._step / tick).to_integral_value(ROUND_CEILING)), 1)
        last = first + away * between * levels
        places = range(first, last, away * between)
        return tuple([(place * tick, quantity) for place in places if place > 0])
