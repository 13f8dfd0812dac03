"""Each fault as the unmodified ccxt class meets it, and what the ledger says afterwards."""

import asyncio
import time
from decimal import Decimal

import ccxt
import pytest

from app.practice import keys
from tests.practice.client import BTC, ask, get, trade

ORDER = {"method": "POST", "path": "/fapi/v1/order"}


async def buy(client, name, **params):
    return await client.create_order(BTC, "market", "buy", 0.01, None, {"newClientOrderId": name})


async def orders_named(client, name):
    rows = await client.fapiPrivateGetAllOrders({"symbol": "BTCUSDT"})
    return [one for one in rows if one["clientOrderId"] == name]


async def ledger_is_whole(client):
    """Wallet = sum of incomes, position = sum of fills, filled quantities = fills."""
    incomes = await client.fapiPrivateGetIncome({"limit": 1000})
    account = await client.fapiPrivateV3GetAccount()
    assert sum(Decimal(one["income"]) for one in incomes) == Decimal(account["totalWalletBalance"])
    trades = await client.fapiPrivateGetUserTrades({"symbol": "BTCUSDT", "limit": 1000})
    signed = sum(Decimal(one["qty"]) * (1 if one["buyer"] else -1) for one in trades)
    held = await client.fapiPrivateV3GetPositionRisk({"symbol": "BTCUSDT"})
    assert sum(Decimal(one["positionAmt"]) for one in held) == signed
    orders = await client.fapiPrivateGetAllOrders({"symbol": "BTCUSDT", "limit": 1000})
    executed = sum(Decimal(one["executedQty"]) for one in orders)
    assert executed == sum(Decimal(one["qty"]) for one in trades)


@pytest.mark.parametrize(
    ("fault", "raised", "said", "exists"),
    [
        ({"kind": "error_5xx"}, ccxt.OperationFailed, "Service Unavailable", 0),
        ({"kind": "error_5xx", "amount": 502}, ccxt.OperationFailed, "Service Unavailable", 0),
        ({"kind": "maintenance"}, ccxt.BadRequest, "-1016", 0),
        ({"kind": "timeout_before_accept"}, ccxt.RequestTimeout, "POST http", 0),
        ({"kind": "timeout_before_accept", "seconds": 0.1}, ccxt.NetworkError, "POST http", 0),
        ({"kind": "error_after"}, ccxt.OperationFailed, "Unknown error, please check", 1),
        ({"kind": "timeout_after_accept"}, ccxt.RequestTimeout, "POST http", 1),
        ({"kind": "timeout_after_accept", "seconds": 0.1}, ccxt.NetworkError, "POST http", 1),
        ({"kind": "disconnect"}, ccxt.ExchangeError, "POST http", 1),
    ],
)
def test_an_order_without_a_good_answer_exists_once_or_not_at_all(
    base, switch, fault, raised, said, exists
):
    patience = 400 if raised is ccxt.RequestTimeout else 10_000

    async def work(client):
        client.timeout = patience
        with pytest.raises(raised, match=said):
            await buy(client, "lost")
        client.timeout = 10_000
        assert len(await orders_named(client, "lost")) == exists
        await buy(client, "next")
        assert len(await orders_named(client, "next")) == 1
        await ledger_is_whole(client)

    switch({**fault, "match": ORDER, "count": 1})
    trade(base, work)


def test_a_delayed_order_is_applied_though_its_caller_has_left(base, switch):
    async def work(client):
        client.timeout = 200
        with pytest.raises(ccxt.RequestTimeout):
            await buy(client, "late")
        client.timeout = 10_000
        assert await orders_named(client, "late") == []
        for _ in range(200):
            if await orders_named(client, "late"):
                break
            await asyncio.sleep(0.05)
        assert len(await orders_named(client, "late")) == 1
        await ledger_is_whole(client)

    switch({"kind": "delay", "seconds": 1, "match": ORDER, "count": 1})
    trade(base, work)


def test_a_resting_order_delivered_twice_is_refused_and_stands(base, switch):
    async def work(client):
        price = round((await client.fetch_order_book(BTC, 5))["bids"][0][0] * 0.97, 1)
        with pytest.raises(ccxt.ExchangeError, match="-4116"):
            await client.create_order(
                BTC, "limit", "buy", 0.01, price, {"newClientOrderId": "twice"}
            )
        assert [one["status"] for one in await orders_named(client, "twice")] == ["NEW"]
        await ledger_is_whole(client)

    switch({"kind": "duplicate_answer", "match": ORDER, "count": 1})
    trade(base, work)


def test_a_filled_order_delivered_twice_is_doubled_and_noted(base, switch):
    credentials = keys.new_key()

    async def work(client):
        await buy(client, "doubled")
        assert len(await orders_named(client, "doubled")) == 2
        await ledger_is_whole(client)

    switch({"kind": "duplicate_answer", "match": ORDER | {"account": credentials[0]}})
    trade(base, work, credentials)
    rows = get(f"{base}/practice/v1/violations")[1]
    mine = [row for row in rows if row["account"] == keys.masked(credentials[0])]
    assert [(row["kind"], row["count"]) for row in mine] == [("doubled_order", 1)]
    assert "doubled" in mine[0]["what"]


@pytest.mark.parametrize("status", [418, 429])
def test_a_banned_address_is_told_for_how_long(base, switch, status):
    async def work(client):
        with pytest.raises((ccxt.DDoSProtection, ccxt.RateLimitExceeded), match="banned until"):
            await client.fetch_ohlcv(BTC, "1m", limit=3)
        # The ban is of the address, whatever it asks next, though the fault is spent.
        with pytest.raises((ccxt.DDoSProtection, ccxt.RateLimitExceeded)):
            await buy(client, "banned")
        return client.last_response_headers

    async def when_lifted(client):
        assert await orders_named(client, "banned") == []
        await buy(client, "banned")

    match = {"path": "*/klines", "address": "127.0.0.1"}
    [name] = switch(
        {"kind": "rate_ban", "seconds": 90, "amount": status, "count": 1, "match": match}
    )
    headers = trade(base, work)
    assert 80 < int(headers["Retry-After"]) <= 90
    assert get(f"{base}/fapi/v1/ping", source="127.64.0.3")[0] == 200
    assert get(f"{base}/fapi/v1/ping")[0] == status
    assert ask("DELETE", f"{base}/practice/v1/faults", params={"id": name})[1] == {"cleared": 1}
    trade(base, when_lifted)


@pytest.mark.parametrize("ahead", [-60_000, 60_000])
def test_a_skewed_clock_refuses_until_the_caller_follows_it(base, switch, ahead):
    async def work(client):
        assert abs(await client.fetch_time() - ahead - client.milliseconds()) < 30_000
        with pytest.raises(ccxt.InvalidNonce):
            await client.fetch_balance()
        client.options["adjustForTimeDifference"] = True
        await client.load_time_difference()
        await buy(client, "in-time")
        # Trading goes by the true clock, so that nothing of it is put out of order.
        [order] = await orders_named(client, "in-time")
        assert abs(int(order["time"]) - client.milliseconds()) < 30_000

    switch({"kind": "clock_skew", "amount": ahead})
    trade(base, work)
    told = get(f"{base}/practice/v1/whoami")[1]["time"]
    assert abs(told - ahead - time.time() * 1000) < 30_000


async def seen(client):
    book = await client.fetch_order_book(BTC, 20)
    candles = await client.fetch_ohlcv(BTC, "1s", limit=5)
    ticker = await client.fetch_ticker(BTC)
    return book["bids"], book["asks"], candles, ticker["info"]["lastPrice"]


def test_stale_data_stands_still_while_time_and_trading_go_on(base, switch):
    async def work(client):
        stale = {"kind": "stale_data", "match": {"symbol": BTC}}
        [name] = await asyncio.to_thread(switch, stale)
        first, told = await seen(client), await client.fetch_time()
        await asyncio.sleep(1.2)  # the candles are of one second each
        assert await seen(client) == first
        assert await client.fetch_time() > told
        await buy(client, "blind")
        assert len(await orders_named(client, "blind")) == 1
        params = {"id": name}
        await asyncio.to_thread(ask, "DELETE", f"{base}/practice/v1/faults", params=params)
        assert (await seen(client))[2][-1][0] > first[2][-1][0]

    trade(base, work)


def test_faults_meet_only_whom_they_match(base, switch):
    mine, other = keys.new_key(), keys.new_key()
    switch({"kind": "error_5xx", "match": {"account": mine[0], "symbol": "ETH/USDT:USDT"}})

    async def both(client):
        await buy(client, "btc")
        return await client.create_order("ETH/USDT:USDT", "market", "buy", 0.1)

    assert trade(base, both, other)["id"]
    with pytest.raises(ccxt.OperationFailed):
        trade(base, both, mine)
    assert mine[0] not in str(get(f"{base}/practice/v1/faults")[1])


def test_a_storm_of_faults_leaves_a_whole_ledger(base, switch):
    kinds = ("error_5xx", "error_after", "disconnect", "timeout_after_accept")
    storm = [
        {"kind": kind, "probability": 0.25, "match": ORDER, "id": f"storm-{kind}"}
        | ({"seconds": 0.05} if kind.startswith("timeout") else {})
        for kind in kinds
    ]
    switch(*storm)

    async def work(client):
        answered = []
        for k in range(30):
            try:
                await buy(client, f"storm-{k}")
                answered.append(k)
            except (ccxt.OperationFailed, ccxt.ExchangeError):
                continue
        names = [
            one["clientOrderId"]
            for one in await client.fapiPrivateGetAllOrders({"symbol": "BTCUSDT"})
        ]
        assert len(names) == len(set(names))
        assert {f"storm-{k}" for k in answered} <= set(names)
        await ledger_is_whole(client)
        return len(answered), len(names)

    answered, existing = trade(base, work)
    assert answered < existing < 30
