"""Where streams are listened to, and that nothing else can be reached."""

import asyncio

import pytest

from runner.exchange.ccxt import connect
from runner.exchange.listener import listener_of
from runner.exchange.quirks import venue_of
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
        await exchange.close()
        await exchange.session.close() if exchange.session else None
        return heard, origins

    heard, origins = asyncio.run(go())
    assert (heard is not None) is on
    listened = {"wss://fstream.binancefuture.com"} if on else set()
    assert origins == {"https://demo-fapi.binance.com"} | listened
