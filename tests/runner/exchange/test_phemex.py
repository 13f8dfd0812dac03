"""What is Phemex's alone: its traps, and its documented answers read by the adapter.

Examples: https://phemex-docs.github.io/#hedged-contract-rest-api, their numbers changed.
"""

import asyncio
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qsl

import pytest

from runner.errors import Operational, Temporary
from runner.exchange.base import OrderKind, OrderRequest
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import connect
from runner.exchange.quirks import phemex_lists
from runner.protocol import FlowKind, Mode, OrderStatus, Side
from tests.fakes.venues.phemex import Phemex, enveloped
from tests.runner.exchange.answers.phemex import answer
from tests.runner.exchange.real_hosts import at_real_hosts
from tests.runner.exchange.test_fake_venues import KEY, long_ago, run, small_pages
from tests.runner.machine import SYMBOL, configuration

ACTIVE, BY_ID = "/g-orders/activeList", "/api-data/g-futures/orders/by-order-id"
TRADES, ACCOUNTS = "/api-data/g-futures/trades", "/g-accounts/accountPositions"
ORDER = OrderRequest("plx1", SYMBOL, Side.BUY, OrderKind.MARKET, Decimal("0.02"))
STOP = replace(
    ORDER,
    side=Side.SELL,
    kind=OrderKind.STOP_MARKET,
    price=Decimal(59000),
    reduce_only=True,
    client_id="plx2",
)
RESTING = {
    "bizError": 0,
    "orderID": "c2621102-1cc0-4686-b520-9879311bcc26",
    "clOrdID": "plx1",
    "symbol": "BTCUSDT",
    "side": "Sell",
    "actionTimeNs": 1678163665765381733,
    "transactTimeNs": 1678163665769528669,
    "orderType": "Limit",
    "priceRp": "22490.4",
    "orderQtyRq": "0.005",
    "displayQtyRq": "0.005",
    "timeInForce": "GoodTillCancel",
    "reduceOnly": False,
    "closedPnlRv": "0",
    "closedSizeRq": "0",
    "cumQtyRq": "0",
    "cumValueRv": "0",
    "leavesQtyRq": "0.005",
    "leavesValueRv": "112.452",
    "stopDirection": "UNSPECIFIED",
    "stopPxRp": "0",
    "trigger": "UNSPECIFIED",
    "ordStatus": "New",
    "execInst": "None",
}
CLOSED = {
    "orderId": "743fc923-cb01-4261-88d1-b35dba2cdac0",
    "clOrdId": "plx1",
    "symbol": "BTCUSDT",
    "side": "Buy",
    "ordType": "Market",
    "actionTimeNs": 1667562110213260743,
    "priceRp": "21206.7",
    "orderQtyRq": "0.003",
    "displayQtyRq": "0.003",
    "timeInForce": "ImmediateOrCancel",
    "reduceOnly": False,
    "cumQtyRq": "0.002",
    "cumValueRv": "41.159",
    "leavesQtyRq": "0",
    "stopDirection": "UNSPECIFIED",
    "ordStatus": "Canceled",
    "bizError": 0,
}
TRADE = {
    "transactTimeNs": 1669407633926215067,
    "symbol": "BTCUSDT",
    "currency": "USDT",
    "action": "New",
    "posSide": "Merged",
    "side": "Sell",
    "tradeType": "Trade",
    "execQtyRq": "0.001",
    "execPriceRp": "16600",
    "feeRateRr": "0.0001",
    "execFeeRv": "0.00166",
    "execID": "5c3d96e1-8874-53b6-b6e5-9dcc4d28b4ab",
    "orderID": "fcdfeafa-ed68-45d4-b2bd-7bc27f2b2b0b",
    "clOrdID": "",
    "execStatus": "MakerFill",
}


def told(tmp_path, answers, ask):
    """What ``ask(broker)`` finds where each path answers so."""

    async def story(fake, bench, _desk):
        for path, data in answers.items():
            fake.trouble[path] = [(200, enveloped(data), {})]
        return await ask(bench.broker)

    return run("phemex", tmp_path, story)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, ("limit", "open", "22490.4", None, False)),
        ({"execInst": "ReduceOnly"}, ("limit", "open", "22490.4", None, True)),
        (
            {"ordStatus": "PartiallyFilled", "cumQtyRq": "0.001", "cumValueRv": "22.5"},
            ("limit", "partial", "22490.4", "22500", False),
        ),
        (
            {
                "ordStatus": "Untriggered",
                "orderType": "Stop",
                "stopPxRp": "21000",
                "priceRp": "0",
                "execInst": "CloseOnTrigger",
            },
            ("stop_market", "open", "21000", None, True),
        ),
        (
            {"ordStatus": "Triggered", "orderType": "Market", "stopPxRp": "21000"},
            ("stop_market", "open", "21000", None, False),
        ),
        ({"ordStatus": "Created", "orderType": "Market"}, ("market", "open", None, None, False)),
    ],
)
def test_an_open_order_is_read_as_documented(tmp_path, changes, expected):
    rows = {"rows": [RESTING | changes], "nextPageArg": ""}
    (found,) = told(tmp_path, {ACTIVE: rows}, lambda broker: broker.open_orders(SYMBOL))
    kind, status, price, average, reduces = expected
    assert (found.kind, found.status, found.reduce_only) == (kind, status, reduces)
    assert found.price == (Decimal(price) if price else None)
    assert found.average == (Decimal(average) if average else None)
    assert (found.symbol, found.side, found.quantity) == (SYMBOL, Side.SELL, Decimal("0.005"))
    assert found.venue_id == found.fill_venue_id == RESTING["orderID"]


STATES = [
    ("Filled", OrderStatus.FILLED),
    ("Canceled", OrderStatus.CANCELLED),
    ("Deactivated", OrderStatus.CANCELLED),
    ("Rejected", OrderStatus.REJECTED),
]


@pytest.mark.parametrize(("state", "status"), STATES)
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_closed_order_is_read_from_the_database(tmp_path, state, status, wrapped):
    """The example has the rows bare; recorded answers have them below data.rows."""
    rows = [CLOSED | {"ordStatus": state}]
    answers = {ACTIVE: {"rows": []}, BY_ID: {"rows": rows} if wrapped else rows}
    found = told(tmp_path, answers, lambda broker: broker.find(ORDER))
    assert (found.status, found.filled, found.average) == (status, Decimal("0.002"), 20579.5)
    assert (found.client_id, found.kind, found.price) == ("plx1", OrderKind.MARKET, None)


@pytest.mark.parametrize(
    "row", [{"ordStatus": "Vanished"}, {"cumQtyRq": "NaN"}, {"side": "None"}, {"orderQtyRq": ""}]
)
def test_an_order_that_makes_no_sense_is_not_believed(tmp_path, row):
    answers = {ACTIVE: {"rows": []}, BY_ID: {"rows": [CLOSED | row]}}
    with pytest.raises(Temporary):
        told(tmp_path, answers, lambda broker: broker.find(ORDER))


@pytest.mark.parametrize("data", [None, {"rows": None}, {}, "rows"])
def test_a_history_that_is_no_list_is_no_empty_one(tmp_path, data):
    with pytest.raises(Temporary):
        told(tmp_path, {ACTIVE: {"rows": []}, BY_ID: data}, lambda broker: broker.find(ORDER))


def test_no_open_orders_told_as_an_error_are_none(tmp_path):
    """ccxt's class knows that answer; the documentation has an empty list."""

    async def story(fake, bench, _desk):
        fake.says_none = True
        assert await bench.broker.open_orders(SYMBOL) == []
        assert await bench.broker.find(ORDER) is None
        await bench.broker.place(ORDER)
        return await bench.broker.find(ORDER)

    assert run("phemex", tmp_path, story).status is OrderStatus.FILLED


def test_a_second_page_of_open_orders_is_not_passed_over(tmp_path):
    """How to ask for it is not documented; a stop on it must not be taken for missing."""
    rows = {"rows": [RESTING], "nextPageArg": "abc"}
    with pytest.raises(Operational, match=r"more orders rest on .* cancel some"):
        told(tmp_path, {ACTIVE: rows}, lambda broker: broker.open_orders(SYMBOL))


def test_an_order_the_database_has_not_yet_is_waited_for(tmp_path):
    async def story(fake, bench, desk):
        fake.lags = True
        await bench.broker.place(ORDER)
        assert await bench.broker.find(ORDER) is None
        fake.lags = False
        return await bench.broker.find(ORDER)

    assert run("phemex", tmp_path, story).status is OrderStatus.FILLED

    async def now():
        api, venue, _ = connect(configuration(None, exchange="phemex"), None, None)
        await api.session.close()
        return CcxtBroker(api, venue, "USDT").unseen_after

    assert asyncio.run(now()) > timedelta(seconds=60), "longer than a request is good for"


def test_a_stop_without_a_position_is_refused_and_one_taken_back_is_cancelled(tmp_path):
    async def story(_fake, bench, _desk):
        with pytest.raises(Operational, match="no position left"):
            await bench.broker.place(STOP)
        await bench.broker.place(ORDER)
        await bench.broker.place(STOP)
        return await bench.broker.cancel(STOP)

    found = run("phemex", tmp_path, story)
    assert (found.status, found.kind) == (OrderStatus.CANCELLED, OrderKind.STOP_MARKET)


def test_executions_are_read_with_what_made_them(tmp_path):
    rows = [
        TRADE,
        TRADE | {"execID": "2", "tradeType": "LiqTrade", "execStatus": "TakerFill"},
        TRADE | {"execID": "3", "tradeType": "AdlTrade"},
        TRADE | {"execID": "4", "tradeType": "Funding", "orderID": "0"},
    ]
    since = datetime.now(UTC) - timedelta(hours=1)
    found = told(
        tmp_path, {TRADES: {"rows": rows}}, lambda broker: broker.executions(SYMBOL, since)
    )
    assert [(e.reason, e.liquidity) for e in found] == [
        ("", "maker"),
        ("liquidation", "taker"),
        ("auto-deleveraging", "maker"),
    ]
    assert found[0].at == datetime(2022, 11, 25, 20, 20, 33, 926000, UTC)
    assert (found[0].fee, found[0].fee_currency) == (Decimal("0.00166"), "USDT")
    assert found[0].venue_id == TRADE["orderID"]


@pytest.mark.parametrize("oldest_first", [True, False])
@pytest.mark.parametrize("counts_rows", [True, False])
def test_no_row_is_lost_whatever_the_offset_counts(
    tmp_path, monkeypatch, counts_rows, oldest_first
):
    """ "page start from 0": pages or rows, and in which order, the documentation leaves open."""

    async def story(fake, bench, _desk):
        fake.offset_counts_rows, fake.oldest_first = counts_rows, oldest_first
        for number in range(5):
            side = "sell" if number % 2 else "buy"
            fake.account.place(f"o{number}", side, "market", Decimal("0.02"), None, False)
            fake.account.book("funding", f"-{number}.5", fake.now() - number * 28_800_000)
        executions = await bench.broker.executions(SYMBOL, long_ago())
        return executions, await bench.broker.flows(long_ago())

    fake = Phemex(KEY.api_key, KEY.secret)
    small_pages(fake, monkeypatch)
    executions, flows = run("phemex", tmp_path, story, fake)
    assert len({e.trade_id for e in executions}) == 5
    assert sorted(f.amount for f in flows) == [Decimal(f"-{n}.5") for n in (4, 3, 2, 1, 0)]
    assert {f.kind for f in flows} == {FlowKind.FUNDING}


def test_old_funding_is_not_read_where_the_newest_comes_first(tmp_path, monkeypatch):
    async def story(fake, bench, _desk):
        for number in range(9):
            fake.account.book("funding", "-1", fake.now() - number * 28_800_000)
        since = datetime.now(UTC) - timedelta(hours=9)
        return len(await bench.broker.flows(since)), [path for _, path in fake.log]

    fake = Phemex(KEY.api_key, KEY.secret)
    small_pages(fake, monkeypatch)
    count, asked = run("phemex", tmp_path, story, fake)
    assert count == 2
    assert asked.count("/api-data/g-futures/funding-fees") == 2


def test_many_changes_of_the_wallet_are_read_in_halves(tmp_path, monkeypatch):
    """ "offset to resultset, max 1000"."""
    monkeypatch.setattr(phemex_lists, "_DETAILS_DEPTH", 6)

    async def story(fake, bench, _desk):
        for number in range(20):
            fake.account.book("transfer", f"{number + 1}", fake.now() - number * 3_600_000)
        return await bench.broker.flows(long_ago())

    fake = Phemex(KEY.api_key, KEY.secret)
    fake.page = 3
    flows = run("phemex", tmp_path, story, fake)
    assert sorted(f.amount for f in flows) == list(range(1, 21))
    assert {f.kind for f in flows} == {FlowKind.DEPOSIT}


HELD = {
    "symbol": "BTCUSDT",
    "currency": "USDT",
    "side": "Sell",
    "leverageRr": "-10",
    "initMarginReqRr": "0.1",
    "avgEntryPriceRp": "60000",
    "markPriceRp": "59000",
    "cumFundingFeeRv": "0",
    "posSide": "Merged",
    "posMode": "OneWay",
}
ACCOUNT = {"accountBalanceRv": "730.97309163", "currency": "USDT", "userID": 4200013}


@pytest.mark.parametrize("name", ["size", "sizeRq"])
def test_a_short_position_and_its_profit_at_the_mark(tmp_path, name):
    """The two requests for positions name the size differently."""
    data = {"account": ACCOUNT, "positions": [HELD | {name: "0.02"}]}
    (found,) = told(tmp_path, {ACCOUNTS: data}, lambda broker: broker.positions())
    assert (found.symbol, found.quantity, found.entry_price) == (SYMBOL, Decimal("-0.02"), 60000)
    account = told(tmp_path, {ACCOUNTS: data}, lambda broker: broker.account())
    assert (account.balance, account.unrealised) == (Decimal("730.97309163"), 20)


@pytest.mark.parametrize(
    ("told_as", "isolated", "leverage"),
    [("-10", False, 10), ("10", True, 10), ("0", False, 20), ("-1.5", False, Decimal("1.5"))],
)
def test_the_sign_of_the_leverage_tells_the_margin_mode(tmp_path, told_as, isolated, leverage):
    row = HELD | {"size": "0", "leverageRr": told_as, "initMarginReqRr": "0.05"}
    data = {"account": ACCOUNT, "positions": [row]}
    found = told(tmp_path, {ACCOUNTS: data}, lambda broker: broker.terms(SYMBOL))
    assert (found.isolated, found.leverage) == (isolated, leverage)


@pytest.mark.parametrize("mode", ["Classic", "MultiAsset"])
def test_an_account_whose_margin_is_all_it_has_is_told_before_trading(tmp_path, mode):
    async def story(fake, bench, _desk):
        fake.risk_mode = mode
        checks = {check.name: check for check in await bench.broker.check((SYMBOL,))}
        return checks.get("account mode")

    found = run("phemex", tmp_path, story)
    assert (found is None) is (mode == "Classic")
    assert found is None or "switch it to single-asset mode" in found.detail


@pytest.mark.parametrize(("status", "code"), [(404, 0), (200, 30000)])
def test_an_account_that_knows_no_such_mode_trades(tmp_path, status, code):
    async def story(fake, bench, _desk):
        fake.trouble["/uta-api/risk/risk-mode"] = [(status, enveloped(None, code, "no"), {})]
        return await bench.broker.check((SYMBOL,))

    assert all(check.ok for check in run("phemex", tmp_path, story))


def test_leverage_is_set_without_isolating_the_margin(tmp_path):
    async def story(fake, bench, _desk):
        await bench.broker.set_leverage(SYMBOL, 3)
        assert fake.leverage == "3"
        return fake.isolated

    assert run("phemex", tmp_path, story) is False


@pytest.mark.parametrize(("may", "expected"), [(False, False), (True, None)])
def test_a_live_key_without_the_right_to_withdraw_is_told_by_a_refusal(monkeypatch, may, expected):
    """An answer proves nothing, as other keys may get one too; the live preflight refuses then."""
    history = "/phemex-withdraw/wallets/api/withdrawHist"

    def answers(seen):
        if seen.path == history:
            return (200, enveloped([])) if may else (403, enveloped(None, 403, "Forbidden"))
        if seen.path == ACCOUNTS:
            return 200, enveloped({"account": ACCOUNT, "positions": []})
        return answer(seen)

    async def act(_market, broker, seen):
        return await broker.rights(), [one.path for one in seen]

    rights, paths = at_real_hosts(monkeypatch, "phemex", Mode.LIVE, KEY, answers, act)
    assert (rights.withdraw, rights.trade, rights.account) == (expected, None, "4200013")
    assert history in paths
    rights, paths = at_real_hosts(monkeypatch, "phemex", Mode.TESTNET, KEY, answers, act)
    assert rights.withdraw is None
    assert history not in paths


def test_a_wait_phemex_asks_for_is_kept(tmp_path):
    """Seconds, in a header of the group of requests ("REST API ratelimit rules")."""

    async def story(fake, bench, _desk):
        header = {"x-ratelimit-retry-after-CONTRACT": "40", "x-ratelimit-remaining-CONTRACT": "0"}
        fake.trouble[ACCOUNTS] = [(429, enveloped(None, 429, "Too many requests"), header)]
        with pytest.raises(Temporary, match="asks for fewer requests") as caught:
            await bench.broker.positions()
        left = caught.value.retry_at - datetime.now(UTC)
        assert timedelta(seconds=30) < left <= timedelta(seconds=40)
        before = len(fake.log)
        with pytest.raises(Temporary, match="asked to wait until"):
            await bench.market.time()
        assert len(fake.log) == before

    run("phemex", tmp_path, story)


def candles_asked(monkeypatch, ask):
    asked = []

    def answers(seen):
        if "/md/v2/kline" not in seen.path:
            return answer(seen)
        asked.append(
            (seen.path, {name: int(v) for name, v in parse_qsl(seen.query) if v.isdigit()})
        )
        query = asked[-1][1]
        end = query.get("to", int(time.time()) // 60 * 60)
        first = query.get("from", end - 60 * query.get("limit", 0))
        # Newest first, as in the example.
        rows = [
            [at, 60, "20700", "20712.7", "20712.8", "20689.1", "20700.1", "4.407", "91208.3065"]
            for at in range(end - 60, first - 60, -60)
        ]
        return 200, enveloped({"total": -1, "rows": rows})

    async def act(market, _broker, _seen):
        return await ask(market)

    return at_real_hosts(monkeypatch, "phemex", Mode.PAPER, None, answers, act), asked


def test_candles_are_asked_for_in_the_sizes_phemex_has(monkeypatch):
    found, asked = candles_asked(monkeypatch, lambda market: market.candles(SYMBOL, "1m", 300))
    assert len(found) == 300
    assert (found[0].open, found[0].high, found[0].volume) == (
        Decimal("20712.7"),
        Decimal("20712.8"),
        Decimal("4.407"),
    )
    assert asked == [("/exchange/public/md/v2/kline/last", {"resolution": 60, "limit": 500})]


def test_older_candles_are_asked_for_by_aligned_times(monkeypatch):
    since = datetime.now(UTC).replace(second=7) - timedelta(minutes=1500)
    found, asked = candles_asked(monkeypatch, lambda market: market.past(SYMBOL, "1m", since, 1200))
    assert len(found) == 1200
    assert {path for path, _ in asked} == {"/exchange/public/md/v2/kline/list"}
    for _, query in asked:
        assert query["from"] % 60 == query["to"] % 60 == 0
        assert (query["to"] - query["from"]) / 60 <= 1000
    ahead = datetime.now(UTC) + timedelta(minutes=5)
    assert candles_asked(monkeypatch, lambda m: m.past(SYMBOL, "1m", ahead, 5)) == ([], [])


@pytest.mark.parametrize("timeframe", ["3m", "2h", "12h"])
def test_a_candle_no_document_names_is_not_asked_for(monkeypatch, timeframe):
    with pytest.raises(Operational, match=f"phemex has no {timeframe} candles"):
        candles_asked(monkeypatch, lambda market: market.candles(SYMBOL, timeframe, 5))


def test_its_clock_minimum_and_fees_are_read(monkeypatch):
    def answers(seen):
        if seen.path == "/public/time":
            return 200, enveloped({"serverTime": 1676172826345})
        return answer(seen)

    async def act(market, _broker, _seen):
        return await market.time(), market.instrument(SYMBOL)

    moment, rules = at_real_hosts(monkeypatch, "phemex", Mode.PAPER, None, answers, act)
    assert moment == datetime(2023, 2, 12, 3, 33, 46, 345000, UTC)
    assert (rules.tick, rules.step, rules.min_notional) == (Decimal("0.1"), Decimal("0.001"), 1)
    assert (rules.taker_fee, rules.maker_fee) == (Decimal("0.0006"), Decimal("0.0001"))
