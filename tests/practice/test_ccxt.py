"""The proof of the whole: the unmodified ccxt class trades here end to end."""

import asyncio
import time

import ccxt
import pytest

from app.practice.instruments import INSTRUMENTS
from tests.practice.client import BTC, ETH, SOL, trade

SYMBOLS = (BTC, ETH, SOL)


def test_markets_are_what_the_table_says(base):
    async def work(client):
        return client.markets

    markets = trade(base, work)
    assert set(markets) == set(SYMBOLS)
    for market in markets.values():
        instrument = INSTRUMENTS[market["id"]]
        assert (market["swap"], market["linear"], market["active"]) == (True, True, True)
        assert market["precision"]["price"] == float(instrument.tick)
        assert market["precision"]["amount"] == float(instrument.step)
        assert market["limits"]["cost"]["min"] == float(instrument.min_notional)


@pytest.mark.parametrize("timeframe", ["1s", "1m", "5m", "15m", "1h", "4h", "1d"])
def test_candles_of_thirty_days_are_there_at_once(base, timeframe):
    async def work(client):
        latest = await client.fetch_ohlcv(BTC, timeframe, limit=100)
        start = client.milliseconds() - 30 * 86_400_000
        early = await client.fetch_ohlcv(BTC, timeframe, since=start, limit=20)
        pair = {"until": early[9][0]}
        part = await client.fetch_ohlcv(BTC, timeframe, since=early[0][0], params=pair)
        return latest, start, early, part

    latest, start, early, part = trade(base, work)
    step = ccxt.Exchange.parse_timeframe(timeframe) * 1000
    for rows in (latest, early):
        assert [row[0] for row in rows] == list(
            range(rows[0][0], rows[0][0] + step * len(rows), step)
        )
        for _at, opened, high, low, closed, volume in rows:
            assert 0 < low <= min(opened, closed) <= max(opened, closed) <= high
            assert volume > 0
    assert len(latest) == 100
    assert latest[-1][0] <= time.time() * 1000 < latest[-1][0] + step + 2000
    assert 0 <= early[0][0] - start < step
    assert part == early[:10]


def test_fifteen_hundred_candles_in_one_answer(base):
    async def work(client):
        return await client.fapiPublicGetKlines(
            {"symbol": "BTCUSDT", "interval": "1m", "limit": 1500}
        )

    assert len(trade(base, work)) == 1500


def test_what_everyone_can_see(base):
    async def work(client):
        book = await client.fetch_order_book(ETH, 50)
        assert len(book["bids"]) == len(book["asks"]) == 50
        assert book["bids"][0][0] < book["asks"][0][0]
        ticker = await client.fetch_ticker(ETH)
        assert ticker["low"] <= ticker["last"] <= ticker["high"]
        assert ticker["low"] <= ticker["vwap"] <= ticker["high"]
        prints = await client.fetch_trades(ETH, limit=50)
        assert len(prints) == 50
        since = prints[10]["timestamp"]
        again = await client.fetch_trades(ETH, since=since, limit=5)
        assert [one["id"] for one in again] == [
            one["id"] for one in prints if one["timestamp"] >= since
        ][:5]
        assert abs(await client.fetch_time() - time.time() * 1000) < 5000
        assert len(await client.fetch_tickers()) == 3
        assert len(await client.fetch_bids_asks()) == 3
        assert (await client.fetch_mark_price(ETH))["markPrice"] > 0
        return await client.fetch_funding_rate(ETH), await client.fetch_funding_rate_history(ETH)

    rate, history = trade(base, work)
    assert abs(rate["fundingRate"]) < 0.01
    assert rate["fundingTimestamp"] % (8 * 3_600_000) == 0
    assert len(history) == 100


def test_a_round_trip(base):
    async def work(client):
        assert (await client.fetch_balance())["USDT"]["total"] == 10_000
        await client.set_leverage(10, SOL)
        with pytest.raises(ccxt.MarginModeAlreadySet):
            await client.set_margin_mode("cross", SOL)
        assert (await client.fetch_position_mode(SOL))["hedged"] is False
        bought = await client.create_order(SOL, "market", "buy", 20, None, {"clientOrderId": "in"})
        assert (bought["status"], bought["filled"]) == ("closed", 20)
        assert bought["clientOrderId"] == "in"
        positions = await client.fetch_positions([SOL])
        assert [(one["side"], one["contracts"]) for one in positions] == [("long", 20)]
        assert positions[0]["entryPrice"] == pytest.approx(bought["average"])
        assert (await client.fetch_leverages([SOL]))[SOL]["longLeverage"] == 10
        sold = await client.create_order(SOL, "market", "sell", 20, None, {"reduceOnly": True})
        fills = await client.fetch_my_trades(SOL)
        assert {one["order"] for one in fills} == {bought["id"], sold["id"]}
        assert all(one["takerOrMaker"] == "taker" for one in fills)
        fees = sum(one["fee"]["cost"] for one in fills)
        assert fees == pytest.approx((bought["cost"] + sold["cost"]) * 0.0004)
        assert await client.fetch_positions([SOL]) == []
        total = (await client.fetch_balance())["USDT"]["total"]
        assert total == pytest.approx(10_000 + sold["cost"] - bought["cost"] - fees)
        kinds = {one["incomeType"] for one in await client.fapiPrivateGetIncome()}
        assert kinds >= {"TRANSFER", "COMMISSION"}
        assert ("REALIZED_PNL" in kinds) == (sold["average"] != bought["average"])
        assert await client.fetch_funding_history(SOL) == []

    trade(base, work)


def test_a_resting_order_from_birth_to_cancellation(base):
    async def work(client):
        low = round((await client.fetch_ticker(BTC))["last"] * 0.97, 1)
        more = {"clientOrderId": "rest", "postOnly": True}
        placed = await client.create_order(BTC, "limit", "buy", 0.01, low, more)
        assert (placed["status"], placed["timeInForce"], placed["price"]) == ("open", "PO", low)
        used = (await client.fetch_balance())["USDT"]["used"]
        assert used == pytest.approx(low * 0.01 / 20)
        by_id = await client.fetch_order(placed["id"], BTC)
        by_name = await client.fetch_order(None, BTC, {"origClientOrderId": "rest"})
        assert by_id["id"] == by_name["id"] == placed["id"]
        assert [one["id"] for one in await client.fetch_open_orders(BTC)] == [placed["id"]]
        gone = await client.cancel_order(None, BTC, {"origClientOrderId": "rest"})
        assert gone["status"] == "canceled"
        for _ in range(2):
            await client.create_order(BTC, "limit", "buy", 0.01, low)
        await client.cancel_all_orders(BTC)
        assert await client.fetch_open_orders(BTC) == []
        assert {one["status"] for one in await client.fetch_orders(BTC)} == {"canceled"}

    trade(base, work)


def test_a_conditional_order_from_birth_to_cancellation(base):
    async def work(client):
        await client.create_order(BTC, "market", "buy", 0.01)
        last = (await client.fetch_ticker(BTC))["last"]
        for name, key, factor in (("s", "stopLossPrice", 0.95), ("t", "takeProfitPrice", 1.05)):
            more = {key: round(last * factor, 1), "reduceOnly": True, "clientOrderId": name}
            placed = await client.create_order(BTC, "market", "sell", 0.01, None, more)
            assert (placed["status"], placed["clientOrderId"]) == ("open", name)
        waiting = await client.fetch_open_orders(BTC, params={"trigger": True})
        assert [one["clientOrderId"] for one in waiting] == ["s", "t"]
        found = await client.fetch_order(None, BTC, {"clientAlgoId": "s", "trigger": True})
        assert found["triggerPrice"] == round(last * 0.95, 1)
        assert found["reduceOnly"]
        await client.cancel_order(None, BTC, {"clientAlgoId": "s", "trigger": True})
        again = await client.fetch_order(found["id"], BTC, {"trigger": True})
        assert again["status"] == "canceled"
        await client.cancel_all_orders(BTC, {"trigger": True})
        assert await client.fetch_open_orders(BTC, params={"trigger": True}) == []

    trade(base, work)


async def bracket(client):
    """A stop and a target a dollar away: whichever way the price goes, one triggers soon."""
    orders = []
    for key, away in (("stopLossPrice", -1), ("takeProfitPrice", 1)):
        last = (await client.fetch_ticker(BTC))["last"]
        more = {key: round(last + away, 1), "reduceOnly": True}
        try:
            orders.append(await client.create_order(BTC, "market", "sell", 0.01, None, more))
        except ccxt.OrderImmediatelyFillable:
            continue
    return orders


def test_a_triggered_stop_names_the_order_it_became(base):
    async def work(client):
        await client.create_order(BTC, "market", "buy", 0.01)
        ended, waiting = [], []
        while not ended:
            waiting += await bracket(client)
            for _ in range(100):
                found = [await client.fetch_order(x["id"], BTC, {"trigger": True}) for x in waiting]
                ended = [one for one in found if one["status"] == "closed"]
                if ended:
                    break
                await asyncio.sleep(0.05)
        became = await client.fetch_order(ended[0]["info"]["actualOrderId"], BTC)
        assert (became["status"], became["filled"]) == ("closed", 0.01)
        assert float(ended[0]["info"]["actualPrice"]) == became["average"]
        assert await client.fetch_positions([BTC]) == []

    trade(base, work)


def test_isolated_margin_is_accepted(base):
    async def work(client):
        await client.set_margin_mode("isolated", ETH)
        await client.create_order(ETH, "market", "sell", 1)
        position = (await client.fetch_positions([ETH]))[0]
        assert (position["side"], position["marginMode"]) == ("short", "isolated")
        assert position["liquidationPrice"] > position["entryPrice"]
        with pytest.raises(ccxt.ExchangeError, match="-4048"):
            await client.set_margin_mode("cross", ETH)

    trade(base, work)


def test_tiers_and_fees(base):
    async def work(client):
        tiers = (await client.fetch_leverage_tiers([BTC]))[BTC]
        fee = await client.fetch_trading_fee(BTC)
        return tiers, fee

    tiers, fee = trade(base, work)
    assert (tiers[0]["maxLeverage"], tiers[0]["maintenanceMarginRate"]) == (125, 0.004)
    assert (fee["maker"], fee["taker"]) == (0.0002, 0.0004)


REFUSALS = [
    (ccxt.InvalidOrder, "-4164", "market", 0.001, None, {}),
    (ccxt.InsufficientFunds, "-2019", "market", 50, None, {}),
    (ccxt.InvalidOrder, "-2022", "market", 0.01, None, {"reduceOnly": True}),
    (ccxt.OrderNotFillable, "-5022", "limit", 0.01, 1.01, {"postOnly": True}),
    (ccxt.OrderNotFillable, "-5021", "limit", 0.01, 0.99, {"timeInForce": "FOK"}),
    (ccxt.OrderImmediatelyFillable, "-2021", "market", 0.01, None, {"stopLossPrice": 0.9}),
    (ccxt.ExchangeError, "-4016", "limit", 0.01, 1.2, {}),
]


@pytest.mark.parametrize("case", REFUSALS, ids=lambda case: case[1])
def test_refused_orders(base, case):
    kind, code, form, amount, factor, more = case

    async def work(client):
        last = (await client.fetch_ticker(BTC))["last"]
        price = None if factor is None else round(last * factor, 1)
        params = {k: round(last * v, 1) if k == "stopLossPrice" else v for k, v in more.items()}
        await client.create_order(BTC, form, "buy", amount, price, params)

    with pytest.raises(kind, match=code):
        trade(base, work)


def test_a_repeated_client_id_is_refused(base):
    async def work(client):
        low = round((await client.fetch_ticker(BTC))["last"] * 0.97, 1)
        for _ in range(2):
            await client.create_order(BTC, "limit", "buy", 0.01, low, {"clientOrderId": "one"})

    with pytest.raises(ccxt.InvalidOrder, match="-4116"):
        trade(base, work)


def test_what_does_not_exist(base):
    async def work(client):
        for params in ({}, {"trigger": True}):
            with pytest.raises(ccxt.OrderNotFound, match="-2013"):
                await client.fetch_order("77", BTC, params)
            with pytest.raises(ccxt.OrderNotFound, match="-2011"):
                await client.cancel_order("77", BTC, params)
        with pytest.raises(ccxt.BadSymbol, match="-1121"):
            await client.fapiPublicGetKlines({"symbol": "NOPE", "interval": "1m"})
        with pytest.raises(ccxt.BadRequest, match="-1120"):
            await client.fapiPublicGetKlines({"symbol": "BTCUSDT", "interval": "2m"})
        with pytest.raises(ccxt.BadRequest, match="-1111"):
            await client.fapiPrivatePostOrder(
                {"symbol": "BTCUSDT", "side": "BUY", "type": "MARKET", "quantity": "0.0105"}
            )

    trade(base, work)


def test_one_account_cannot_see_another(base):
    async def placed(client):
        low = round((await client.fetch_ticker(BTC))["last"] * 0.97, 1)
        return (await client.create_order(BTC, "limit", "buy", 0.01, low))["id"]

    order_id = trade(base, placed)

    async def work(client):
        with pytest.raises(ccxt.OrderNotFound):
            await client.fetch_order(order_id, BTC)
        with pytest.raises(ccxt.OrderNotFound):
            await client.cancel_order(order_id, BTC)
        assert await client.fetch_open_orders(BTC) == []

    trade(base, work)
