"""The book's changes: absolute sizes per price, in a chain that shows whether one is missing.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams,
pages Diff-Book-Depth-Streams and How-to-manage-a-local-order-book-correctly. The id of a state of
the book is its moment, as in the answers to requests.
"""

from __future__ import annotations

from typing import Any

from app.practice.book import LEVELS
from app.practice.market import Market
from app.practice.shapes import price_of, qty_of

SPEEDS = {"": 250, "100ms": 100, "500ms": 500}
_SLACK_MS = 20
"""A turn that comes a little early would otherwise cost a whole turn more."""
_Side = dict[int, int]


class DepthFeed:
    """What changed in the book since the last event, each ``speed`` milliseconds.

    What a snapshot showed meanwhile is told again whole: it may have held a state that came and
    went between two events, and whoever began from it would keep that for good.
    """

    def __init__(self, market: Market, speed: int, ms: int) -> None:
        self.symbol = market.instrument.symbol
        self._market = market
        self._speed = speed
        self._last = ms
        self._sides = (self._side(ms, asks=False), self._side(ms, asks=True))
        self._shown: set[tuple[bool, int]] = set()
        market.shown_to.append(self._shown)

    def close(self) -> None:
        self._market.shown_to = [one for one in self._market.shown_to if one is not self._shown]

    def events(self, ms: int) -> list[dict[str, Any]]:
        if ms - self._last < self._speed - _SLACK_MS:
            return []
        sides = (self._side(ms, asks=False), self._side(ms, asks=True))
        bids, asks = (self._changes(sides[n], asks=bool(n)) for n in (0, 1))
        before, self._last, self._sides = self._last, ms, sides
        self._shown.clear()
        return [
            {
                "e": "depthUpdate",
                "E": ms,
                "T": self._market.last(ms).time,
                "s": self.symbol,
                "U": before + 1,
                "u": ms,
                "pu": before,
                "b": bids,
                "a": asks,
            }
        ]

    def _side(self, ms: int, *, asks: bool) -> _Side:
        last = self._market.last(ms)
        levels = self._market.book.levels(last, ms, asks=asks, count=LEVELS)
        return {level.price: level.qty for level in levels}

    def _changes(self, side: _Side, *, asks: bool) -> list[list[str]]:
        before, one = self._sides[asks], self._market.instrument
        changed = {price for price, qty in side.items() if before.get(price) != qty}
        changed |= before.keys() - side.keys()
        changed |= {price for of_asks, price in self._shown if of_asks is asks}
        return [
            [price_of(one.symbol, one.price(at)), qty_of(one.symbol, one.qty(side.get(at, 0)))]
            for at in sorted(changed, reverse=not asks)
        ]
