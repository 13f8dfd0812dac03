"""Leverage and margin mode at the venue: read, set where that is safe, never traded on wrong."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest

from runner import terms
from runner.exchange.base import OrderKind
from runner.preflight import preflight
from runner.protocol import Limits, Mode, Side
from runner.reconcile import reconcile
from tests.fakes.venues import bybit as bybit_fake
from tests.fakes.venues import kucoin as kucoin_fake
from tests.fakes.venues import okx as okx_fake
from tests.runner.exchange.real_hosts import at_real_hosts
from tests.runner.exchange.test_fake_venues import KEY, at, fake_of, intent
from tests.runner.exchange.test_wire import INFO
from tests.runner.exchange.test_wire_venues import WIRE, fields_of
from tests.runner.hand_desk import story
from tests.runner.machine import SYMBOL, practice_credentials
from tests.runner.workshop import ENTRY, at_bench

VENUES = ("bybit", "okx", "kucoin")


def limited(most):
    return Limits(max_leverage=None if most is None else Decimal(most))


def at_fake(exchange, directory, most, act):
    async def go():
        fake = fake_of(exchange)
        async with at(exchange, directory, fake, limits=limited(most)) as (bench, desk):
            await reconcile(bench, desk)
            return await act(fake, bench, desk)

    return asyncio.run(go())


def resting(desk):
    return desk.submit(intent("far", Side.BUY, OrderKind.LIMIT, "50000"))


@pytest.mark.parametrize("exchange", VENUES)
@pytest.mark.parametrize(
    ("most", "there", "left"), [("2.5", "20", "2"), ("0.4", "20", "1"), ("30", "20", "20")]
)
def test_leverage_is_set_to_the_limit_while_nothing_is_held(exchange, most, there, left, tmp_path):
    async def act(fake, bench, desk):
        fake.leverage = there
        (check,) = await terms.check(bench, desk)
        assert check.ok
        assert f"lends up to {left} times" in check.detail
        assert fake.leverage == left

    at_fake(exchange, tmp_path, most, act)


@pytest.mark.parametrize("exchange", VENUES)
@pytest.mark.parametrize("rests", [False, True])
def test_nothing_is_set_while_something_is_held_or_rests(exchange, rests, tmp_path):
    async def act(fake, bench, desk):
        fake.leverage = "20"
        await (resting(desk) if rests else desk.submit(intent("entry")))
        await desk.settle()
        bench.configuration = replace(bench.configuration, limits=limited("3"))
        sent = len(fake.log)
        (check,) = await terms.check(bench, desk)
        assert check.ok is False
        assert "the bot's limit is 3; set it to 3 at the venue" in check.detail
        assert {method for method, _ in fake.log[sent:]} == {"GET"}
        assert fake.leverage == "20"

    at_fake(exchange, tmp_path, None, act)


@pytest.mark.parametrize(
    ("exchange", "isolated", "other"),
    [("bybit", "ISOLATED_MARGIN", "PORTFOLIO_MARGIN"), ("kucoin", "ISOLATED", "CROSS")],
)
def test_isolated_margin_keeps_the_preflight_from_passing(tmp_path, exchange, isolated, other):
    async def act(fake, bench, desk):
        fake.margin_mode = isolated
        result = await preflight(bench, desk, "127.0.0.1", None)
        assert not result.passed
        assert "cross margin" in next(c.detail for c in result.checks if c.name == "leverage")
        fake.margin_mode = other
        assert (await preflight(bench, desk, "127.0.0.1", None)).passed

    at_fake(exchange, tmp_path, "3", act)


def test_an_account_in_spot_mode_is_found_before_the_first_order(tmp_path):
    async def act(fake, bench, desk):
        assert (await preflight(bench, desk, "127.0.0.1", None)).passed
        fake.level = "1"
        result = await preflight(bench, desk, "127.0.0.1", None)
        assert not result.passed
        (said,) = [c.detail for c in result.checks if c.ok is False]
        assert "spot mode" in said
        assert "futures mode" in said

    at_fake("okx", tmp_path, None, act)


def test_without_a_limit_nothing_is_set(tmp_path):
    async def act(fake, bench, desk):
        fake.leverage = "75"
        (check,) = await terms.check(bench, desk)
        assert check.ok
        assert fake.leverage == "75"

    at_fake("okx", tmp_path, None, act)


def test_what_a_person_changes_later_shuts_entries_until_it_is_right(tmp_path):
    async def act(fake, bench, desk):
        await terms.watch(bench, desk)
        assert not bench.standing.troubles
        fake.margin_mode = "ISOLATED_MARGIN"
        await terms.watch(bench, desk)
        assert "cross margin" in bench.standing.troubles["terms"]
        fake.margin_mode = "REGULAR_MARGIN"
        await terms.watch(bench, desk)
        assert not bench.standing.troubles

    at_fake("bybit", tmp_path, "3", act)


def test_the_practice_market_is_asked_as_binance_is(practice, tmp_path):
    async def go():
        key = practice_credentials()
        changes = {"limits": limited("4")}
        async with at_bench(tmp_path, practice.url, Mode.TESTNET, key, **changes) as (bench, desk):
            result = await preflight(bench, desk, "", None)
            told = {check.name: check.detail for check in result.checks}
            assert "lends up to 4 times" in told["leverage"]
            await bench.guard.look(desk, SYMBOL)
            await desk.submit(ENTRY)
            await bench.broker._exchange.fapiPrivatePostLeverage(
                {"symbol": "BTCUSDT", "leverage": 9}
            )
            await reconcile(bench, desk)
            (check,) = await terms.check(bench, desk)
            return check

    check = asyncio.run(go())
    assert check.ok is False
    assert "something is held" in check.detail


def test_a_paper_account_lends_on_its_own_terms(tmp_path):
    async def act(hand):
        assert await terms.check(hand.bench, hand.desk) == []

    story(tmp_path, act)


# From the pages named in the venues' own files (runner/exchange/quirks).
READ = {
    "binance": [("GET", "/fapi/v1/symbolConfig", {"symbol": "BTCUSDT"})],
    "bybit": [
        ("GET", "/v5/account/info", {}),
        ("GET", "/v5/position/list", {"category": "linear", "symbol": "BTCUSDT"}),
    ],
    "okx": [
        ("GET", "/api/v5/account/leverage-info", {"instId": "BTC-USDT-SWAP", "mgnMode": "cross"})
    ],
    "kucoin": [
        ("GET", "/api/v2/position/getMarginMode", {"symbol": "XBTUSDTM"}),
        ("GET", "/api/v2/getCrossUserLeverage", {"symbol": "XBTUSDTM"}),
    ],
}
SET = {
    "binance": ("POST", "/fapi/v1/leverage", {"symbol": "BTCUSDT", "leverage": "3"}),
    "bybit": (
        "POST",
        "/v5/position/set-leverage",
        {"category": "linear", "symbol": "BTCUSDT", "buyLeverage": "3", "sellLeverage": "3"},
    ),
    "okx": (
        "POST",
        "/api/v5/account/set-leverage",
        {"instId": "BTC-USDT-SWAP", "lever": "3", "mgnMode": "cross"},
    ),
    "kucoin": (
        "POST",
        "/api/v2/changeCrossUserLeverage",
        {"symbol": "XBTUSDTM", "leverage": "3"},
    ),
}


def answer(exchange):
    def binance(seen):
        if seen.path.endswith("exchangeInfo"):
            return 200, INFO
        told = {"symbol": "BTCUSDT", "leverage": 21}
        return 200, [told | {"marginType": "CROSSED"}] if seen.method == "GET" else told

    def bybit(seen):
        rows = [bybit_fake.INSTRUMENT if "instruments" in seen.path else {"leverage": "21"}]
        result = {"category": "linear", "list": rows, "marginMode": "REGULAR_MARGIN"}
        return 200, bybit_fake.enveloped(result)

    def okx(seen):
        row = okx_fake.INSTRUMENT if "instruments" in seen.path else {"lever": "21"}
        return 200, {"code": "0", "data": [row], "msg": ""}

    def kucoin(seen):
        if seen.path.endswith("contracts/active"):
            return 200, kucoin_fake.enveloped([kucoin_fake.INSTRUMENT])
        told = {"symbol": "XBTUSDTM", "leverage": "21", "marginMode": "CROSS"}
        return 200, kucoin_fake.enveloped(told if seen.method == "GET" else True)

    return {"binance": binance, "bybit": bybit, "okx": okx, "kucoin": kucoin}[exchange]


def plain(seen):
    """Fields without what each signed request carries besides."""
    fields = fields_of(seen)
    extra = ("timestamp", "recvWindow", "signature")
    return {name: str(value) for name, value in fields.items() if name not in extra}


@pytest.mark.parametrize(
    ("exchange", "mode"), [(name, Mode(mode)) for name in WIRE for mode in WIRE[name]["hosts"]]
)
def test_what_goes_over_the_wire(monkeypatch, exchange, mode):
    async def act(_market, broker, seen):
        before = len(seen)
        found = await broker.terms(SYMBOL)
        await broker.set_leverage(SYMBOL, 3)
        return found, seen[before:]

    found, seen = at_real_hosts(monkeypatch, exchange, mode, KEY, answer(exchange), act)
    assert (found.isolated, found.leverage) == (False, 21)
    assert [(one.method, one.path, plain(one)) for one in seen] == [*READ[exchange], SET[exchange]]
    assert {one.host for one in seen} == {WIRE[exchange]["hosts"][mode]}
    for one in seen:
        for name, value in WIRE[exchange].get("mode_headers", {}).get(mode, {}).items():
            assert one.headers.get(name) == value
