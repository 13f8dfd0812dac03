"""Market data in one line per contract: prices, best quotes, the day, funding."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from app.practice.instruments import FUNDING_HOURS, INSTRUMENTS, LISTED_MS
from app.practice.market import FUNDING_MS, Market
from app.practice.routes import Call, Route, flat, per_symbol
from app.practice.shapes import money, plain, price_of, qty_of

Json = dict[str, Any]
_DAY_MINUTES = 1440


def _each(call: Call, shape: Callable[[Market, int], Json]) -> Json | list[Json]:
    """One object for a named symbol, a list of all without."""
    symbol = call.symbol()
    if symbol is not None:
        return shape(call.desk.markets[symbol], call.ms)
    return [shape(market, call.ms) for market in call.desk.markets.values()]


def premium_index(call: Call) -> Any:
    return _each(call, _premium)


def _premium(market: Market, ms: int) -> Json:
    mark = money(market.mark(ms))
    return {
        "symbol": market.instrument.symbol,
        "markPrice": mark,
        "indexPrice": mark,
        "estimatedSettlePrice": mark,
        "lastFundingRate": format(market.funding_rate(ms), "f"),
        "interestRate": "0.00010000",
        "nextFundingTime": (ms // FUNDING_MS + 1) * FUNDING_MS,
        "time": ms,
    }


def open_interest(call: Call) -> Json:
    symbol = call.params.instrument().symbol
    standing = call.desk.open_interest(symbol, call.ms)
    return {"openInterest": qty_of(symbol, standing), "symbol": symbol, "time": call.ms}


def funding_rate(call: Call) -> list[Json]:
    market = call.desk.markets[call.params.instrument().symbol]
    limit = call.params.limit(100, 1000)
    start, end = call.window()
    last = min(call.ms, end if end is not None else call.ms) // FUNDING_MS
    first = last - limit + 1
    if start is not None:
        first = -(-start // FUNDING_MS)
        last = min(last, first + limit - 1)
    return [
        {
            "symbol": market.instrument.symbol,
            "fundingTime": period * FUNDING_MS,
            "fundingRate": format(market.funding_rate(period * FUNDING_MS - 1), "f"),
            "markPrice": money(market.mark(period * FUNDING_MS)),
        }
        for period in range(max(first, LISTED_MS // FUNDING_MS), last + 1)
    ]


def price_ticker(call: Call) -> Any:
    return _each(call, _price)


def _price(market: Market, ms: int) -> Json:
    one, last = market.instrument, market.last(ms)
    price = price_of(one.symbol, one.price(last.price))
    return {"symbol": one.symbol, "price": price, "time": last.time}


def book_ticker(call: Call) -> Any:
    return _each(call, _best)


def _best(market: Market, ms: int) -> Json:
    one, last = market.instrument, market.last(ms)
    row: Json = {"symbol": one.symbol}
    for name, asks in (("bid", False), ("ask", True)):
        best = next(market.book.levels(last, ms, asks=asks))
        row[f"{name}Price"] = price_of(one.symbol, one.price(best.price))
        row[f"{name}Qty"] = qty_of(one.symbol, one.qty(best.qty))
    return row | {"time": ms, "lastUpdateId": ms}


def day_ticker(call: Call) -> Any:
    return _each(call, _day)


def _day(market: Market, ms: int) -> Json:
    one, last = market.instrument, market.last(ms)
    opened = (ms // 60_000 - _DAY_MINUTES + 1) * 60_000
    day = market.since(opened // 1000, ms)
    volume, value = one.qty(day.bought + day.sold), day.bought_value + day.sold_value
    change = day.close - day.open
    average = Decimal(value) / (day.bought + day.sold) * one.tick
    return {
        "symbol": one.symbol,
        "priceChange": price_of(one.symbol, one.price(change)),
        "priceChangePercent": f"{100 * change / day.open:.3f}",
        "weightedAvgPrice": price_of(one.symbol, average),
        "lastPrice": price_of(one.symbol, one.price(last.price)),
        "lastQty": qty_of(one.symbol, one.qty(last.qty)),
        "openPrice": price_of(one.symbol, one.price(day.open)),
        "highPrice": price_of(one.symbol, one.price(day.high)),
        "lowPrice": price_of(one.symbol, one.price(day.low)),
        "volume": qty_of(one.symbol, volume),
        "quoteVolume": plain(one.tick * one.step * value),
        "openTime": opened,
        "closeTime": ms,
        "firstId": opened // 1000 * 10_000,
        "lastId": last.id,
        "count": day.trades,
    }


def funding_info(_call: Call) -> list[Json]:
    return [
        {
            "symbol": symbol,
            "adjustedFundingRateCap": "0.02000000",
            "adjustedFundingRateFloor": "-0.02000000",
            "fundingIntervalHours": FUNDING_HOURS,
            "disclaimer": False,
        }
        for symbol in INSTRUMENTS
    ]


ROUTES = (
    Route("GET", "/fapi/v1/premiumIndex", premium_index, per_symbol(1, 10)),
    Route("GET", "/fapi/v1/openInterest", open_interest, flat(1)),
    Route("GET", "/fapi/v1/fundingRate", funding_rate, flat(1)),
    Route("GET", "/fapi/v1/fundingInfo", funding_info, flat(1)),
    Route("GET", "/fapi/v1/ticker/price", price_ticker, per_symbol(1, 2)),
    Route("GET", "/fapi/v2/ticker/price", price_ticker, per_symbol(1, 2)),
    Route("GET", "/fapi/v1/ticker/bookTicker", book_ticker, per_symbol(2, 5)),
    Route("GET", "/fapi/v1/ticker/24hr", day_ticker, per_symbol(1, 40)),
)
