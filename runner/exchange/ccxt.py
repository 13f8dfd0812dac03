"""Public data of a venue through ccxt's async class; holds no key and no way to send an order."""

from __future__ import annotations

import asyncio
import importlib
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import aiohttp

from runner.errors import Operational
from runner.exchange.base import DEPTH, Book, Instrument, PublicTrade
from runner.exchange.failures import reading
from runner.exchange.numbers import exact
from runner.exchange.quirks import venue_of
from runner.exchange.quirks.venue import Venue
from runner.exchange.transport import AGENT, session
from runner.protocol import Candle, Configuration, Credentials

TIMEOUT_SECONDS = 10.0


class CcxtMarket:
    """Candles, book, tape and instrument rules of one venue."""

    def __init__(self, exchange: Any, venue: Venue, endpoint: str) -> None:
        self._exchange = exchange
        self._venue = venue
        self._endpoint = endpoint
        self._instruments: dict[str, Instrument] = {}

    async def open(self) -> None:
        """Load the instrument rules."""
        with reading("load instruments"):
            markets = await self._exchange.load_markets()
        for symbol, market in markets.items():
            if market["swap"] and market["linear"] and market["active"]:
                self._instruments[symbol] = _instrument(market)

    async def close(self) -> None:
        http = self._exchange.session
        await self._exchange.close()
        await http.close()

    def instrument(self, symbol: str) -> Instrument:
        if symbol not in self._instruments:
            raise Operational(f"{self._venue.exchange} does not list {symbol}; choose another")
        return self._instruments[symbol]

    async def time(self) -> datetime:
        with reading("read the venue's clock"):
            return _moment(await self._exchange.fetch_time())

    async def address(self) -> str | None:
        if self._venue.address_path is None:
            return None
        http: aiohttp.ClientSession = self._exchange.session
        with reading("ask which address the venue sees"):
            async with http.get(self._endpoint + self._venue.address_path) as answer:
                answer.raise_for_status()
                return str((await answer.json())["address"])

    async def candles(self, symbol: str, timeframe: str, limit: int) -> list[Candle]:
        with reading(f"read candles of {symbol}"):
            rows = await self._exchange.fetch_ohlcv(symbol, timeframe, limit=limit)
        return [Candle(_moment(row[0]), *(exact(x) for x in row[1:6])) for row in rows]

    async def book(self, symbol: str, depth: int = DEPTH) -> Book:
        with reading(f"read the book of {symbol}"):
            book = await self._exchange.fetch_order_book(symbol, depth)
        bids, asks = (
            tuple((exact(level[0]), exact(level[1])) for level in book[side])
            for side in ("bids", "asks")
        )
        if not bids or not asks:
            raise Operational(f"the book of {symbol} has an empty side")
        return Book(bids, asks)

    async def trades(self, symbol: str) -> list[PublicTrade]:
        with reading(f"read the tape of {symbol}"):
            trades = await self._exchange.fetch_trades(symbol, limit=500)
        return [
            PublicTrade(_moment(t["timestamp"]), exact(t["price"]), exact(t["amount"]))
            for t in trades
        ]

    async def mark(self, symbol: str) -> Decimal:
        # Where a venue has no request for it alone, its ticker says it.
        alone = self._exchange.has["fetchMarkPrice"]
        ask = self._exchange.fetch_mark_price if alone else self._exchange.fetch_ticker
        with reading(f"read the mark of {symbol}"):
            found = await ask(symbol)
        if found["markPrice"] is None:
            raise Operational(f"the venue names no mark price of {symbol}")
        return exact(found["markPrice"])


def connect(
    configuration: Configuration, credentials: Credentials | None, source_address: str | None
) -> tuple[Any, Venue, str]:
    """The ccxt object of a configuration, its venue and base URL; no request is made.

    Raises:
        Operational: an exchange, mode or endpoint that cannot be used.
    """
    venue = venue_of(configuration.exchange)
    if configuration.mode not in venue.modes:
        raise Operational(f"{venue.exchange} has no {configuration.mode} mode")
    if configuration.endpoint is None:
        raise Operational(f"{venue.exchange} needs an endpoint; set EXCHANGE_ENDPOINTS")
    endpoint = configuration.endpoint.rstrip("/")
    http = session([endpoint], source_address, TIMEOUT_SECONDS)
    module = importlib.import_module(f"ccxt.async_support.{venue.ccxt_id}")
    keys = {}
    if credentials is not None:
        keys = {"apiKey": credentials.api_key, "secret": credentials.secret}
    exchange = getattr(module, venue.ccxt_id)(
        {
            **keys,
            "session": http,
            "asyncio_loop": asyncio.get_running_loop(),
            "timeout": int(TIMEOUT_SECONDS * 1000),
            "enableRateLimit": True,
            "userAgent": AGENT,  # ccxt would put its own over the session's
            "options": dict(venue.options),
        }
    )
    # Numbers stay the text the venue wrote; the few ccxt turns into floats pass `exact` as well.
    exchange.number = str
    exchange.has["fetchCurrencies"] = venue.options.get("fetchCurrencies", True)
    # The session brings its own TLS settings; ccxt would load the certificates a second time.
    exchange.ssl_context = False
    exchange.timeout_on_exit = 0
    _redirect(exchange, endpoint)
    return exchange, venue, endpoint


def _redirect(exchange: Any, endpoint: str) -> None:
    """Point every REST address at the endpoint, keeping the path."""
    api = exchange.urls["api"]
    for name, url in api.items():
        if isinstance(url, str):
            path = url.split("://", 1)[-1].partition("/")[2]
            api[name] = f"{endpoint}/{path}"


def _instrument(market: dict[str, Any]) -> Instrument:
    limits = market["limits"]
    return Instrument(
        symbol=market["symbol"],
        quote=market["quote"],
        tick=exact(market["precision"]["price"]),
        step=exact(market["precision"]["amount"]),
        min_quantity=exact(limits["amount"]["min"] or 0),
        min_notional=exact(limits["cost"]["min"] or 0),
        taker_fee=exact(market["taker"]),
        maker_fee=exact(market["maker"]),
    )


def _moment(milliseconds: int) -> datetime:
    return datetime.fromtimestamp(int(milliseconds) / 1000, UTC)
