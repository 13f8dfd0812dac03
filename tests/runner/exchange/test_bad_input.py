"""Bad keys, symbols and sizes, and a shut door, at each venue: what the user reads of them."""

import asyncio
from dataclasses import replace
from decimal import Decimal

import pytest
from aiohttp import web

from runner.errors import Operational, Temporary, UnknownOutcome
from runner.exchange.base import OrderKind, OrderRequest
from runner.exchange.causes import SENTENCES, Cause
from runner.preflight import preflight
from runner.protocol import Mode, Side
from tests.fakes.venues.bybit import enveloped
from tests.runner.exchange.test_failures import switch, traded, venue  # noqa: F401 -- fixtures
from tests.runner.exchange.test_fake_venues import run
from tests.runner.exchange.test_wire import Capture, at_venue
from tests.runner.machine import SYMBOL, practice_credentials
from tests.runner.workshop import at_bench

ORDER = OrderRequest("plx1", SYMBOL, Side.BUY, OrderKind.MARKET, Decimal("0.02"))
KEYS = [
    ("bybit", 200, 10003, Cause.KEY_WRONG),
    ("bybit", 200, 33004, Cause.KEY_EXPIRED),
    ("bybit", 200, 10010, Cause.ADDRESS),
    ("bybit", 200, 10005, Cause.PERMISSION),
    ("okx", 401, "50111", Cause.KEY_WRONG),
    ("okx", 401, "50119", Cause.KEY_EXPIRED),
    ("okx", 401, "50110", Cause.ADDRESS),
    ("okx", 401, "50101", Cause.ENVIRONMENT),
    ("okx", 401, "50120", Cause.PERMISSION),
    ("kucoin", 401, "400003", Cause.KEY_WRONG),
    ("kucoin", 401, "400008", Cause.KEY_EXPIRED),
    ("kucoin", 401, "400006", Cause.ADDRESS),
    ("kucoin", 403, "400007", Cause.PERMISSION),
]
LOOKS = {
    "bybit": "/v5/position/list",
    "okx": "/api/v5/account/config",
    "kucoin": "/api/v2/position/getPositionMode",
}


def body_of(exchange, code):
    said = "as documented"
    if exchange == "bybit":
        return enveloped({}, code, said)
    if exchange == "kucoin":
        return {"code": code, "msg": said}
    return {"code": code, "data": [], "msg": said}


def told(result):
    """What the check of the key says, in a preflight that did not pass."""
    assert not result.passed
    (found,) = [check for check in result.checks if check.name == "key"]
    assert found.ok is False
    return found.detail


@pytest.mark.parametrize(("exchange", "status", "code", "cause"), KEYS)
def test_a_bad_key_is_said_by_the_preflight(tmp_path, exchange, status, code, cause):
    async def story(fake, bench, desk):
        fake.trouble[LOOKS[exchange]] = [(status, body_of(exchange, code), {})]
        return await preflight(bench, desk, "", None)

    assert SENTENCES[cause] in told(run(exchange, tmp_path, story))


@pytest.mark.parametrize(
    ("status", "code", "cause"),
    [(401, -2015, Cause.KEY_REFUSED), (400, -2014, Cause.KEY_WRONG), (400, -1022, Cause.KEY_WRONG)],
)
def test_binance_says_less_of_a_bad_key(status, code, cause):
    """One code for a key that is wrong, bound elsewhere, or of the other environment."""

    async def refuse(_):
        return web.json_response({"code": code, "msg": "as documented"}, status=status)

    (check,) = at_venue(Capture(refuse), lambda broker: broker.check((SYMBOL,)))
    assert (check.name, check.ok) == ("key", False)
    assert SENTENCES[cause] in check.detail


def test_a_wrong_key_of_the_practice_market(venue, tmp_path):  # noqa: F811
    async def go():
        wrong = replace(practice_credentials(), secret="0" * 32)
        async with at_bench(tmp_path, venue, Mode.TESTNET, wrong) as (bench, desk):
            return await preflight(bench, desk, "", None)

    assert SENTENCES[Cause.KEY_WRONG] in told(asyncio.run(go()))


@pytest.mark.parametrize(
    ("quantity", "cause"),
    [
        ("0.0001", Cause.PRECISION),
        ("0.0015", Cause.MINIMUM),
        ("30", Cause.FUNDS),
        ("5000", Cause.TOO_MANY),
    ],
)
def test_a_size_the_practice_market_does_not_take(venue, quantity, cause):  # noqa: F811
    async def work(_market, broker, _exchange):
        with pytest.raises(Operational) as caught:
            await broker.place(replace(ORDER, quantity=Decimal(quantity)))
        return str(caught.value)

    assert SENTENCES[cause] in traded(venue, work)


@pytest.mark.parametrize("exchange", ["practice", "bybit", "okx", "kucoin"])
def test_a_symbol_a_venue_does_not_list_is_named(venue, tmp_path, exchange):  # noqa: F811
    """Binance is the class of the practice market."""
    gone = "NOPE/USDT:USDT"

    async def look(bench, desk):
        settings = replace(bench.configuration, symbols=(gone,))
        result = await preflight(replace(bench, configuration=settings), desk, "", None)
        return [check for check in result.checks if check.name == "instrument"]

    async def at_practice():
        async with at_bench(tmp_path, venue, Mode.TESTNET, practice_credentials()) as there:
            return await look(*there)

    async def story(_fake, bench, desk):
        return await look(bench, desk)

    practice = exchange == "practice"
    (found,) = asyncio.run(at_practice()) if practice else run(exchange, tmp_path, story)
    assert found.ok is False
    assert found.detail == f"{exchange} does not list {gone}; choose another"


SHUT = [(403, "<html>Forbidden</html>"), (451, "not here"), (403, '{"msg": "no"}')]


@pytest.mark.parametrize(("status", "said"), SHUT)
def test_a_shut_door_at_binance_leaves_an_order_unknown_and_is_waited_at(status, said):
    capture, held = Capture(), []

    async def refuse(_):
        return web.Response(text=said, status=status)

    async def act(broker):
        with pytest.raises(UnknownOutcome) as caught:
            await broker.place(ORDER)
        held.append(broker._exchange.session.connector.held_until)
        broker._exchange.session.connector.held_until = None
        with pytest.raises(Temporary) as reading:
            await broker.account()
        return str(caught.value), reading.value

    capture.answer = refuse
    placed, read = at_venue(capture, act)
    assert SENTENCES[Cause.TURNED_AWAY] in placed
    assert SENTENCES[Cause.TURNED_AWAY] in str(read)
    assert held[0] is not None
    assert read.retry_at is not None


@pytest.mark.parametrize(
    ("exchange", "path", "cause", "kind"),
    [
        ("bybit", "/v5/order/create", Cause.RATE, Temporary),
        ("okx", "/api/v5/trade/order", Cause.TURNED_AWAY, UnknownOutcome),
        ("kucoin", "/api/v1/orders", Cause.TURNED_AWAY, UnknownOutcome),
    ],
)
def test_a_shut_door_elsewhere(tmp_path, exchange, path, cause, kind):
    async def story(fake, bench, _desk):
        fake.trouble[path] = [(403, "<html>Forbidden</html>", {})]
        with pytest.raises(kind) as caught:
            await bench.broker.place(ORDER)
        assert bench.broker._exchange.session.connector.held_until is not None
        return str(caught.value)

    assert SENTENCES[cause] in run(exchange, tmp_path, story)
