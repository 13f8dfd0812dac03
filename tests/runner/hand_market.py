"""Hand-made public data for the paper broker, and a clock that stands still."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from runner.exchange.base import Book, Funding, Instrument, PublicTrade
from runner.protocol import Side

SYMBOL = "BTC/USDT:USDT"
START = datetime(2026, 11, 23, 9, tzinfo=UTC)
BTC = Instrument(
    symbol=SYMBOL,
    quote="USDT",
    tick=Decimal("0.1"),
    step=Decimal("0.001"),
    min_quantity=Decimal("0.001"),
    min_notional=Decimal(5),
    taker_fee=Decimal("0.0004"),
    maker_fee=Decimal("0.0002"),
)


class StillClock:
    def __init__(self):
        self.at = START

    def now(self):
        return self.at

    def monotonic(self):
        return self.at.timestamp()

    def advance(self, seconds=1):
        self.at += timedelta(seconds=seconds)

    def wake(self):
        pass

    async def sleep(self, seconds):
        self.advance(seconds)
        await asyncio.sleep(0)


class HandMarket:
    """A market whose book and tape are written down by the test."""

    symbol = SYMBOL

    def __init__(self, clock, bids, asks):
        self.clock = clock
        self.tape = []
        self.rate = Funding(Decimal("0.0001"), START + timedelta(hours=7))
        self.set(bids, asks)

    def set(self, bids, asks):
        self._book = Book(
            *(tuple((Decimal(str(p)), Decimal(str(q))) for p, q in side) for side in (bids, asks))
        )

    @property
    def now(self):
        return self._book

    def print(self, price, quantity=1, side=None):
        """A trade of the public; ``side`` is its taker's."""
        at, side = self.clock.now(), None if side is None else Side(side)
        self.tape.append(PublicTrade(at, Decimal(str(price)), Decimal(str(quantity)), side))

    def instrument(self, symbol):
        return BTC

    async def time(self):
        return self.clock.now()

    async def candles(self, symbol, timeframe, limit):
        return []

    async def book(self, symbol, depth=100):
        return self._book

    async def trades(self, symbol):
        return list(self.tape)

    async def mark(self, symbol):
        return self._book.middle

    async def funding(self, symbol):
        return self.rate

    async def open_interest(self, symbol):
        return Decimal(1000)
