"""What KuCoin does otherwise than the others, each as its documentation says it.

Sources as in runner/exchange/quirks/kucoin.py; the answers are the pages' own examples.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner.errors import Operational, Temporary
from runner.exchange.base import Account, OrderKind, OrderRequest, Rights, VenuePosition
from runner.exchange.quirks import kucoin_reports
from runner.protocol import FlowKind, Mode, OrderStatus, Side
from tests.fakes.venues.kucoin import INSTRUMENT, enveloped, refusal
from tests.runner.exchange.answers.kucoin import answer
from tests.runner.exchange.real_hosts import at_real_hosts
from tests.runner.exchange.test_fake_venues import KEY, STOP, intent, run
from tests.runner.machine import SYMBOL

BUY = OrderRequest("plx1", SYMBOL, Side.BUY, OrderKind.MARKET, Decimal("0.02"))
# "Get Order By OrderId" and "Get Recent Closed Orders".
ORDER = {
    "id": "236655147005071361",
    "symbol": "XBTUSDTM",
    "type": "limit",
    "side": "buy",
    "price": "0.1",
    "size": 1,
    "stop": "",
    "stopPriceType": "",
    "stopTriggered": False,
    "stopPrice": None,
    "clientOid": "5c52e11203aa677f33e493fb",
    "isActive": True,
    "cancelExist": False,
    "avgDealPrice": "0",
    "filledSize": 0,
    "status": "open",
    "reduceOnly": False,
}
DONE = {"type": "market", "price": "0", "isActive": False, "status": "done"}


def asked(monkeypatch, mode, answers, act, key=KEY):
    """``act(market, broker)`` where ``answers`` maps a path to KuCoin's answer."""

    def answered(seen):
        known = answers.get(seen.path)
        return answer(seen) if known is None else (200, known)

    async def go(market, broker, seen):
        before = len(seen)
        return await act(market, broker), seen[before:]

    return at_real_hosts(monkeypatch, "kucoin", mode, key, answered, go)


TRADED = {"filledSize": 1, "avgDealPrice": "67430.9"}
STOPS = {"type": "market", "stop": "down", "stopPrice": "59000"}


@pytest.mark.parametrize(
    ("row", "kind", "status", "told"),
    [
        ({}, OrderKind.LIMIT, OrderStatus.OPEN, ("0", None, "0.1")),
        ({"size": 3} | TRADED, OrderKind.LIMIT, OrderStatus.PARTIAL, ("0.001", "67430.9", "0.1")),
        (DONE | TRADED, OrderKind.MARKET, OrderStatus.FILLED, ("0.001", "67430.9", None)),
        (DONE | {"cancelExist": True}, OrderKind.MARKET, OrderStatus.CANCELLED, ("0", None, None)),
        (
            {"size": 2} | DONE | TRADED,
            OrderKind.MARKET,
            OrderStatus.CANCELLED,
            ("0.001", "67430.9", None),
        ),
        (STOPS, OrderKind.STOP_MARKET, OrderStatus.OPEN, ("0", None, "59000")),
        (
            DONE | STOPS | TRADED | {"stopTriggered": True},
            OrderKind.STOP_MARKET,
            OrderStatus.FILLED,
            ("0.001", "67430.9", "59000"),
        ),
    ],
)
def test_an_order_in_each_state_is_read_as_documented(monkeypatch, row, kind, status, told):
    answers = {"/api/v1/orders/byClientOid": enveloped(ORDER | row)}
    request = replace(BUY, kind=kind)

    async def act(_market, broker):
        return await broker.find(request)

    found, _ = asked(monkeypatch, Mode.LIVE, answers, act)
    assert (found.kind, found.status) == (kind, status)
    assert (found.filled, found.average, found.price) == tuple(it and Decimal(it) for it in told)
    assert (found.client_id, found.venue_id) == (ORDER["clientOid"], ORDER["id"])


def test_a_state_nobody_documents_leads_to_no_conclusion(monkeypatch):
    answers = {"/api/v1/orders/byClientOid": enveloped(ORDER | {"status": "match"})}

    async def act(_market, broker):
        with pytest.raises(Temporary, match="unknown state of an order: 'match'"):
            await broker.find(BUY)

    asked(monkeypatch, Mode.LIVE, answers, act)


def test_one_code_says_both_that_there_is_no_order_and_that_a_parameter_is_wrong(monkeypatch):
    path = "/api/v1/orders/byClientOid"

    async def act(_market, broker):
        assert await broker.find(BUY) is None

    asked(monkeypatch, Mode.LIVE, {}, act)

    async def fails(_market, broker):
        with pytest.raises(Operational, match="did not accept the request"):
            await broker.find(BUY)

    wrong = refusal("100001", "There are invalid parameters")
    asked(monkeypatch, Mode.LIVE, {path: wrong}, fails)


def test_positions_balance_and_fills_are_read_as_documented(monkeypatch):
    position = {
        "symbol": "XBTUSDTM",
        "currentQty": -3,
        "isOpen": True,
        "avgEntryPrice": 67430.9,
        "settleCurrency": "USDT",
        "marginMode": "CROSS",
        "positionSide": "BOTH",
    }
    overview = {"accountEquity": 394.439280806, "unrealisedPNL": 20.15278}
    overview |= {"marginBalance": 371.394298816, "currency": "USDT"}
    fill = {
        "symbol": "XBTUSDTM",
        "tradeId": "1828954878212",
        "orderId": "284486580251463680",
        "side": "buy",
        "liquidity": "taker",
        "price": "86275.1",
        "size": 1,
        "feeCurrency": "USDT",
        "fee": "0.05176506",
        "tradeType": "liquid",
        "tradeTime": 1740640088244000000,
    }
    page = {"currentPage": 1, "pageSize": 50, "totalNum": 1, "totalPage": 1, "items": [fill]}
    cancelled = fill | {"tradeId": "2", "tradeType": "cancel"}
    answers = {
        "/api/v1/positions": enveloped([position]),
        "/api/v1/account-overview": enveloped(overview),
        "/api/v1/fills": enveloped(page),
        "/api/v1/recentFills": enveloped([fill, cancelled]),
    }

    async def act(_market, broker):
        # The day of the example; further back KuCoin keeps nothing.
        since = datetime(2025, 2, 27, tzinfo=UTC)
        fills = await broker.executions(SYMBOL, since)
        return await broker.positions(), await broker.account(), fills

    (positions, account, fills), _ = asked(monkeypatch, Mode.LIVE, answers, act)
    assert positions == [VenuePosition(SYMBOL, Decimal("-0.003"), Decimal("67430.9"))]
    assert account == Account(Decimal("371.394298816"), Decimal("20.15278"))
    (one,) = fills
    assert (one.quantity, one.fee, one.reason) == (
        Decimal("0.001"),
        Decimal("0.05176506"),
        "liquidation",
    )
    assert one.at == datetime(2025, 2, 27, 7, 8, 8, 244000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "amount", "expected"),
    [
        ("TransferIn", 0.01, (FlowKind.DEPOSIT, Decimal("0.01"))),
        ("TransferOut", 0.01, (FlowKind.WITHDRAWAL, Decimal("-0.01"))),
        ("TransferOut", -0.01, (FlowKind.WITHDRAWAL, Decimal("-0.01"))),
        ("Withdrawal", 5, (FlowKind.WITHDRAWAL, Decimal(-5))),
        ("SomethingNew", -2, (FlowKind.OTHER, Decimal(-2))),
    ],
)
def test_what_goes_out_is_below_zero_however_it_is_written(kind, amount, expected):
    row = {"time": 1728665747000, "type": kind, "amount": amount, "offset": 51360793}
    found = kucoin_reports.flow(row | {"currency": "USDT"})
    assert (found.kind, found.amount) == expected


def test_an_opening_order_repeats_the_symbol_s_own_leverage_and_never_one(tmp_path):
    """ccxt would write 1 into each order; the margin held for it would be the whole value."""

    async def story(fake, bench, _desk):
        fake.leverage, sent = "20", []
        create = fake.account.place

        def place(*order):
            sent.append(order)
            return create(*order)

        fake.account.place = place
        await bench.broker.place(BUY)
        await bench.broker.place(replace(BUY, client_id="plx2"))
        assert fake.log.count(("GET", "/api/v2/getCrossUserLeverage")) == 1, "read once"
        await bench.broker.set_leverage(SYMBOL, 3)
        await bench.broker.place(replace(BUY, client_id="plx3"))
        assert fake.log.count(("GET", "/api/v2/getCrossUserLeverage")) == 2, "read anew"

    run("kucoin", tmp_path, story)


def test_a_stop_costs_no_look_beforehand(tmp_path):
    async def story(fake, bench, desk):
        await desk.submit(intent("entry"))
        await desk.settle()
        before = len(fake.log)
        await desk.submit(STOP)
        assert fake.log[before] == ("POST", "/api/v1/orders")

    run("kucoin", tmp_path, story)


def test_a_symbol_in_isolated_margin_is_refused_and_never_traded_so(tmp_path):
    async def story(fake, bench, _desk):
        fake.margin_mode = "ISOLATED"
        with pytest.raises(Operational, match="sign in at the venue"):
            await bench.broker.place(BUY)
        assert not fake.account.orders

    run("kucoin", tmp_path, story)


def test_part_of_a_lot_is_not_rounded_to_one_nobody_decided(tmp_path):
    async def story(fake, bench, _desk):
        with pytest.raises(Operational, match=r"0\.0205 is no whole number of KuCoin's lots"):
            await bench.broker.place(replace(BUY, quantity=Decimal("0.0205")))
        assert not fake.account.orders

    run("kucoin", tmp_path, story)


def test_fills_the_history_does_not_show_yet_are_found_among_the_latest(tmp_path):
    async def story(fake, bench, desk):
        fake.delayed = True
        await desk.submit(intent("entry"))
        await desk.settle()
        assert desk.quantity(SYMBOL) == Decimal("0.02")
        assert desk.fill_count == 1

    run("kucoin", tmp_path, story)


def test_a_wait_the_venue_asks_for_is_kept(tmp_path):
    async def story(fake, bench, _desk):
        limited = refusal("429000", "Too Many Requests")
        fake.trouble["/api/v1/positions"] = [(429, limited, {"gw-ratelimit-reset": "20000"})]
        with pytest.raises(Temporary, match="asks for fewer requests") as caught:
            await bench.broker.positions()
        wait = caught.value.retry_at - datetime.now(UTC)
        assert timedelta(seconds=15) < wait <= timedelta(seconds=20)
        before = len(fake.log)
        with pytest.raises(Temporary, match="asked to wait until"):
            await bench.broker.account()
        assert len(fake.log) == before

    run("kucoin", tmp_path, story)


def test_a_page_of_maintenance_is_one_for_now_and_an_order_behind_it_unknown(tmp_path):
    async def story(fake, bench, desk):
        page = (503, "<html>Service Unavailable</html>", {})
        fake.trouble["/api/v1/positions"] = [page]
        with pytest.raises(Temporary):
            await bench.broker.positions()
        fake.trouble["/api/v1/orders"] = [page]
        order = await desk.submit(intent("entry"))
        assert order.status is OrderStatus.UNKNOWN
        await desk.settle()
        assert desk.order(order.client_id).status is OrderStatus.REJECTED

    run("kucoin", tmp_path, story)


KEY_INFO = {
    "remark": "account1",
    "apiKey": "6705f5c311545b000157d3eb",
    "apiVersion": 3,
    "permission": "General,Futures,Spot,Earn,InnerTransfer,Transfer,Margin",
    "ipWhitelist": "203.**.154,103.**.34",
    "createdAt": 1728443843000,
    "uid": 165111215,
    "isMaster": True,
}


@pytest.mark.parametrize(
    ("permission", "addresses", "expected"),
    [
        (KEY_INFO["permission"], KEY_INFO["ipWhitelist"], (True, True, None)),
        ("General,Futures", "1.2.3.4,5.6.7.8", (True, False, ("1.2.3.4", "5.6.7.8"))),
        ("General,Futures,FlexTransfers", "", (True, False, ())),
        ("General,Spot,Withdrawal", None, (False, True, ())),
    ],
)
def test_the_rights_of_a_live_key_are_told_by_the_other_host(
    monkeypatch, permission, addresses, expected
):
    told = KEY_INFO | {"permission": permission, "ipWhitelist": addresses}

    async def act(_market, broker):
        return await broker.rights()

    answers = {"/api/v1/user/api-key": enveloped(told)}
    rights, seen = asked(monkeypatch, Mode.LIVE, answers, act)
    trade, withdraw, bound = expected
    assert rights == Rights(trade, withdraw, bound, None, "165111215")
    assert {one.host for one in seen} == {"api.kucoin.com"}


def test_no_request_names_a_partner_and_instruments_need_no_signature(monkeypatch):
    async def act(_market, broker):
        await broker.account()

    def answered(seen):
        everything.append(seen)
        if seen.path == "/api/v1/account-overview":
            return 200, enveloped({"marginBalance": 1, "unrealisedPNL": 0})
        return answer(seen)

    async def go(market, broker, _seen):
        await act(market, broker)

    everything = []
    at_real_hosts(monkeypatch, "kucoin", Mode.LIVE, KEY, answered, go)
    assert [one.path for one in everything] == [
        "/api/v1/contracts/active",
        "/api/v1/account-overview",
    ]
    public, private = everything
    assert not [name for name in public.headers if name.upper().startswith("KC-")]
    named = {name.upper() for name in private.headers if name.upper().startswith("KC-")}
    assert named == {
        f"KC-API-{word}" for word in ("KEY", "KEY-VERSION", "PASSPHRASE", "SIGN", "TIMESTAMP")
    }


def test_a_contract_without_a_next_funding_hides_no_other(monkeypatch):
    """ccxt takes it for one that ends, and fails for want of the day."""
    halted = INSTRUMENT | {"symbol": "OLDUSDTM", "nextFundingRateTime": None}
    answers = {"/api/v1/contracts/active": enveloped([halted, INSTRUMENT])}

    async def act(market, _broker):
        rules = market.instrument(SYMBOL)
        with pytest.raises(Operational, match="does not list OLD"):
            market.instrument("OLD/USDT:USDT")
        return rules

    rules, _ = asked(monkeypatch, Mode.PAPER, answers, act, None)
    assert (rules.step, rules.min_quantity, rules.tick) == tuple(
        map(Decimal, ("0.001", "0.001", "0.1"))
    )
    assert (rules.taker_fee, rules.maker_fee) == (Decimal("0.0006"), Decimal("0.0002"))


@pytest.mark.parametrize(("wanted", "path"), [(5, "depth20"), (20, "depth20"), (100, "depth100")])
def test_the_book_comes_in_twenty_levels_or_a_hundred(monkeypatch, wanted, path):
    book = {"sequence": 1, "symbol": "XBTUSDTM", "ts": 1729168101216000000}
    book |= {"bids": [[66968, 2], [66964.8, 25596]], "asks": [[66968.1, 13501]]}
    answers = {f"/api/v1/level2/{path}": enveloped(book)}

    async def act(market, _broker):
        return await market.book(SYMBOL, wanted)

    found, seen = asked(monkeypatch, Mode.PAPER, answers, act, None)
    assert found.bids[0] == (Decimal(66968), Decimal("0.002"))
    assert found.asks == ((Decimal("66968.1"), Decimal("13.501")),)
    assert len(seen) == 1


def test_candles_are_asked_for_in_minutes_and_their_volumes_are_lots(monkeypatch):
    rows = [
        [1728576000000, 60791.1, 61035, 58940, 60300, 5501167],
        [1728604800000, 60299.9, 60924.1, 60077.4, 60666.1, 1220980],
    ]

    async def act(market, _broker):
        with pytest.raises(Operational, match="kucoin has no 3m candles"):
            await market.candles(SYMBOL, "3m", 2)
        return await market.past(SYMBOL, "8h", datetime(2024, 10, 10, 16, tzinfo=UTC), 2)

    answers = {"/api/v1/kline/query": enveloped(rows)}
    found, (seen,) = asked(monkeypatch, Mode.PAPER, answers, act, None)
    assert "granularity=480" in seen.query
    assert [candle.volume for candle in found] == [Decimal("5501.167"), Decimal("1220.98")]
    assert found[0].close == 60300


def test_mark_and_tape_are_read_as_documented(monkeypatch):
    mark = {"symbol": "XBTUSDTM", "granularity": 1000, "value": 67687.08, "indexPrice": 67683.58}
    trade = {"sequence": 1697915257909, "contractId": 1, "tradeId": "1697915257909", "size": 1}
    trade |= {"ts": 1729242032152000000, "price": "67878", "side": "sell"}
    answers = {
        "/api/v1/mark-price/XBTUSDTM/current": enveloped(mark),
        "/api/v1/trade/history": enveloped([trade]),
        "/api/v1/timestamp": enveloped(1729260030774),
    }

    async def act(market, _broker):
        return await market.mark(SYMBOL), await market.trades(SYMBOL), await market.time()

    (price, (one,), now), _ = asked(monkeypatch, Mode.PAPER, answers, act, None)
    assert price == Decimal("67687.08")
    assert (one.price, one.quantity, one.side) == (Decimal(67878), Decimal("0.001"), Side.SELL)
    assert now.year == 2024


def test_the_passphrase_never_goes_in_clear(monkeypatch):
    async def act(_market, broker):
        await broker.find(BUY)

    _, seen = asked(monkeypatch, Mode.LIVE, {}, act)
    for one in seen:
        whole = json.dumps(dict(one.headers)) + one.raw_path + one.body
        assert KEY.passphrase not in whole
