"""The price path: a pure function of (seed, symbol, second), built from the day down to the trade.

A day's open, high, low and close come from smooth noise; every candle is then divided into the
next shorter ones so that these aggregate to it exactly, down to the single trades of a second.
Any stretch of history therefore costs only what is looked at, nothing is stored, and a restart
continues the same path. Prices are whole ticks, quantities whole steps, times Unix seconds.
"""

from __future__ import annotations

import hashlib
import math
import random
from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate, pairwise
from typing import NamedTuple

# Seconds per candle on the way down; each divides the one before.
SPANS = (86_400, 14_400, 3_600, 900, 300, 60, 1)
DAY = SPANS[0]
_TRADES_PER_SECOND = 7
# Swings of the daily price: (period in days, log amplitude).
_SWINGS = ((29, 0.14), (11, 0.08), (4, 0.045), (1.7, 0.025))


class Candle(NamedTuple):
    """Prices in ticks, volumes in steps, values in ticks times steps; split by the taker's side."""

    open: int
    high: int
    low: int
    close: int
    bought: int
    sold: int
    bought_value: int
    sold_value: int
    trades: int


class Trade(NamedTuple):
    """One print on the tape: Unix milliseconds, ticks, steps, and whether the taker sold."""

    id: int
    time: int
    price: int
    qty: int
    seller: bool


def merge(candles: Sequence[Candle]) -> Candle:
    """The candle that spans all of ``candles`` (at least one, in order of time)."""
    return Candle(
        candles[0].open,
        max(one.high for one in candles),
        min(one.low for one in candles),
        candles[-1].close,
        sum(one.bought for one in candles),
        sum(one.sold for one in candles),
        sum(one.bought_value for one in candles),
        sum(one.sold_value for one in candles),
        sum(one.trades for one in candles),
    )


def share(total: int, weights: Sequence[float]) -> list[int]:
    """Divide ``total`` into whole parts in proportion to ``weights``; the parts add up to it."""
    scale = sum(weights)
    marks = [0, *(round(total * at / scale) for at in accumulate(weights))]
    marks[-1] = total
    return [after - before for before, after in pairwise(marks)]


def _smooth(share_of_way: float) -> float:
    return share_of_way * share_of_way * (3 - 2 * share_of_way)


class Path:
    """The path of one instrument; ``anchor`` in ticks, ``daily_volume`` in steps."""

    def __init__(self, seed: int, symbol: str, anchor: int, daily_volume: int):
        self._name = f"{seed}:{symbol}"
        self._anchor = anchor
        self._volume = daily_volume
        # Looking at a candle costs its ancestors; neighbours share them.
        self._divided = lru_cache(maxsize=8192)(self._divide)
        self.trades = lru_cache(maxsize=4096)(self._trades)

    def candle(self, level: int, index: int) -> Candle:
        """Candle number ``index`` since the epoch at ``SPANS[level]``."""
        if level == 0:
            return self._day(index)
        parts = SPANS[level - 1] // SPANS[level]
        return self._divided(level, index // parts)[index % parts]

    def second(self, second: int) -> Candle:
        return self.candle(len(SPANS) - 1, second)

    def _random(self, *key: object) -> random.Random:
        """A generator that depends on its name alone, on every machine and Python."""
        name = ":".join([self._name, *map(str, key)])
        digest = hashlib.blake2b(name.encode(), digest_size=8).digest()
        return random.Random(int.from_bytes(digest, "big"))  # noqa: S311  (weather, not secrets)

    def noise(self, name: str, at: float) -> float:
        """Smooth noise in [-1, 1] with a knot at every whole number."""
        whole = math.floor(at)
        left, right = (self._random(name, whole + k).uniform(-1, 1) for k in (0, 1))
        return left + (right - left) * _smooth(at - whole)

    def _level(self, day: int) -> int:
        swing = sum(
            amplitude * self.noise(f"swing{k}", day / period)
            for k, (period, amplitude) in enumerate(_SWINGS)
        )
        return round(self._anchor * math.exp(swing))

    @lru_cache(maxsize=2048)  # noqa: B019  (a path lives as long as its process)
    def _day(self, day: int) -> Candle:
        rng = self._random("day", day)
        first, last = self._level(day), self._level(day + 1)
        high = round(max(first, last) * (1 + rng.uniform(0.008, 0.03)))
        low = round(min(first, last) * (1 - rng.uniform(0.008, 0.03)))
        bought = round(self._volume * rng.uniform(0.35, 0.75))
        sold = round(self._volume * rng.uniform(0.35, 0.75))
        middle = (first + high + low + last) // 4
        trades = round(DAY * _TRADES_PER_SECOND * rng.uniform(0.9, 1.6))
        return Candle(first, high, low, last, bought, sold, bought * middle, sold * middle, trades)

    def _divide(self, level: int, parent_index: int) -> list[Candle]:
        parent = self.candle(level - 1, parent_index)
        span = SPANS[level]
        parts = SPANS[level - 1] // span
        rng = self._random(span, parent_index)
        prices = _divide_prices(parent, parts, rng)
        # At least four trades a second show open, high, low and close; each needs a step.
        weights = [
            (0.8 + rng.expovariate(1)) * (1 + high - low) ** 0.3
            for _open, high, low, _close in prices
        ]
        least = 4 * span
        trades = [least + n for n in share(parent.trades - least * parts, weights)]
        spare = (parent.bought - parent.trades, parent.sold - parent.trades)
        bought = [n + k for n, k in zip(trades, share(spare[0], weights), strict=True)]
        tilted = [weight * rng.uniform(0.5, 1.5) for weight in weights]
        sold = [n + k for n, k in zip(trades, share(spare[1], tilted), strict=True)]
        middles = [sum(four) for four in prices]
        bought_value = share(
            parent.bought_value, [float(v * m) for v, m in zip(bought, middles, strict=True)]
        )
        sold_value = share(
            parent.sold_value, [float(v * m) for v, m in zip(sold, middles, strict=True)]
        )
        return [
            Candle(*four, *rest)
            for four, *rest in zip(
                prices, bought, sold, bought_value, sold_value, trades, strict=True
            )
        ]

    def _trades(self, second: int) -> list[Trade]:
        """The tape of one second, which aggregates to its candle."""
        candle = self.second(second)
        rng = self._random("tape", second)
        count = candle.trades
        prices = _trade_prices(candle, rng)
        buys = min(max(round(count * candle.bought / (candle.bought + candle.sold)), 1), count - 1)
        sides = [False] * buys + [True] * (count - buys)
        rng.shuffle(sides)
        sizes = {
            side: iter([1 + n for n in share(total - of, [rng.expovariate(1) for _ in range(of)])])
            for side, total, of in (
                (False, candle.bought, buys),
                (True, candle.sold, count - buys),
            )
        }
        times = sorted(rng.choices(range(1000), k=count))
        return [
            Trade(second * 10_000 + k, second * 1000 + ms, price, next(sizes[side]), side)
            for k, (ms, price, side) in enumerate(zip(times, prices, sides, strict=True))
        ]


def _divide_prices(
    parent: Candle, parts: int, rng: random.Random
) -> list[tuple[int, int, int, int]]:
    """Open, high, low, close of ``parts`` candles in a row that aggregate to ``parent``."""
    # A rising candle more often dips first, a falling one more often peaks first.
    dips_first = rng.random() < (0.7 if parent.close >= parent.open else 0.3)
    first, second = (parent.low, parent.high) if dips_first else (parent.high, parent.low)
    at_first = (0.06 + 0.36 * rng.random()) * parts
    at_second = (0.56 + 0.36 * rng.random()) * parts
    corners = [(0.0, parent.open), (at_first, first), (at_second, second)]
    corners.append((float(parts), parent.close))
    wiggle = (parent.high - parent.low) / math.sqrt(parts)
    closes = [parent.open]
    for (start, left), (end, right) in pairwise(corners):
        for at in range(math.floor(start) + 1, math.ceil(end)):
            middle = left + (right - left) * (at - start) / (end - start)
            closes.append(round(middle + rng.gauss(0, 0.45) * wiggle))
    closes = [_reflected(price, parent.low, parent.high) for price in closes[:parts]]
    closes.append(parent.close)
    extremes = {int(at_first): [first]}
    extremes.setdefault(int(at_second), []).append(second)
    prices = []
    for k, (opened, closed) in enumerate(pairwise(closes)):
        touched = [opened, closed, *extremes.get(k, [])]
        high = max(touched) + round(rng.expovariate(1) * 0.3 * wiggle)
        low = min(touched) - round(rng.expovariate(1) * 0.3 * wiggle)
        high, low = _widened(high, low, round(0.6 * wiggle), parent)
        prices.append((opened, high, low, closed))
    return prices


def _widened(high: int, low: int, least: int, parent: Candle) -> tuple[int, int]:
    """At least ``least`` apart, within the parent: no range would mean a dead market inside."""
    high = min(high + max(0, least - (high - low)) // 2, parent.high)
    low = max(min(low, high - least), parent.low)
    return min(max(high, low + least), parent.high), low


def _reflected(price: int, low: int, high: int) -> int:
    """Turned back at the bounds: cut off there, prices would stick to them."""
    if price < low:
        price = 2 * low - price
    elif price > high:
        price = 2 * high - price
    return min(max(price, low), high)


def _trade_prices(candle: Candle, rng: random.Random) -> list[int]:
    inner = [rng.randint(candle.low, candle.high) for _ in range(candle.trades - 4)]
    middle = [candle.high, candle.low, *inner]
    rng.shuffle(middle)
    return [candle.open, *middle, candle.close]
