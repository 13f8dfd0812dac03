"""Public data of a venue through ccxt's async class; holds no key and no way to send an order."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import logging
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import aiohttp

from runner.errors import Operational
from runner.exchange import sanity
from runner.exchange.base import DEPTH, Book, Funding, Instrument, PublicTrade
from runner.exchange.failures import Failures
from runner.exchange.numbers import NoNumber, amount, exact, price
from runner.exchange.quirks import venue_of
from runner.exchange.quirks.venue import Venue, milliseconds, redirect, unit
from runner.exchange.transport import AGENT, session
from runner.protocol import Candle, Configuration, Credentials, Mode

log = logging.getLogger("runner")

TIMEOUT_SECONDS = 10.0
_HOUR = 3_600_000
_FUNDING_PAGE = 100
"""The fewest that a venue sends at once."""
_FUNDING_SPAN = 99 * 8 * _HOUR
"""Milliseconds; a page of a venue that pays every eight hours, as most do."""
TAPE = 500
"""Prints read at a time."""


class CcxtMarket:
    """Candles, book, tape and instrument rules of one venue."""

    def __init__(self, exchange: Any, venue: Venue, endpoint: str) -> None:
        self._exchange = exchange
        self._venue = venue
        self._endpoint = endpoint
        self._failures = Failures(exchange, venue.codes)
        self._instruments: dict[str, Instrument] = {}

    async def open(self, wanted: Collection[str] = ()) -> None:
        """Load the instrument rules. Only those of ``wanted`` have to make sense."""
        with self._failures.reading("load instruments"):
            markets = await self._exchange.load_markets(True)  # ccxt would keep a bad answer
            for symbol, market in markets.items():
                if market["swap"] and market["linear"] and market["active"]:
                    with contextlib.nullcontext() if symbol in wanted else _passed_over(symbol):
                        least = self._venue.least_value(market)
                        self._instruments[symbol] = _instrument(market, least)

    async def close(self) -> None:
        http = self._exchange.session
        await self._exchange.close()
        await http.close()

    def instrument(self, symbol: str) -> Instrument:
        if symbol not in self._instruments:
            raise Operational(f"{self._venue.exchange} does not list {symbol}; choose another")
        return self._instruments[symbol]

    async def time(self) -> datetime:
        with self._failures.reading("read the venue's clock"):
            return sanity.moment(await self._venue.clock(self._exchange), "its clock")

    async def address(self) -> str | None:
        if self._venue.address_path is None:
            return None
        http: aiohttp.ClientSession = self._exchange.session
        with self._failures.reading("ask which address the venue sees"):
            async with http.get(self._endpoint + self._venue.address_path) as answer:
                answer.raise_for_status()
                return str((await answer.json())["address"])

    async def candles(self, symbol: str, timeframe: str, limit: int) -> list[Candle]:
        """In as many requests as the venue needs for so many."""
        if timeframe not in self._exchange.timeframes:
            raise Operational(f"{self._venue.exchange} has no {timeframe} candles; choose others")
        span = timedelta(seconds=self._exchange.parse_timeframe(timeframe))
        most = self._venue.facts.candles_at_once
        with self._failures.reading(f"read candles of {symbol}"):
            rows = await self._ohlcv(symbol, timeframe, None, min(limit, most))
            while rows and len(rows) < limit:
                first = sanity.moment(rows[0][0], f"the time of a candle of {symbol}")
                count = min(limit - len(rows), most)
                from_ms = milliseconds(first - span * count)
                older = await self._ohlcv(symbol, timeframe, from_ms, count)
                older = [row for row in older if row[0] < rows[0][0]]
                rows = [*older, *rows]
                if not older:
                    break
            return sanity.candles(symbol, rows, span, self._candle_unit(symbol))

    async def past(self, symbol: str, timeframe: str, since: datetime, limit: int) -> list[Candle]:
        """Those of the ``limit`` spans from ``since`` on, in as many requests as that takes."""
        self.instrument(symbol)
        if timeframe not in self._exchange.timeframes:
            raise Operational(f"{self._venue.exchange} has no {timeframe} candles; choose others")
        span, rows = self._exchange.parse_timeframe(timeframe) * 1000, list[list[Any]]()
        first, most = milliseconds(since), self._venue.facts.candles_at_once
        with self._failures.reading(f"read candles of {symbol}"):
            for done in range(0, limit, most):
                count = min(limit - done, most)
                rows += await self._ohlcv(symbol, timeframe, first + done * span, count)
        return sanity.past_candles(symbol, rows, self._candle_unit(symbol))

    async def _ohlcv(
        self, symbol: str, timeframe: str, since: int | None, limit: int
    ) -> list[list[Any]]:
        return await self._venue.candles(self._exchange, symbol, timeframe, since, limit)

    async def book(self, symbol: str, depth: int = DEPTH) -> Book:
        with self._failures.reading(f"read the book of {symbol}"):
            levels = self._venue.book_depth(depth)
            found = await self._exchange.fetch_order_book(symbol, levels)
            read = sanity.book(symbol, found["bids"], found["asks"])
            return sanity.scaled(read, self._unit(symbol))

    async def trades(self, symbol: str) -> list[PublicTrade]:
        with self._failures.reading(f"read the tape of {symbol}"):
            rows = await self._exchange.fetch_trades(symbol, limit=TAPE)
            return sanity.trades(symbol, rows, self._unit(symbol))

    def _candle_unit(self, symbol: str) -> Decimal:
        return self._venue.candle_unit(self._exchange, symbol)

    def _unit(self, symbol: str) -> Any:
        return unit(self._exchange.market(symbol))

    async def mark(self, symbol: str) -> Decimal:
        with self._failures.reading(f"read the mark of {symbol}"):
            found = await self._venue.mark(self._exchange, symbol)
            if found is None:
                raise Operational(f"the venue names no mark price of {symbol}")
            return price(found, f"the mark price of {symbol}")

    async def funding(self, symbol: str) -> Funding:
        with self._failures.reading(f"read the funding rate of {symbol}"):
            return sanity.funding(symbol, await self._venue.funding(self._exchange, symbol))

    async def past_funding(
        self, symbol: str, since: datetime, until: datetime
    ) -> list[tuple[datetime, Decimal]] | None:
        """Rates settled in ``[since, until)``; ``None`` where the venue tells none at all."""
        self.instrument(symbol)
        if not self._exchange.has["fetchFundingRateHistory"]:
            return None
        found, first, last = list[Any](), milliseconds(since), milliseconds(until)
        with self._failures.reading(f"read past funding rates of {symbol}"):
            while first < last:
                end = min(first + _FUNDING_SPAN, last)
                found += await self._settled(symbol, first, end)
                first = end
        return sanity.settled(symbol, found, since, until)

    async def _settled(self, symbol: str, first: int, end: int) -> list[Any]:
        """One stretch; what fills a page may have been cut off and is asked for in halves."""
        rows: list[Any] = await self._exchange.fetch_funding_rate_history(
            symbol, first, _FUNDING_PAGE, self._venue.funding_until(end)
        )
        if len(rows) < _FUNDING_PAGE or end - first <= _HOUR:
            return rows
        middle = (first + end) // 2
        halves = [await self._settled(symbol, *part) for part in ((first, middle), (middle, end))]
        return [*halves[0], *halves[1]]

    async def open_interest(self, symbol: str) -> Decimal:
        with self._failures.reading(f"read the open interest of {symbol}"):
            found = await self._venue.open_interest(self._exchange, symbol)
            told = amount(found, f"the open interest of {symbol}")
            size: Decimal = self._unit(symbol)
            return told * size


def connect(
    configuration: Configuration, credentials: Credentials | None, source_address: str | None
) -> tuple[Any, Venue, str]:
    """The ccxt object of a configuration, its venue and base URL; no request is made.

    Raises:
        Operational: an exchange, mode or endpoint that cannot be used.
    """
    venue = venue_of(configuration.exchange, configuration.mode)
    origins = _origins(configuration, venue)
    http = session(origins, source_address, TIMEOUT_SECONDS, venue.header_rule)
    module = importlib.import_module(f"ccxt.async_support.{venue.facts.ccxt_id}")
    keys = {}
    if credentials is not None:
        keys = {"apiKey": credentials.api_key, "secret": credentials.secret}
        if credentials.passphrase:
            keys["password"] = credentials.passphrase
    exchange = getattr(module, venue.facts.ccxt_id)(
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
    # With a key, ccxt would ask for the currencies first: another right, sometimes another host.
    exchange.has["fetchCurrencies"] = False
    # The session brings its own TLS settings; ccxt would load the certificates a second time.
    exchange.ssl_context = False
    exchange.timeout_on_exit = 0
    venue.prepare(exchange)
    if configuration.endpoint is not None:
        redirect(exchange, origins[0])
    return exchange, venue, origins[0]


def _origins(configuration: Configuration, venue: Venue) -> tuple[str, ...]:
    """The only addresses this process may speak to, the venue's first."""
    if configuration.endpoint is None:
        own = venue.origins()
        if not own:
            raise Operational(f"{venue.exchange} needs an endpoint; set EXCHANGE_ENDPOINTS")
        return own
    if configuration.mode is Mode.LIVE:
        raise Operational(
            f"a live bot speaks to the venue's own hosts only; take {venue.exchange} out of "
            "EXCHANGE_ENDPOINTS"
        )
    return (configuration.endpoint.rstrip("/"),)


@contextlib.contextmanager
def _passed_over(symbol: str) -> Iterator[None]:
    """A row that makes no sense lists nothing, and costs the others nothing."""
    try:
        yield
    except NoNumber as error:
        log.warning("%s is passed over: %s", symbol, error)


def _instrument(market: dict[str, Any], least_value: Any) -> Instrument:
    """In base units, whatever the venue counts in: a lot of contracts is worth their size."""
    limits, symbol, size = market["limits"], market["symbol"], unit(market)
    return Instrument(
        symbol=symbol,
        quote=market["quote"],
        tick=price(market["precision"]["price"], f"the tick of {symbol}"),
        step=price(market["precision"]["amount"], f"the lot of {symbol}") * size,
        min_quantity=amount(limits["amount"]["min"] or 0, f"the minimum of {symbol}") * size,
        min_notional=amount(least_value or 0, f"the minimum value of {symbol}"),
        taker_fee=exact(market["taker"], f"the fee of {symbol}"),
        maker_fee=exact(market["maker"], f"the fee of {symbol}"),
    )
