"""The order book of the simulated crowd: seeded depth around the last print that replenishes."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from app.practice.instruments import Instrument
from app.practice.path import Trade

LEVELS = 1000
_REDRAWN_MS = 4000  # how long a level keeps its drawn size
REFILL_MS = 6000  # how long a level needs to refill what was taken
_MASK = (1 << 64) - 1


class Level(NamedTuple):
    """A price in ticks and what is on offer there in steps."""

    price: int
    qty: int


def _mixed(value: int) -> int:
    """One round of splitmix64, a public-domain mixing function (S. Vigna)."""
    value = (value + 0x9E3779B97F4A7C15) & _MASK
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & _MASK
    return value ^ (value >> 31)


class Book:
    """Bids and asks of everybody else. What a taker takes is missing until it has refilled."""

    def __init__(self, seed: int, instrument: Instrument):
        self._seed = _mixed(seed ^ int.from_bytes(instrument.symbol.encode(), "big") & _MASK)
        self._instrument = instrument
        self._taken: dict[tuple[bool, int], tuple[int, int]] = {}

    def best(self, last: Trade) -> tuple[int, int]:
        """Best bid and best ask in ticks: one tick apart, the last print being one of them."""
        return (last.price, last.price + 1) if last.seller else (last.price - 1, last.price)

    def levels(self, last: Trade, ms: int, *, asks: bool, count: int = LEVELS) -> Iterator[Level]:
        """Up to ``count`` levels with something on offer, best first."""
        bid, ask = self.best(last)
        grid = self._instrument.grid
        price = ask if asks else bid
        for _ in range(count):
            qty = self.on_offer(price, last, ms, asks=asks)
            if qty > 0:
                yield Level(price, qty)
            price = (price // grid + 1) * grid if asks else (price - 1) // grid * grid
            if price <= 0:
                return

    def on_offer(self, price: int, last: Trade, ms: int, *, asks: bool) -> int:
        """Steps at ``price``, less what takers took and has not refilled yet; never negative."""
        best = self.best(last)[asks]
        distance = price - best if asks else best - price
        if distance < 0 or (distance and price % self._instrument.grid):
            return 0
        # Each level is drawn anew at a moment of its own, so that the book breathes.
        drawing = (ms + price * 977 % _REDRAWN_MS) // _REDRAWN_MS
        drawn = _mixed(self._seed ^ _mixed(price * 2 + asks) ^ drawing)
        uniform = (drawn >> 11) / (1 << 53)
        deeper = 1 + 0.1 * min(distance // self._instrument.grid, 60)
        full = math.ceil(self._instrument.depth * (0.1 - math.log1p(-uniform)) * deeper)
        return max(0, full - self._missing(price, ms, asks=asks))

    def walk(self, last: Trade, ms: int, qty: int, *, asks: bool, limit: int | None) -> list[Level]:
        """What a taker of ``qty`` steps would get, level by level, no worse than ``limit``."""
        fills: list[Level] = []
        for level in self.levels(last, ms, asks=asks):
            beyond = limit is not None and (level.price > limit if asks else level.price < limit)
            if qty <= 0 or beyond:
                break
            fills.append(Level(level.price, min(qty, level.qty)))
            qty -= fills[-1].qty
        return fills

    def take(self, price: int, qty: int, ms: int, *, asks: bool) -> None:
        """Note that ``qty`` steps at ``price`` are gone."""
        missing = self._missing(price, ms, asks=asks)
        self._taken[asks, price] = (missing + qty, ms)
        if len(self._taken) > 4 * LEVELS:
            self._taken = {
                key: (amount, at)
                for key, (amount, at) in self._taken.items()
                if at > ms - REFILL_MS
            }

    def _missing(self, price: int, ms: int, *, asks: bool) -> int:
        amount, at = self._taken.get((asks, price), (0, ms))
        left = max(0, REFILL_MS - (ms - at))
        return -(-amount * left // REFILL_MS)
