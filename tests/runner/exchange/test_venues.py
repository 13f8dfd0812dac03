"""Which venues there are, where they may be reached, and what stays hidden."""

import asyncio
import json
import subprocess
import sys

import pytest

from runner.bundle import build
from runner.errors import Operational
from runner.exchange.base import OrderKind, OrderRequest
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.exchange.quirks import venue_of
from runner.exchange.quirks.catalog import UNLISTED, VENUES
from runner.preflight import rights_checks
from runner.protocol import PRACTICE_LIVE, Configuration, Credentials, Mode, OrderStatus, Side
from tests.runner.machine import ROOT, SYMBOL, configuration, practice_credentials

KEY = Credentials("the-key", "the-secret", "the-phrase")


def at(exchange, mode, endpoint=None, act=None):
    async def go():
        settings = configuration(endpoint, mode, exchange=exchange)
        api, venue, origin = connect(settings, KEY, None)
        try:
            return origin if act is None else await act(api, venue)
        finally:
            await CcxtMarket(api, venue, origin).close()

    return asyncio.run(go())


def test_every_venue_of_the_catalog_is_there_in_each_of_its_modes():
    for name, ccxt_id in VENUES.items():
        for mode in venue_of(name, Mode.PAPER).facts.modes:
            venue = venue_of(name, mode)
            assert (venue.exchange, venue.facts.ccxt_id, venue.mode) == (name, ccxt_id, mode)
    for name in VENUES.keys() - {"practice"}:
        assert venue_of(name, Mode.LIVE).origins()[0].startswith("https://")


def test_the_practice_market_has_no_live_mode():
    with pytest.raises(Operational, match="practice has no live mode"):
        venue_of("practice", Mode.LIVE)


def test_a_venue_without_a_test_environment_refuses_testnet_and_says_why():
    with pytest.raises(Operational, match=r"kucoin has no testnet mode: .* paper mode"):
        venue_of("kucoin", Mode.TESTNET)


def test_an_unknown_exchange_is_refused_with_the_choice_and_without_what_is_hidden():
    with pytest.raises(Operational) as caught:
        venue_of("mtgox", Mode.PAPER)
    assert "choose practice, binance, bybit, okx, kucoin" in str(caught.value)
    assert not [name for name in UNLISTED if name in str(caught.value)]


@pytest.mark.parametrize("exchange", VENUES.keys() - {"practice"})
def test_a_live_bot_is_led_to_no_other_host(exchange):
    with pytest.raises(Operational, match="a live bot speaks to the venue's own hosts only"):
        at(exchange, Mode.LIVE, "http://127.0.0.1:9")


def test_a_testnet_bot_may_be_led_to_a_simulator():
    assert at("bybit", Mode.TESTNET, "http://127.0.0.1:9/") == "http://127.0.0.1:9"


def test_a_passphrase_reaches_the_venue_s_class():
    async def act(api, _venue):
        return api.password

    assert at("okx", Mode.TESTNET, act=act) == "the-phrase"
    assert at("kucoin", Mode.LIVE, act=act) == "the-phrase"


def test_each_process_loads_only_its_own_venue():
    ask = (
        "import sys; from runner.exchange.quirks import venue_of; from runner.protocol import Mode;"
        "venue_of('practice', Mode.PAPER);"
        "print([n for n in sys.modules if n.startswith('runner.exchange.quirks.')"
        " and n.split('.')[-1] in ('bybit', 'okx', 'kucoin')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_the_hidden_live_venue_exists_only_under_its_switch(monkeypatch):
    monkeypatch.delenv(PRACTICE_LIVE, raising=False)
    with pytest.raises(Operational, match="is for tests"):
        at("practice-live", Mode.LIVE)
    monkeypatch.setenv(PRACTICE_LIVE, "https://fapi.binance.com")
    with pytest.raises(Operational, match="must be an address of this machine"):
        at("practice-live", Mode.LIVE)
    monkeypatch.setenv(PRACTICE_LIVE, "http://127.0.0.1:9")
    with pytest.raises(Operational, match="a live bot speaks to the venue's own hosts only"):
        at("practice-live", Mode.LIVE, "http://127.0.0.1:9")
    with pytest.raises(Operational, match="has no testnet mode"):
        at("practice-live", Mode.TESTNET)


def test_the_live_path_can_be_walked_on_the_practice_market(practice, monkeypatch):
    monkeypatch.setenv(PRACTICE_LIVE, practice.url)

    async def go():
        settings: Configuration = configuration(None, Mode.LIVE, exchange="practice-live")
        api, venue, origin = connect(settings, practice_credentials(), None)
        market, broker = CcxtMarket(api, venue, origin), CcxtBroker(api, venue, "USDT")
        try:
            await market.open()
            checks = await broker.check((SYMBOL,))
            rights = await broker.rights()
            step = market.instrument(SYMBOL).step
            order = OrderRequest("plive1", SYMBOL, Side.BUY, OrderKind.MARKET, step * 10)
            await broker.place(order)
            return checks, rights, await broker.find(order)
        finally:
            await market.close()

    checks, rights, found = asyncio.run(go())
    assert all(check.ok for check in checks)
    told = rights_checks(rights, None, None, live=True)
    assert {c.name: c.ok for c in told} == {
        "trading right": True,
        "withdrawal right": True,
        "account": True,
    }
    assert found.status is OrderStatus.FILLED


def test_the_bundle_has_the_classes_of_its_venue_only(tmp_path):
    from zipfile import ZipFile

    for name, parents in (("bybit", ()), ("okx", ()), ("kucoin", ("kucoin",))):
        path, ccxt_id = build(name, tmp_path)["path"], VENUES[name]
        classes = {n for n in ZipFile(path).namelist() if n.startswith("ccxt/async_support/")}
        named = {n.rpartition("/")[2] for n in classes if n.count("/") == 2}
        assert named - {"__init__.pyc"} == {f"{it}.pyc" for it in (ccxt_id, *parents)}
        ask = (
            "import sys; sys.path.insert(0, sys.argv[1]);"
            "from runner.exchange.quirks import venue_of; from runner.protocol import Mode;"
            f"import importlib; importlib.import_module('ccxt.async_support.{ccxt_id}');"
            f"import json; print(json.dumps(venue_of('{name}', Mode.LIVE).origins()))"
        )
        done = subprocess.run(
            [sys.executable, "-I", "-c", ask, path], capture_output=True, text=True, check=True
        )
        assert json.loads(done.stdout)[0].endswith(f"{name}.com")
    assert json.dumps(build("practice-live", tmp_path)["size"])
