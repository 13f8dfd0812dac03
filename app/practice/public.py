"""Market data: time, candles, book and tape, which need no key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from app.practice.errors import Refusal
from app.practice.instruments import LISTED_MS, Instrument
from app.practice.market import INTERVALS, Market
from app.practice.path import Candle, Trade
from app.practice.routes import Call, Route, by_limit, flat
from app.practice.shapes import plain, price_of, qty_of

Json = dict[str, Any]
MAX_CANDLES = 1500
_DEPTHS = (5, 10, 20, 50, 100, 500, 1000)


def _market(call: Call) -> Market:
    return call.desk.markets[call.params.instrument().symbol]


def time(call: Call) -> Json:
    return {"serverTime": call.told}


def klines(call: Call) -> list[list[Any]]:
    market = _market(call)
    interval = call.params.text("interval")
    if interval not in INTERVALS:
        raise Refusal(-1120, "Invalid interval.")
    limit = call.params.limit(500, MAX_CANDLES)
    rows = []
    # A candle exists from its first print on, so the latest print tells which is the current one.
    for opened in _openings(call, INTERVALS[interval], limit, market.last(call.ms).time):
        candle = market.candle(interval, opened, call.ms)
        rows.append(kline(market.instrument, candle, opened, INTERVALS[interval]))
    return rows


def _openings(call: Call, span: int, limit: int, newest: int) -> range:
    """Opening seconds: the first ``limit`` from a stated start, else the latest ones."""
    start, end = call.window()
    last = min(newest, end if end is not None else newest) // 1000 // span
    first = last - limit + 1
    if start is not None:
        first = -(-start // (span * 1000))
        last = min(last, first + limit - 1)
    first = max(first, LISTED_MS // 1000 // span)
    return range(first * span, (last + 1) * span, span)


def kline(one: Instrument, candle: Candle, opened: int, span: int) -> list[Any]:
    def value(units: int) -> str:
        return plain(one.tick * one.step * units)

    prices = (candle.open, candle.high, candle.low, candle.close)
    return [
        opened * 1000,
        *(price_of(one.symbol, one.price(ticks)) for ticks in prices),
        qty_of(one.symbol, one.qty(candle.bought + candle.sold)),
        (opened + span) * 1000 - 1,
        value(candle.bought_value + candle.sold_value),
        candle.trades,
        qty_of(one.symbol, one.qty(candle.bought)),
        value(candle.bought_value),
        "0",
    ]


def depth(call: Call) -> Json:
    market = _market(call)
    count = call.params.limit(500, 1000)
    if count not in _DEPTHS:
        raise Refusal(-4021, f"Invalid depth limit: {count}.")
    one, last = market.instrument, market.last(call.ms)

    def side(*, asks: bool) -> list[list[str]]:
        rows = []
        for level in market.book.levels(last, call.ms, asks=asks, count=count):
            market.note_shown(level.price, asks=asks)
            price, qty = one.price(level.price), one.qty(level.qty)
            rows.append([price_of(one.symbol, price), qty_of(one.symbol, qty)])
        return rows

    return {
        "lastUpdateId": call.ms,
        "E": call.ms,
        "T": last.time,
        "bids": side(asks=False),
        "asks": side(asks=True),
    }


def _tape(call: Call) -> tuple[Market, Iterable[Trade]]:
    """Prints from an id or a time on, else the latest ones."""
    market, limit = _market(call), call.params.limit(500, 1000)
    start, end = call.window()
    from_id = call.params.optional_whole("fromId")
    if from_id is not None:
        start = from_id // 10_000 * 1000
    if start is None:
        return market, market.recent(limit, min(call.ms, end if end is not None else call.ms))
    found = []
    for trade in market.tape(max(start, LISTED_MS) - 1, min(call.ms, end or call.ms)):
        if from_id is None or trade.id >= from_id:
            found.append(trade)
        if len(found) == limit:
            break
    return market, found


def trades(call: Call) -> list[Json]:
    market = _market(call)
    one = market.instrument
    return [
        {
            "id": trade.id,
            "price": price_of(one.symbol, one.price(trade.price)),
            "qty": qty_of(one.symbol, one.qty(trade.qty)),
            "quoteQty": plain(one.price(trade.price) * one.qty(trade.qty)),
            "time": trade.time,
            "isBuyerMaker": trade.seller,
        }
        for trade in market.recent(call.params.limit(500, 1000), call.ms)
    ]


def agg_trades(call: Call) -> list[Json]:
    market, found = _tape(call)
    one = market.instrument
    return [
        {
            "a": trade.id,
            "p": price_of(one.symbol, one.price(trade.price)),
            "q": qty_of(one.symbol, one.qty(trade.qty)),
            "nq": qty_of(one.symbol, one.qty(trade.qty)),
            "f": trade.id,
            "l": trade.id,
            "T": trade.time,
            "m": trade.seller,
        }
        for trade in found
    ]


_KLINES = by_limit(500, (99, 1), (499, 2), (1000, 5), above=10)
_DEPTH = by_limit(500, (50, 2), (100, 5), (500, 10), above=20)
ROUTES = (
    Route("GET", "/fapi/v1/ping", lambda _call: {}, flat(1)),
    Route("GET", "/fapi/v1/time", time, flat(1)),
    Route("GET", "/fapi/v1/klines", klines, _KLINES),
    Route("GET", "/fapi/v1/depth", depth, _DEPTH),
    Route("GET", "/fapi/v1/trades", trades, flat(5)),
    Route("GET", "/fapi/v1/aggTrades", agg_trades, flat(20)),
)
