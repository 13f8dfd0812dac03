"""Price gaps: from one second on, the whole path lies so many ticks higher or lower.

A gap adds ticks instead of multiplying prices, so that candles still aggregate exactly: prices of
every later candle move by the same whole number, values by that number times the volume. Once
opened a gap is history, as fills have happened beyond it, and it is kept over any restart.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

from app.practice.path import SPANS, Candle, Path, Trade, merge

if TYPE_CHECKING:
    from app.practice.market import Market
    from app.practice.store import Store

# The path of ``path.py`` never falls below 0.72 anchors; gaps together must leave it above zero.
_DEEPEST = 0.6


class Gap(NamedTuple):
    """From Unix second ``at`` on, prices are ``shift`` ticks higher."""

    at: int
    shift: int


class GappedPath:
    """A path with its gaps; without any it is the path itself."""

    def __init__(self, path: Path, anchor: int):
        self._path = path
        self._anchor = anchor
        self._gaps: list[Gap] = []
        self.noise = path.noise

    def add(self, *gaps: Gap) -> None:
        self._gaps = sorted([*self._gaps, *gaps])

    def check(self, *gaps: Gap) -> None:
        """Raises ``ValueError`` where prices could fall to zero with ``gaps`` added."""
        together = sorted([*self._gaps, *gaps])
        lowest = min(accumulate(gap.shift for gap in together))
        if lowest < -_DEEPEST * self._anchor:
            raise ValueError("prices could fall to zero: choose a smaller fall, or gap up first")

    def trades(self, second: int) -> list[Trade]:
        shift = self._shift(second)
        trades = self._path.trades(second)
        if not shift:
            return trades
        return [trade._replace(price=trade.price + shift) for trade in trades]

    def second(self, second: int) -> Candle:
        return self.candle(len(SPANS) - 1, second)

    def candle(self, level: int, index: int) -> Candle:
        """Candle ``index`` at ``SPANS[level]``, put together from shorter ones around a gap."""
        span = SPANS[level]
        start = index * span
        if any(start < gap.at < start + span for gap in self._gaps):
            inner = SPANS[level + 1]
            parts = range(start // inner, (start + span) // inner)
            return merge([self.candle(level + 1, part) for part in parts])
        return _shifted(self._path.candle(level, index), self._shift(start))

    def _shift(self, second: int) -> int:
        return sum(gap.shift for gap in self._gaps if gap.at <= second)


def _shifted(one: Candle, shift: int) -> Candle:
    if not shift:
        return one
    return Candle(
        one.open + shift,
        one.high + shift,
        one.low + shift,
        one.close + shift,
        one.bought,
        one.sold,
        one.bought_value + shift * one.bought,
        one.sold_value + shift * one.sold,
        one.trades,
    )


class Gaps:
    """Opens gaps and keeps them."""

    def __init__(self, store: Store, markets: Mapping[str, Market]):
        self._store = store
        self._markets = markets
        self._kept: dict[str, list[tuple[int, int]]] = json.loads(store.meta("gaps") or "{}")
        for symbol, rows in self._kept.items():
            markets[symbol].gap(*(Gap(*row) for row in rows))

    def open(
        self, symbols: Sequence[str], percent: float, back_after: float | None, ms: int
    ) -> None:
        """Jump by ``percent`` of the price with the next full second, as what came before it has
        been seen; jump back ``back_after`` seconds later if told so.

        Raises ``ValueError`` where prices could fall to zero; then nothing has happened.
        """
        opened = {one: self._planned(one, percent, back_after, ms) for one in symbols}
        for symbol, gaps in opened.items():
            self._markets[symbol].path.check(*gaps)
        for symbol, gaps in opened.items():
            self._markets[symbol].gap(*gaps)
            self._kept.setdefault(symbol, []).extend((gap.at, gap.shift) for gap in gaps)
        with self._store.transaction():
            self._store.set_meta("gaps", json.dumps(self._kept))

    def _planned(self, symbol: str, percent: float, back_after: float | None, ms: int) -> list[Gap]:
        at = ms // 1000 + 1
        shift = round(self._markets[symbol].last(ms).price * percent / 100)
        back = [] if back_after is None else [Gap(at + max(1, round(back_after)), -shift)]
        return [Gap(at, shift), *back]
