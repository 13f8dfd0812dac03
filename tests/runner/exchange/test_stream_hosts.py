"""Where streams are listened to, and that nothing else can be reached."""

import asyncio
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from ccxt.base import errors as ccxt
from multidict import CIMultiDict, CIMultiDictProxy
from yarl import URL

from runner.errors import Temporary
from runner.exchange.ccxt import connect
from runner.exchange.listener import listener_of
from runner.exchange.quirks import venue_of
from runner.exchange.transport import hold, session_apart
from runner.protocol import Mode
from tests.runner.machine import configuration, practice_credentials

HOSTS = [
    ("binance", Mode.PAPER, "https://fapi.binance.com", "wss://fstream.binance.com"),
    ("binance", Mode.LIVE, "https://fapi.binance.com", "wss://fstream.binance.com"),
    ("binance", Mode.TESTNET, "https://demo-fapi.binance.com", "wss://fstream.binancefuture.com"),
    ("binance", Mode.TESTNET, "http://127.0.0.1:1", "ws://127.0.0.1:1"),
    ("practice", Mode.PAPER, "http://127.0.0.1:1", "ws://127.0.0.1:1"),
    ("bybit", Mode.LIVE, "https://api.bybit.com", None),
    ("okx", Mode.LIVE, "https://www.okx.com", None),
]


@pytest.mark.parametrize(("exchange", "mode", "base", "origin"), HOSTS)
def test_where_streams_are_listened_to(exchange, mode, base, origin):
    assert venue_of(exchange, mode).stream_origin(base) == origin


@pytest.mark.parametrize("on", [True, False])
def test_no_other_host_is_reachable_and_none_when_switched_off(on):
    async def go():
        settings = configuration(None, Mode.TESTNET, exchange="binance", streams=on)
        exchange, venue, base = connect(settings, practice_credentials(), None)
        heard = listener_of(settings, exchange, venue, base, "1s")
        origins = {str(one) for one in exchange.session.connector._origins}
        async with session_apart(exchange.session, "wss://fstream.binancefuture.com") as apart:
            wider = {str(one) for one in apart.connector._origins}
        http = exchange.session
        await exchange.close()
        await http.close()
        return heard, origins, wider

    heard, origins, wider = asyncio.run(go())
    assert (heard is not None) is on
    assert origins == {"https://demo-fapi.binance.com"}
    assert wider == origins | {"wss://fstream.binancefuture.com"}


def test_trouble_of_a_session_apart_holds_no_request_and_a_hold_holds_both():
    async def go():
        settings = configuration(None, Mode.TESTNET, exchange="binance", streams=True)
        exchange, _venue, _base = connect(settings, practice_credentials(), None)
        http, later = exchange.session, datetime.now(UTC) + timedelta(minutes=1)
        async with session_apart(http, "wss://fstream.binancefuture.com") as apart:
            hold(apart, later)
        assert http.connector.held_until is None
        hold(http, later)
        async with session_apart(http, "wss://fstream.binancefuture.com") as apart:
            assert apart.connector.held_until == later
        await exchange.close()
        await http.close()

    asyncio.run(go())


def refused(status, headers):
    url = URL("wss://fstream.binancefuture.com/private/ws")
    about = aiohttp.RequestInfo(url, "GET", CIMultiDictProxy(CIMultiDict()), url)
    shut = aiohttp.WSServerHandshakeError(about, (), status=status, headers=CIMultiDict(headers))
    return ccxt.NetworkError(shut)


@pytest.mark.parametrize(
    ("status", "headers", "held", "least"),
    [
        (418, {"Retry-After": "90"}, True, 85),
        (418, {}, False, 55),
        (429, {"Retry-After": "90"}, False, 85),
        (403, {}, False, 55),
        (451, {}, False, 55),
    ],
)
def test_only_a_ban_keeps_requests_off(status, headers, held, least):
    """Turned away from the streams alone, exits must still be sent."""

    async def go():
        settings = configuration(None, Mode.TESTNET, exchange="binance", streams=True)
        exchange, venue, base = connect(settings, practice_credentials(), None)
        heard = listener_of(settings, exchange, venue, base, "1m")
        ended = asyncio.get_running_loop().create_future()
        ended.set_exception(refused(status, headers))
        http = exchange.session
        with pytest.raises(Temporary, match=f"refuses streams with {status}") as said:
            heard._mind([ended])
        until = http.connector.held_until
        await exchange.close()
        await http.close()
        return until, said.value.retry_at

    until, retry_at = asyncio.run(go())
    assert (until is not None) is held
    assert (retry_at - datetime.now(UTC)).total_seconds() > least
