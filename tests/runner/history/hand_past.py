"""A venue's past, written by hand: some candles it never had, some it forgets once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from runner.protocol import Candle
from runner.strategy.spec import TIMEFRAMES

JULY = datetime(2026, 7, 1, tzinfo=UTC)


def candle(at, base="100.10"):
    """Different numbers at each time, so that a mix-up shows."""
    price = Decimal(base) + Decimal(int(at.timestamp()) // 60 % 97) / 100
    low, high = price - Decimal("0.25"), price + Decimal("0.5")
    return Candle(at, price, high, low, price + Decimal("0.125"), Decimal("1.5"))


class HandPast:
    """``never``: times without candle; ``forgets``: times left out in the first answer only."""

    def __init__(self, never=(), forgets=(), until=None):
        self.never, self.forgets, self.until = set(never), set(forgets), until
        self.requests = []

    async def past(self, symbol, timeframe, since, limit):
        self.requests.append((since, limit))
        span = timedelta(seconds=TIMEFRAMES[timeframe])
        times = [since + span * n for n in range(limit)]
        there = [
            t
            for t in times
            if t not in self.never
            and t not in self.forgets
            and (self.until is None or t < self.until)
        ]
        self.forgets -= set(times)
        return [candle(t) for t in there]
