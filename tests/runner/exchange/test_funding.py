"""Funding and open interest, as each venue documents its answer, through the unmodified ccxt class.

Sources: Binance USD-M "Mark Price" and "Open Interest", Bybit V5 "Get Tickers" and "Get Open
Interest", OKX V5 "Get funding rate" and "Get open interest", KuCoin "Get Current Funding Rate" and
"Get Symbol".
"""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from runner.errors import Temporary
from runner.exchange import sanity
from runner.exchange.base import Funding, PublicTrade
from runner.exchange.ccxt import CcxtMarket, connect
from runner.protocol import Mode, Side
from tests.fakes.venues import bybit as bybit_fake
from tests.fakes.venues import kucoin as kucoin_fake
from tests.runner.exchange.real_hosts import at_real_hosts
from tests.runner.exchange.taken_on import answer_of
from tests.runner.machine import SYMBOL, configuration

DUE = datetime(2026, 11, 23, 16, tzinfo=UTC)
AT = int(DUE.timestamp() * 1000)
PATHS = {
    "binance": "/fapi/v1/premiumIndex",
    "bybit": "/v5/market/tickers",
    "okx": "/api/v5/public/funding-rate",
    "kucoin": "/api/v1/funding-rate/XBTUSDTM/current",
}


def told(exchange):
    if exchange == "binance":
        mark = {"symbol": "BTCUSDT", "markPrice": "57000.1", "indexPrice": "57001.2"}
        rate = {"lastFundingRate": "0.00038246", "interestRate": "0.00010000"}
        return mark | rate | {"nextFundingTime": AT, "time": AT - 9000}
    if exchange == "bybit":
        row = {"symbol": "BTCUSDT", "lastPrice": "57000.5", "markPrice": "57000.1"}
        row |= {"fundingRate": "0.00038246", "nextFundingTime": str(AT)}
        return bybit_fake.enveloped({"category": "linear", "list": [row]})
    if exchange == "kucoin":
        row = {"symbol": ".XBTUSDTMFPI8H", "granularity": 28800000, "value": 3.8246e-4}
        row |= {"timePoint": AT - 28800000, "predictedValue": 1.09e-4, "fundingTime": AT}
        return kucoin_fake.enveloped(row)
    row = {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "fundingRate": "0.00038246"}
    row |= {"fundingTime": str(AT), "nextFundingTime": str(AT + 4 * 3_600_000)}
    return {"code": "0", "msg": "", "data": [row]}


@pytest.mark.parametrize(
    ("exchange", "hours"), [("binance", 8), ("bybit", 8), ("okx", 4), ("kucoin", 8)]
)
def test_rate_and_time_are_read_as_documented(monkeypatch, exchange, hours):
    def answered(seen):
        return (200, told(exchange)) if seen.path == PATHS[exchange] else answer_of(exchange)(seen)

    async def act(market, _broker, _seen):
        return await market.funding(SYMBOL)

    found = at_real_hosts(monkeypatch, exchange, Mode.PAPER, None, answered, act)
    assert found == Funding(Decimal("0.00038246"), DUE, hours)


INTEREST_PATHS = {
    "binance": "/fapi/v1/openInterest",
    "bybit": "/v5/market/open-interest",
    "okx": "/api/v5/public/open-interest",
    "kucoin": "/api/v1/contracts/XBTUSDTM",
}


def interest_told(exchange, value):
    """OKX counts contracts, here of a hundredth of a bitcoin each; KuCoin lots of a thousandth."""
    if exchange == "binance":
        return {"openInterest": value, "symbol": "BTCUSDT", "time": AT}
    if exchange == "bybit":
        row = {"openInterest": value, "timestamp": str(AT)}
        found = {"symbol": "BTCUSDT", "category": "linear", "list": [row], "nextPageCursor": ""}
        return bybit_fake.enveloped(found)
    if exchange == "kucoin":
        return kucoin_fake.enveloped({**kucoin_fake.INSTRUMENT, "openInterest": value})
    row = {"instId": "BTC-USDT-SWAP", "instType": "SWAP", "oi": value, "ts": str(AT)}
    return {"code": "0", "msg": "", "data": [row | {"oiCcy": "1.0", "oiUsd": "57000"}]}


def interest_of(monkeypatch, exchange, value):
    asked = []

    def answered(seen):
        if seen.path != INTEREST_PATHS[exchange]:
            return answer_of(exchange)(seen)
        asked.append(seen)
        return 200, interest_told(exchange, value)

    async def act(market, _broker, _seen):
        return await market.open_interest(SYMBOL)

    return at_real_hosts(monkeypatch, exchange, Mode.PAPER, None, answered, act), asked


@pytest.mark.parametrize(
    ("exchange", "expected", "query"),
    [
        ("binance", "10659.509", {"symbol": "BTCUSDT"}),
        ("bybit", "10659.509", {"symbol": "BTCUSDT", "category": "linear", "intervalTime": "5min"}),
        ("okx", "106.59509", {"instType": "SWAP", "instId": "BTC-USDT-SWAP", "uly": "BTC-USDT"}),
        ("kucoin", "10.659509", {}),
    ],
)
def test_open_interest_is_read_in_base_units(monkeypatch, exchange, expected, query):
    found, asked = interest_of(monkeypatch, exchange, "10659.509")
    assert found == Decimal(expected)
    assert [dict(parse_qsl(one.query)) for one in asked] == [query]


@pytest.mark.parametrize("exchange", INTEREST_PATHS)
@pytest.mark.parametrize("value", ["", "-1", "NaN", None])
def test_an_open_interest_that_makes_no_sense_is_not_believed(monkeypatch, exchange, value):
    with pytest.raises(Temporary):
        interest_of(monkeypatch, exchange, value)


def test_the_practice_market_says_what_it_will_charge(practice):
    async def go():
        market = CcxtMarket(*connect(configuration(practice.url, Mode.PAPER), None, None))
        try:
            await market.open()
            rates = await market.funding(SYMBOL), await market.open_interest(SYMBOL)
            return *rates, await market.trades(SYMBOL)
        finally:
            await market.close()

    found, interest, trades = asyncio.run(go())
    assert Decimal(10_000) < interest < Decimal(1_000_000)
    now = datetime.now(UTC)
    assert now - timedelta(minutes=1) < found.next_at <= now + timedelta(hours=8)
    assert found.next_at.hour % 8 == 0
    assert abs(found.rate) < Decimal("0.01")
    assert {trade.side for trade in trades} == set(Side)


def test_binance_s_tape_is_read_where_it_is_cheap(monkeypatch):
    row = {"id": 28457, "price": "57000.5", "qty": "0.014", "quoteQty": "798.0"}
    row |= {"time": AT, "isBuyerMaker": True}

    def answered(seen):
        return (200, [row]) if seen.path == "/fapi/v1/trades" else answer_of("binance")(seen)

    async def act(market, _broker, seen):
        before = len(seen)
        return await market.trades(SYMBOL), [one.path for one in seen[before:]]

    trades, paths = at_real_hosts(monkeypatch, "binance", Mode.PAPER, None, answered, act)
    assert paths == ["/fapi/v1/trades"]
    assert trades == [PublicTrade(DUE, Decimal("57000.5"), Decimal("0.014"), Side.SELL)]


@pytest.mark.parametrize(("field", "value"), [("fundingRate", None), ("fundingTimestamp", "soon")])
def test_what_makes_no_sense_is_not_believed(field, value):
    row = {"fundingRate": "0.0001", "fundingTimestamp": AT, "interval": None}
    with pytest.raises(Temporary):
        sanity.funding(SYMBOL, row | {field: value})
