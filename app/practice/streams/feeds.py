"""Streams of market data: one feed per stream name, shared by all who listen to it.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams,
pages Kline-Candlestick-Streams, Aggregate-Trade-Streams, Mark-Price-Stream and, for which path
carries which stream, Important-WebSocket-Change-Notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from app.practice.market import FUNDING_MS, INTERVALS, Market
from app.practice.public import kline
from app.practice.shapes import money, price_of, qty_of
from app.practice.streams.depth import SPEEDS, DepthFeed

Json = dict[str, Any]
PUBLIC, MARKET, PRIVATE = "public", "market", "private"
_KLINE_MS = 250
_MOST_MISSED = 1000  # candles told late, after the market stood still


class Feed(Protocol):
    """``events``: what is new since the last call, up to ``ms``."""

    symbol: str

    def events(self, ms: int) -> list[Json]: ...
    def close(self) -> None: ...


def feed(room: str, name: str, markets: Mapping[str, Market], ms: int) -> Feed | None:
    """The feed of a stream; ``None`` for what is not there: the venue does not say so either."""
    symbol, _, stream = name.partition("@")
    market = markets.get(symbol.upper())
    kind, _, detail = stream.partition("@")
    if market is None:
        return None
    if room == PUBLIC:
        speed = SPEEDS.get(detail) if kind == "depth" else None
        return None if speed is None else DepthFeed(market, speed, ms)
    if room != MARKET:
        return None
    if kind == "aggTrade":
        return TapeFeed(market, ms)
    if kind == "markPrice" and detail in ("", "1s"):
        return MarkFeed(market, 1000 if detail else 3000, ms)
    interval = kind.removeprefix("kline_")
    return KlineFeed(market, interval, ms) if interval != kind and interval in INTERVALS else None


class _Feed:
    def __init__(self, market: Market, ms: int) -> None:
        self.symbol = market.instrument.symbol
        self._market = market
        self._reached = ms

    def close(self) -> None:
        """Nothing is held."""


class TapeFeed(_Feed):
    """Each print, once."""

    def events(self, ms: int) -> list[Json]:
        since, self._reached = self._reached, ms
        one = self._market.instrument
        return [
            {
                "e": "aggTrade",
                "E": ms,
                "s": one.symbol,
                "a": trade.id,
                "p": price_of(one.symbol, one.price(trade.price)),
                "q": qty_of(one.symbol, one.qty(trade.qty)),
                "nq": qty_of(one.symbol, one.qty(trade.qty)),
                "f": trade.id,
                "l": trade.id,
                "T": trade.time,
                "m": trade.seller,
            }
            for trade in self._market.tape(since, ms)
        ]


class MarkFeed(_Feed):
    """The mark price at each full period."""

    def __init__(self, market: Market, period: int, ms: int) -> None:
        super().__init__(market, ms)
        self._period = period

    def events(self, ms: int) -> list[Json]:
        since, self._reached = self._reached, ms
        if ms // self._period == since // self._period:
            return []
        mark = money(self._market.mark(ms))
        return [
            {
                "e": "markPriceUpdate",
                "E": ms,
                "s": self.symbol,
                "p": mark,
                "i": mark,
                "P": mark,
                "r": format(self._market.funding_rate(ms), "f"),
                "T": (ms // FUNDING_MS + 1) * FUNDING_MS,
            }
        ]


class KlineFeed(_Feed):
    """The current candle as it grows, and each candle once more when it is closed."""

    def __init__(self, market: Market, interval: str, ms: int) -> None:
        super().__init__(market, ms)
        self._interval = interval
        self._span = INTERVALS[interval]
        self._opened = self._current(ms)
        self._told_at = 0
        self._told: Json = {}

    def _current(self, ms: int) -> int:
        return self._market.last(ms).time // 1000 // self._span * self._span

    def events(self, ms: int) -> list[Json]:
        found, current = [], self._current(ms)
        self._opened = max(self._opened, current - _MOST_MISSED * self._span)
        while self._opened < current:
            found.append(self._event(self._opened, ms, closed=True))
            self._opened += self._span
            self._told_at = 0
        if ms - self._told_at >= _KLINE_MS:
            growing = self._event(current, ms, closed=False)
            if growing["k"] != self._told:
                self._told, self._told_at = growing["k"], ms
                found.append(growing)
        return found

    def _event(self, opened: int, ms: int, *, closed: bool) -> Json:
        candle = self._market.candle(self._interval, opened, ms)
        row = kline(self._market.instrument, candle, opened, self._span)
        last = self._market.last(min(ms, (opened + self._span) * 1000 - 1))
        body = {
            "t": row[0],
            "T": row[6],
            "s": self.symbol,
            "i": self._interval,
            "f": opened * 10_000,
            "L": last.id,
            "o": row[1],
            "c": row[4],
            "h": row[2],
            "l": row[3],
            "v": row[5],
            "n": row[8],
            "x": closed,
            "q": row[7],
            "V": row[9],
            "Q": row[10],
            "B": "0",
        }
        return {"e": "kline", "E": ms, "s": self.symbol, "k": body}
