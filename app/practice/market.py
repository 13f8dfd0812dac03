"""What everyone can see of one instrument: candles, tape, book, mark price, funding rate."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from functools import lru_cache

from app.practice.book import Book
from app.practice.gaps import Gap, GappedPath
from app.practice.instruments import FUNDING_HOURS, LISTED_MS, Instrument
from app.practice.path import SPANS, Candle, Path, Trade, merge

INTERVALS = {"1s": 1, "1m": 60, "5m": 300, "15m": 900, "1h": 3600, "4h": 14_400, "1d": 86_400}
FUNDING_MS = FUNDING_HOURS * 3_600_000
_MARK_SECONDS = 5
_INTEREST_MS = 6 * 3_600_000


class Market:
    """One instrument's public side. ``ms`` is always Unix milliseconds, passed in by the caller."""

    def __init__(self, instrument: Instrument, seed: int):
        self.instrument = instrument
        path = Path(seed, instrument.symbol, instrument.anchor, instrument.daily_volume)
        self.path = GappedPath(path, instrument.anchor)
        self.book = Book(seed, instrument)
        self.shown_to: list[set[tuple[bool, int]]] = []
        # Every account with a position asks for it ten times a second.
        self._mark = lru_cache(maxsize=16)(self._mean_close)

    def gap(self, *gaps: Gap) -> None:
        """Let the price jump; gaps must lie in the future of whoever looks."""
        self.path.add(*gaps)
        self._mark.cache_clear()

    def last(self, ms: int) -> Trade:
        """The latest print at or before ``ms``."""
        second = ms // 1000
        earlier = [trade for trade in self.path.trades(second) if trade.time <= ms]
        return earlier[-1] if earlier else self.path.trades(second - 1)[-1]

    def tape(self, after: int, until: int) -> Iterator[Trade]:
        """Prints with ``after < time <= until``, oldest first."""
        for second in range(after // 1000, until // 1000 + 1):
            for trade in self.path.trades(second):
                if after < trade.time <= until:
                    yield trade

    def recent(self, count: int, ms: int) -> list[Trade]:
        """The last ``count`` prints up to ``ms``, oldest first."""
        found: list[Trade] = []
        second = ms // 1000
        while len(found) < count and second * 1000 >= LISTED_MS:
            found[:0] = [one for one in self.path.trades(second) if one.time <= ms]
            second -= 1
        return found[-count:]

    def note_shown(self, price: int, *, asks: bool) -> None:
        """A snapshot of the book showed this price; those who tell of its changes keep note."""
        for shown in self.shown_to:
            shown.add((asks, price))

    def mark(self, ms: int) -> Decimal:
        """The mark price: the mean of the last closes, so that one print cannot liquidate."""
        return self._mark(ms // 1000)

    def _mean_close(self, second: int) -> Decimal:
        total = sum(self.path.second(second - k).close for k in range(1, _MARK_SECONDS + 1))
        return self.instrument.tick * total / _MARK_SECONDS

    def funding_rate(self, ms: int) -> Decimal:
        """The rate to be paid at the next funding time after ``ms``; longs pay when positive."""
        period = ms // FUNDING_MS
        return Decimal(f"{0.0001 + 0.0003 * self.path.noise('funding', period / 3):.8f}")

    def public_interest(self, ms: int) -> Decimal:
        """Contracts open among the public, in base units: most of a day's volume, ever changing."""
        share = 0.6 + 0.2 * self.path.noise("interest", ms / _INTEREST_MS)
        return self.instrument.qty(round(self.instrument.daily_volume * share))

    def candle(self, interval: str, opened: int, ms: int) -> Candle:
        """The candle that opened at second ``opened``, unfinished if it lasts beyond ``ms``.

        Its first print must have happened by ``ms``: before that there is no candle.
        """
        span = INTERVALS[interval]
        level = SPANS.index(span)
        if (opened + span) * 1000 <= ms:
            return self.path.candle(level, opened // span)
        return merge(self._parts(level, opened // span, ms))

    def since(self, second: int, ms: int) -> Candle:
        """Everything from ``second`` (the start of a minute) to ``ms``, as one candle."""
        minute = SPANS.index(60)
        now = ms // 60_000
        whole = [self.path.candle(minute, one) for one in range(second // 60, now)]
        return merge(whole + self._parts(minute, now, ms))

    def _parts(self, level: int, index: int, ms: int) -> list[Candle]:
        """Finished pieces of an unfinished candle, the longest first, then the prints of now."""
        if level == len(SPANS) - 1:
            return [_print(one) for one in self.path.trades(index) if one.time <= ms]
        inner = SPANS[level + 1]
        current = ms // 1000 // inner
        start = index * SPANS[level] // inner
        whole = [self.path.candle(level + 1, one) for one in range(start, current)]
        return whole + self._parts(level + 1, current, ms)


def _print(trade: Trade) -> Candle:
    """A single print as a candle, to be merged with others."""
    price, value = trade.price, trade.price * trade.qty
    if trade.seller:
        return Candle(price, price, price, price, 0, trade.qty, 0, value, 1)
    return Candle(price, price, price, price, trade.qty, 0, value, 0, 1)
