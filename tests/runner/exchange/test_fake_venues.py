"""The runner's desk at a fake of each venue, through the unmodified ccxt class."""

import asyncio
import re
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner.bench import Bench
from runner.clock import Clock
from runner.desk import Desk, Intent
from runner.entries import Standing
from runner.errors import Temporary, UnknownOutcome
from runner.exchange.base import OrderKind, OrderRequest, request_of
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.exchange.quirks import kucoin, okx, venue_of
from runner.journal import Journal
from runner.memory import Memory
from runner.outbox import Outbox
from runner.preflight import preflight
from runner.protocol import Credentials, FlowKind, Mode, OrderStatus, Side
from runner.store import Store
from tests.fakes.venues import bybit as bybit_fake
from tests.fakes.venues import kucoin as kucoin_fake
from tests.fakes.venues import okx as okx_fake
from tests.fakes.venues.bybit import Bybit, enveloped
from tests.fakes.venues.kucoin import Kucoin
from tests.fakes.venues.okx import Okx
from tests.fakes.venues.server import served
from tests.runner.machine import SYMBOL, configuration

KEY = Credentials("the-key", "the-secret", "the-phrase")
VENUES = ("bybit", "okx", "kucoin")
ROUTES = {
    "bybit": bybit_fake._ROUTES,
    "okx": okx_fake._ROUTES,
    "kucoin": kucoin_fake._ROUTES,
}
PATHS = {
    "kucoin": {"place": "/api/v1/orders", "fills": "/api/v1/fills"},
    "bybit": {"place": "/v5/order/create", "fills": "/v5/execution/list"},
    "okx": {"place": "/api/v5/trade/order", "fills": "/api/v5/trade/fills"},
}


def fake_of(exchange):
    if exchange == "bybit":
        return Bybit(KEY.api_key, KEY.secret)
    if exchange == "kucoin":
        return Kucoin(KEY.api_key, KEY.secret, KEY.passphrase)
    return Okx(KEY.api_key, KEY.secret, KEY.passphrase)


@asynccontextmanager
async def at(exchange, directory, fake, mode=Mode.TESTNET, key=KEY, **changes):
    """Bench and desk as a runner has them; an unseen order is given up at once.

    Where a venue has no testnet, its paper mode is the one that can be led to the fake.
    """
    if mode not in venue_of(exchange, Mode.PAPER).facts.modes:
        mode = Mode.PAPER
    store, clock = Store(directory / "journal.sqlite"), Clock()
    async with served(fake) as url:
        settings = configuration(url, mode, exchange=exchange, **changes)
        memory = Memory(store, settings, 1, {}, clock.now() - timedelta(minutes=1))
        outbox = Outbox(store, 1, 1)
        api, venue, origin = connect(settings, key, None)
        api.enableRateLimit = False
        market, broker = CcxtMarket(api, venue, origin), CcxtBroker(api, venue, "USDT")
        broker.unseen_after = timedelta(0)
        journal, standing = Journal(store, outbox), Standing((), 0, 0)
        bench = Bench(
            "bot_a", 1, settings, market, broker, journal, outbox, memory, standing, clock
        )
        try:
            await market.open()
            yield bench, Desk(bench)
        finally:
            await market.close()
            store.close()


def intent(leg, side=Side.BUY, kind=OrderKind.MARKET, price=None, reduce_only=False):
    price = None if price is None else Decimal(price)
    quantity = Decimal("0.02")
    return Intent(
        "d", leg, SYMBOL, side, kind, quantity, leg, "as the test says", price, reduce_only
    )


STOP = intent("stop", Side.SELL, OrderKind.STOP_MARKET, "59000", True)


def run(exchange, tmp_path, story, fake=None):
    async def go():
        made = fake or fake_of(exchange)
        async with at(exchange, tmp_path, made) as (bench, desk):
            return await story(made, bench, desk)

    return asyncio.run(go())


@pytest.mark.parametrize("exchange", VENUES)
def test_entry_stop_and_exit_from_one_end_to_the_other(exchange, tmp_path):
    async def story(fake, bench, desk):
        entry = await desk.submit(intent("entry"))
        stop = await desk.submit(STOP)
        await desk.settle()
        assert desk.quantity(SYMBOL) == Decimal("0.02")
        assert desk.positions[SYMBOL].entry_price == 60000
        assert desk.order(entry.client_id).status is OrderStatus.FILLED
        resting = await bench.broker.open_orders(SYMBOL)
        assert [(o.client_id, o.kind, o.price, o.quantity, o.reduce_only) for o in resting] == [
            (stop.client_id, OrderKind.STOP_MARKET, 59000, Decimal("0.02"), True)
        ]
        fake.account.move("58990")
        await desk.settle()
        fired = desk.order(stop.client_id)
        assert (fired.status, fired.filled, fired.average) == (
            OrderStatus.FILLED,
            Decimal("0.02"),
            58990,
        )
        assert desk.quantity(SYMBOL) == 0
        assert desk.holds_nothing() or not desk.searched
        assert desk.fill_count == 2
        assert not desk.foreign_trades
        account = await bench.broker.account()
        fees = Decimal("0.02") * (60000 + 58990) * Decimal("0.0005")
        assert account.balance == 10_000 - Decimal("0.02") * 1010 - fees
        told = [f for f in await bench.broker.executions(SYMBOL, long_ago()) if f.fee > 0]
        assert [(f.side, f.quantity, f.fee_currency) for f in told] == [
            (Side.BUY, Decimal("0.02"), "USDT"),
            (Side.SELL, Decimal("0.02"), "USDT"),
        ]

    run(exchange, tmp_path, story)


@pytest.mark.parametrize("exchange", VENUES)
def test_what_may_not_take_ends_without_a_trade_where_it_would(exchange, tmp_path):
    async def story(fake, bench, _desk):
        crossing = request_of_limit("60010")
        await bench.broker.place(crossing)
        ended = await bench.broker.find(crossing)
        assert (ended.status, ended.filled) == (OrderStatus.CANCELLED, 0)
        assert not fake.account.fills
        resting = replace(request_of_limit("59990"), client_id="plrests")
        await bench.broker.place(resting)
        assert (await bench.broker.find(resting)).status is OrderStatus.OPEN

    run(exchange, tmp_path, story)


def request_of_limit(price):
    quantity = Decimal("0.02")
    return OrderRequest(
        "plcrosses", SYMBOL, Side.BUY, OrderKind.LIMIT, quantity, Decimal(price), post_only=True
    )


def test_a_stop_whose_order_is_forgotten_ends_by_its_trades(tmp_path):
    async def story(fake, bench, desk):
        await desk.submit(intent("entry"))
        stop = await desk.submit(STOP)
        await desk.settle()
        fake.account.move("58990")
        bench.broker.find_by_venue_id = forgotten
        bench.broker.unseen_after = timedelta(0)
        await desk.settle()
        ended = desk.order(stop.client_id)
        assert (ended.status, ended.filled) == (OrderStatus.FILLED, Decimal("0.02"))
        assert not desk.foreign_trades

    async def forgotten(*_):
        return None

    run("okx", tmp_path, story)


def long_ago():
    return datetime.now(UTC) - timedelta(days=20)


@pytest.mark.parametrize("exchange", VENUES)
@pytest.mark.parametrize("kind", [OrderKind.LIMIT, OrderKind.STOP_MARKET])
def test_what_rests_is_taken_back_by_our_own_id(exchange, kind, tmp_path):
    async def story(_fake, bench, desk):
        await desk.submit(intent("entry"))
        price = "61000" if kind is OrderKind.LIMIT else "59000"
        order = await desk.submit(intent("out", Side.SELL, kind, price, True))
        await desk.settle()
        assert desk.order(order.client_id).status is OrderStatus.OPEN
        order = await desk.cancel(order)
        assert order.status is OrderStatus.CANCELLED
        assert await bench.broker.open_orders(SYMBOL) == []
        assert (await desk.cancel(order)).status is OrderStatus.CANCELLED

    run(exchange, tmp_path, story)


@pytest.mark.parametrize("exchange", VENUES)
def test_an_order_whose_answer_was_lost_is_found_and_not_sent_twice(exchange, tmp_path):
    async def story(fake, bench, desk):
        place = PATHS[exchange]["place"]
        fake.trouble[place] = ["lost"]
        order = await desk.submit(intent("entry"))
        assert order.status is OrderStatus.UNKNOWN
        assert desk.in_doubt()
        await desk.settle()
        assert desk.order(order.client_id).status is OrderStatus.FILLED
        assert desk.quantity(SYMBOL) == Decimal("0.02")
        assert fake.log.count(("POST", place)) == 1
        with pytest.raises(UnknownOutcome, match="has an order with this id already"):
            await bench.broker.place(request_of(order))

    run(exchange, tmp_path, story)


@pytest.mark.parametrize("exchange", VENUES)
def test_an_order_that_never_arrived_leaves_nothing(exchange, tmp_path):
    async def story(fake, _bench, desk):
        fake.trouble[PATHS[exchange]["place"]] = ["down"]
        order = await desk.submit(intent("entry"))
        assert order.status is OrderStatus.UNKNOWN
        await desk.settle()
        assert desk.order(order.client_id).status is OrderStatus.REJECTED
        assert desk.quantity(SYMBOL) == 0
        assert not fake.account.orders

    run(exchange, tmp_path, story)


@pytest.mark.parametrize("exchange", VENUES)
def test_all_executions_are_read_however_many_and_however_old(exchange, tmp_path, monkeypatch):
    async def story(fake, bench, _desk):
        for number in range(7):
            side = "sell" if number % 2 else "buy"
            fake.account.place(f"o{number}", side, "market", Decimal(1), None, False)
        now, day = fake.now(), 86_400_000
        for number, fill in enumerate(fake.account.fills):
            # Three in the same millisecond; the first one is beyond what one request may span.
            fill.at = now - ((6 - number) // 3 * 5) * day
        return await bench.broker.executions(SYMBOL, long_ago())

    fake = fake_of(exchange)
    fake.page = 2
    monkeypatch.setattr(okx, "_PAGE", 2)
    monkeypatch.setattr(kucoin, "_PAGE", 2)
    found = run(exchange, tmp_path, story, fake)
    assert len({e.trade_id for e in found}) == len(found) == 7
    assert [e.at for e in found] == sorted(e.at for e in found)


@pytest.mark.parametrize("exchange", VENUES)
@pytest.mark.parametrize("days", [3, 20])
def test_what_came_and_went_is_told_apart_from_trading(exchange, days, tmp_path, monkeypatch):
    async def story(fake, bench, _desk):
        now, day = fake.now(), 86_400_000
        fake.account.place("held", "buy", "market", Decimal(1), None, False)
        fake.account.book("transfer", "1000", now - days * day + 1000)
        for kind, change in (("trade", "-3"), ("funding", "-1.5"), ("transfer", "-200")):
            fake.account.book(kind, change)
        fake.account.book("bonus", "7")
        since = datetime.now(UTC) - timedelta(days=days)
        return await bench.broker.flows(since)

    fake = fake_of(exchange)
    fake.page = 2
    monkeypatch.setattr(okx, "_PAGE", 2)
    monkeypatch.setattr(kucoin, "_PAGE", 2)
    flows = run(exchange, tmp_path, story, fake)
    assert sorted((f.kind, f.amount, f.currency, f.symbol) for f in flows) == [
        (FlowKind.DEPOSIT, 1000, "USDT", None),
        (FlowKind.FUNDING, Decimal("-1.5"), "USDT", SYMBOL),
        (FlowKind.OTHER, 7, "USDT", None),
        (FlowKind.WITHDRAWAL, -200, "USDT", None),
    ]
    assert len({f.id for f in flows}) == 4


@pytest.mark.parametrize("exchange", VENUES)
def test_the_preflight_says_what_is_wrong_with_account_and_key(exchange, tmp_path):
    async def checks(bench, desk):
        result = await preflight(bench, desk, "127.0.0.1", None)
        return {check.name: (check.ok, check.detail) for check in result.checks}

    async def story(fake, bench, desk):
        good = await checks(bench, desk)
        assert good["key"][0]
        assert good["position mode"] == (True, "one-way")
        assert good["trading right"] == (True, "the key may trade")
        assert good["withdrawal right"] == (True, "the key may not withdraw")
        assert good["key binding"] == (True, "the key is bound to 127.0.0.1")
        assert good["account"][1] in ("24617703", "44705892343619584", "165111215")
        assert good["reconcile"][0]
        if exchange == "bybit":
            fake.hedged, fake.ips = True, ["*"]
            fake.permissions = {"ContractTrade": [], "Wallet": ["Withdraw"]}
            fake.expired_at = "2020-05-15T03:21:05Z"
        elif exchange == "kucoin":
            fake.hedged, fake.ips = True, ""
            fake.permission = "General,Spot,Withdrawal"
        else:
            fake.mode, fake.ip = "long_short_mode", ""
            fake.perm = "read_only,withdraw"
        bad = await checks(bench, desk)
        assert bad["position mode"][0] is False
        assert bad["trading right"] == (False, "allow the key to trade contracts")
        assert bad["withdrawal right"][0] is None, "a warning on testnet"
        assert bad["key binding"][0] is None
        if exchange == "bybit":
            assert bad["key expiry"][0] is False
        fake.key = "another"
        lost = await checks(bench, desk)
        assert lost["key"][0] is False
        assert "the venue does not know this key" in lost["key"][1]
        assert "trading right" not in lost

    run(exchange, tmp_path, story)


def test_a_key_of_the_other_environment_is_named_as_one(tmp_path):
    """OKX tells it; Bybit answers as for a key it does not know."""

    async def story(fake, bench, _desk):
        answer = {"code": "50101", "data": [], "msg": "APIKey does not match current environment."}
        fake.trouble["/api/v5/account/config"] = [(401, answer, {})]
        return await bench.broker.check((SYMBOL,))

    (check,) = run("okx", tmp_path, story)
    assert check.ok is False
    assert "belongs to the venue's other environment" in check.detail


def test_a_wait_the_venue_asks_for_is_kept(tmp_path):
    async def story(fake, bench, _desk):
        later = str(fake.now() + 3_600_000)
        limited = enveloped({}, 10006, "Too many visits. Exceeded the API Rate Limit.")
        header = {"X-Bapi-Limit-Reset-Timestamp": later}
        fake.trouble["/v5/execution/list"] = [(200, limited, header)]
        with pytest.raises(Temporary, match="asks for fewer requests") as caught:
            await bench.broker.executions(SYMBOL, datetime.now(UTC))
        assert abs(caught.value.retry_at.timestamp() * 1000 - int(later)) < 1
        before = len(fake.log)
        for step in (bench.broker.positions, bench.market.time):
            with pytest.raises(Temporary, match="asked to wait until") as caught:
                await step()
            assert caught.value.retry_at is not None
        assert len(fake.log) == before, "asking earlier would prolong it"

    run("bybit", tmp_path, story)


@pytest.mark.parametrize("exchange", VENUES)
def test_an_absurd_answer_leads_to_no_conclusion(exchange, tmp_path):
    async def story(fake, bench, desk):
        await desk.submit(intent("entry"))
        await desk.settle()
        fake.account.entry = Decimal("NaN")
        with pytest.raises(Temporary, match=r"no number for the entry price of|another shape"):
            await desk.settle()
        assert desk.quantity(SYMBOL) == Decimal("0.02"), "what was known stays known"
        fake.account.balance = Decimal("Infinity")
        with pytest.raises(Temporary, match=r"no number for the USDT balance|another shape"):
            await bench.broker.account()

    run(exchange, tmp_path, story)


@pytest.mark.parametrize("exchange", VENUES)
def test_a_position_on_an_instrument_that_is_gone_is_not_flat(exchange, tmp_path, monkeypatch):
    async def story(fake, _bench, desk):
        await desk.submit(intent("entry"))
        answer = fake.positions({})
        rows = answer["list"] if exchange == "bybit" else answer
        old = {"okx": {"instId": "OLD-USDT-SWAP"}}.get(exchange, {"symbol": "OLDUSDT"})
        both = [*rows, rows[0] | old]
        both = {"list": both} if exchange == "bybit" else both
        (route,) = [
            route for route in ROUTES[exchange] if re.search(r"GET .*position(s|/list)$", route)
        ]
        monkeypatch.setitem(ROUTES[exchange], route, lambda *_: both)
        await desk.settle()
        assert desk.quantity(SYMBOL) == Decimal("0.02")
        (elsewhere,) = desk.elsewhere
        assert elsewhere.startswith("OLD")

    run(exchange, tmp_path, story)
