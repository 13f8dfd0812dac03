"""What the unmodified ccxt.pro class hears here, and that it is what requests answer."""

import asyncio

import pytest

from app.practice.instruments import INSTRUMENTS
from app.practice.keys import new_key
from app.practice.market import Market
from tests.practice.client import BTC, ETH, SOL, Process, joined, listen, trade


async def rested(client, symbol, side, factor, **params):
    last = (await client.fetch_ticker(symbol))["last"]
    return await client.create_order(symbol, "limit", side, 0.01, round(last * factor, 1), params)


async def heard(client, what, met):
    """Orders as they come, until one is as wanted."""
    while True:
        found = [one for one in await what() if met(one)]
        if found:
            return found[-1]


def test_a_candle_that_closed_is_the_one_requests_answer(base):
    async def work(client):
        rows = {}
        while len(rows) < 4:
            for row in await client.watch_ohlcv(BTC, "1s"):
                rows[row[0]] = row
        asked = {row[0]: row for row in await client.fetch_ohlcv(BTC, "1s", limit=20)}
        return rows, asked

    rows, asked = listen(base, work)
    for at in sorted(rows)[:-1]:
        assert rows[at] == asked[at]


def test_every_print_comes_once_and_none_is_left_out(base):
    async def work(client):
        prints = []
        while len(prints) < 40:
            prints += await client.watch_trades(ETH, params={"name": "aggTrade"})
        first = int(prints[0]["id"])
        rows = await client.fapiPublicGetAggTrades({"symbol": "ETHUSDT", "fromId": first})
        return prints, rows

    prints, rows = listen(base, work)
    assert [one["id"] for one in prints] == [str(row["a"]) for row in rows][: len(prints)]
    assert [one["amount"] for one in prints] == [float(row["q"]) for row in rows][: len(prints)]


def test_the_mark_price_is_told(base):
    async def work(client):
        return [(await client.watch_mark_price(SOL))["timestamp"] // 1000 for _ in range(2)]

    first, second = listen(base, work)
    assert second == first + 1


@pytest.fixture
def untouched(tmp_path):
    """A market of its own: no other test's gap or order has moved its book."""
    process = Process(tmp_path)
    yield process.base
    process.end()


def test_a_book_kept_by_its_changes_is_the_book(untouched):
    """Snapshots asked for in between must not leave a price that is gone."""

    async def work(client):
        for turn in range(40):
            book = await client.watch_order_book(SOL)
            if turn % 7 == 0:
                await client.fetch_order_book(SOL, 1000)
        return book["nonce"], list(book["bids"]), list(book["asks"])

    ms, *sides = listen(untouched, work)
    market = Market(INSTRUMENTS["SOLUSDT"], 7)
    one, last = market.instrument, market.last(ms)
    for asks, side in enumerate(sides):
        levels = market.book.levels(last, ms, asks=bool(asks))
        wanted = [[float(one.price(at.price)), float(one.qty(at.qty))] for at in levels]
        assert [list(level) for level in side] == wanted


def test_an_order_is_heard_of_from_birth_to_fill(base):
    async def work(client):
        heard_orders = asyncio.create_task(client.watch_orders())
        heard_trades = asyncio.create_task(client.watch_my_trades())
        await joined(client)
        placed = await client.create_order(BTC, "market", "buy", 0.01)
        orders, fills = await heard_orders, await heard_trades
        position = (await client.fetch_positions([BTC]))[0]
        return placed, orders[-1], fills[-1], position

    placed, order, fill, position = listen(base, work)
    assert (order["id"], order["status"], order["filled"]) == (placed["id"], "closed", 0.01)
    assert (order["average"], order["clientOrderId"]) == (
        placed["average"],
        placed["clientOrderId"],
    )
    assert (fill["order"], fill["amount"], fill["takerOrMaker"]) == (placed["id"], 0.01, "taker")
    assert fill["fee"]["cost"] == pytest.approx(fill["cost"] * 0.0004)
    assert position["contracts"] == 0.01


def test_positions_and_money_are_told_with_a_fill(base):
    async def work(client):
        # ccxt answers the first call with a snapshot, which is empty here.
        assert await client.watch_positions() == []
        told, balance = (
            asyncio.create_task(client.watch_positions()),
            asyncio.create_task(client.watch_balance()),
        )
        await joined(client)
        await client.create_order(BTC, "market", "buy", 0.01)
        whole = await client.fetch_balance()
        return (await told)[0], await balance, whole

    position, balance, whole = listen(base, work)
    assert (position["symbol"], position["side"], position["contracts"]) == (BTC, "long", 0.01)
    assert position["info"]["mt"] == "cross"
    assert balance["USDT"]["total"] == pytest.approx(
        float(whole["info"]["totalWalletBalance"]), abs=1e-6
    )


def test_a_cancelled_order_is_told_so(base):
    async def work(client):
        task = asyncio.create_task(
            heard(client, client.watch_orders, lambda one: one["status"] == "canceled")
        )
        await joined(client)
        placed = await rested(client, BTC, "buy", 0.97)
        await client.cancel_order(placed["id"], BTC)
        return placed, await task

    placed, order = listen(base, work)
    assert (order["id"], order["filled"]) == (placed["id"], 0)


def test_a_conditional_order_is_heard_of_under_its_own_name(base):
    async def work(client):
        task = asyncio.create_task(
            heard(client, client.watch_orders, lambda one: one["status"] == "canceled")
        )
        await joined(client)
        last = (await client.fetch_ticker(BTC))["last"]
        more = {"stopLossPrice": round(last * 0.95, 1), "clientOrderId": "stop"}
        await client.create_order(BTC, "market", "sell", 0.01, None, more)
        await client.cancel_order(None, BTC, {"clientAlgoId": "stop", "trigger": True})
        return await task

    order = listen(base, work)
    assert order["clientOrderId"] == "stop"
    assert order["info"]["tp"] == str(order["triggerPrice"])


def test_nobody_hears_of_another_account(base):
    stranger = new_key()

    async def work(client):
        task = asyncio.create_task(client.watch_orders())
        await joined(client)

        async def by_another(other):
            return await other.create_order(BTC, "market", "buy", 0.01)

        await asyncio.to_thread(trade, base, by_another, stranger)
        mine = await client.create_order(BTC, "market", "buy", 0.02)
        told = (await task)[-1]
        return mine, told, {one["id"] for one in client.orders}

    mine, told, everything = listen(base, work)
    assert told["id"] == mine["id"]
    assert everything == {mine["id"]}
