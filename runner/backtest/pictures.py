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

    def around(self, middle: Decimal) -> Book:
        """The book while the market trades at ``middle``."""
        return Book(
            self._side(middle * (1 - self.half), Side.SELL),
            self._side(middle * (1 + self.half), Side.BUY),
        )

    def leaving(self, price: Decimal, side: int) -> Book:
        """The book in which a position of this side can be left at ``price`` at best."""
        wide = 1 + side * 2 * self.half
        bid, ask = (price, price * wide) if side > 0 else (price * wide, price)
        return Book(self._side(bid, Side.SELL), self._side(ask, Side.BUY))

    def closing(self, middle: Decimal, side: int) -> Decimal:
        """What a position of this side gets while the market trades at ``middle``."""
        return middle * (1 - side * self.half)

    def _side(self, touch: Decimal, taker: Side) -> tuple[Level, ...]:
        """What a taker of this side meets."""
        tick, away = self._instrument.tick, 1 if taker is Side.BUY else -1
        rounding = ROUND_CEILING if away > 0 else ROUND_FLOOR
        first = int((touch / tick).to_integral_value(rounding))
        between = max(int((touch * self._step / tick).to_integral_value(ROUND_CEILING)), 1)
        quantity = self._instrument.round_quantity(self._model.depth / touch)
        quantity = max(quantity, self._instrument.step)
        last = first + away * between * self._model.levels
        places = range(first, last, away * between)
        return tuple((place * tick, quantity) for place in places if place > 0)
