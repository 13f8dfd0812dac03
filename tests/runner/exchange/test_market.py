"""Public data in as many requests as a venue needs, and a Binance account's trades alike."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner.errors import Operational, Temporary
from runner.exchange.base import OrderKind, OrderRequest
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.exchange.quirks import binance, venue_of
from runner.protocol import FlowKind, Mode, Side
from tests.runner.machine import SYMBOL, configuration, practice_credentials

MINUTE = 60_000
NEWEST = 1_795_500_000_000 // MINUTE * MINUTE


class Api:
    """Minutes up to ``NEWEST``, ``most`` a request, none older than ``oldest``."""

    timeframes = {"1m": "1m"}  # noqa: RUF012 - as ccxt has it

    def __init__(self, most, oldest=0):
        self.most, self.oldest, self.asked = most, oldest, []

    def parse_timeframe(self, _):
        return 60

    async def fetch_ohlcv(self, _symbol, _timeframe, since=None, limit=None):
        self.asked.append(limit)
        assert limit <= self.most
        last = NEWEST if since is None else since + (limit - 1) * MINUTE
        first = max(self.oldest, last - (limit - 1) * MINUTE)
        return [[at, "1", "2", "0.5", "1", "3"] for at in range(first, last + MINUTE, MINUTE)]


def candles(api, limit, timeframe="1m"):
    market = CcxtMarket(api, venue_of("okx", Mode.PAPER), "")
    return asyncio.run(market.candles(SYMBOL, timeframe, limit))


def test_more_candles_than_a_venue_gives_at_once_come_in_several_pages():
    api = Api(most=300)
    found = candles(api, 700)
    assert len(found) == 700
    assert found[-1].opened_at.timestamp() * 1000 == NEWEST
    assert api.asked == [300, 300, 100]


def test_a_young_market_has_as_many_candles_as_it_has():
    found = candles(Api(most=300, oldest=NEWEST - 350 * MINUTE), 700)
    assert len(found) == 351


def test_a_timeframe_the_venue_lacks_is_said_before_any_request():
    with pytest.raises(Operational, match="okx has no 1s candles"):
        candles(Api(most=300), 5, "1s")


def test_binance_s_trades_and_flows_are_read_to_the_last_page_and_window(practice, monkeypatch):
    monkeypatch.setattr(binance, "_TRADES_AT_ONCE", 2)

    async def go():
        settings = configuration(practice.url, Mode.TESTNET)
        api, venue, origin = connect(settings, practice_credentials(), None)
        market, broker = CcxtMarket(api, venue, origin), CcxtBroker(api, venue, "USDT")
        try:
            await market.open()
            for number in range(5):
                side = Side.SELL if number % 2 else Side.BUY
                order = OrderRequest(f"p{number}", SYMBOL, side, OrderKind.MARKET, Decimal("0.02"))
                await broker.place(order)
            since = datetime.now(UTC) - timedelta(days=20)
            return await broker.executions(SYMBOL, since), await broker.flows(since)
        finally:
            await market.close()

    found, flows = asyncio.run(go())
    assert [(f.kind, f.currency) for f in flows] == [(FlowKind.DEPOSIT, "USDT")]
    assert flows[0].amount > 0
    assert len({e.trade_id for e in found}) == len(found)
    assert len({e.venue_id for e in found}) == 5
    assert sum(e.quantity for e in found) == 5 * Decimal("0.02")


def test_a_market_that_stands_on_its_head_is_a_passing_fault():
    class Crossed:
        async def fetch_order_book(self, _symbol, _depth):
            return {"bids": [["101", "1"]], "asks": [["100", "1"]]}

    market = CcxtMarket(Crossed(), venue_of("okx", Mode.PAPER), "")
    with pytest.raises(Temporary, match="crossed"):
        asyncio.run(market.book(SYMBOL))


class Listing:
    """A venue that names no tick for one of its instruments until it is asked again."""

    markets = None

    async def load_markets(self, reload=False):
        if self.markets is None or reload:
            tick = None if self.markets is None else "0.1"
            self.markets = {name: listed(name, tick) for name in ("GOOD", "BAD")}
            self.markets["GOOD"] = listed("GOOD", "0.1")
        return self.markets


def listed(symbol, tick):
    return {
        "symbol": symbol,
        "quote": "USDT",
        "swap": True,
        "linear": True,
        "active": True,
        "precision": {"price": tick, "amount": "0.001"},
        "limits": {"amount": {"min": "0.001"}, "cost": {"min": "5"}},
        "contractSize": "1",
        "taker": "0.0005",
        "maker": "0.0002",
    }


def test_a_bad_row_among_the_instruments_matters_only_where_it_is_wanted():
    async def go():
        market = CcxtMarket(Listing(), venue_of("okx", Mode.TESTNET), "")
        await market.open(("GOOD",))
        with pytest.raises(Operational, match="does not list BAD"):
            market.instrument("BAD")
        assert market.instrument("GOOD").tick == Decimal("0.1")
        market = CcxtMarket(Listing(), venue_of("okx", Mode.TESTNET), "")
        with pytest.raises(Temporary, match="the tick of BAD"):
            await market.open(("BAD",))
        await market.open(("BAD",))  # the next answer is read, and not the first one again
        assert market.instrument("BAD").tick == Decimal("0.1")

    asyncio.run(go())
