"""The gate client against a real gate on loopback."""

import asyncio
import socket
from datetime import UTC, datetime

import pytest
from aiohttp import web

from runner.client import GateClient
from runner.errors import Operational, Superseded, Temporary
from runner.exchange.transport import session
from runner.protocol import Claim, PositionState, Sync
from tests.runner.gate import Gate
from tests.runner.machine import configuration
from tests.waiting import PATIENCE

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def a_claim(token="token-1", generation=1):
    return Claim("bot_a", generation, token, "boot-1", "0.1.0")


def a_sync(claim_id="boot-1"):
    return Sync(claim_id, NOW, (), PositionState.FLAT, 0, False)


def ask(gate_url, what, message, source=None, seconds=PATIENCE):
    async def go():
        async with session([gate_url], source, seconds) as http:
            return await getattr(GateClient(http, gate_url), what)(message)

    return asyncio.run(go())


@pytest.fixture
def gate():
    with Gate(configuration("http://127.0.0.1:1")) as gate:
        yield gate


def test_a_claim_is_answered_and_comes_from_the_bots_address(gate):
    answer = ask(gate.url, "claim", a_claim(), source="127.64.0.77")
    assert answer.configuration == gate.configuration
    assert gate.claims[0][1] == "127.64.0.77"


@pytest.mark.parametrize(
    ("claim", "error"),
    [(a_claim(token="guessed-it"), Operational), (a_claim(generation=9), Superseded)],
)
def test_a_refused_claim_says_whether_to_stop_or_to_complain(gate, claim, error):
    with pytest.raises(error) as caught:
        ask(gate.url, "claim", claim)
    assert claim.token not in str(caught.value)


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (410, Superseded),
        (409, Superseded),
        (403, Operational),
        (422, Operational),
        (503, Temporary),
        (500, Temporary),
        (302, Temporary),
    ],
)
def test_each_status_has_one_meaning(gate, status, error):
    ask(gate.url, "claim", a_claim())
    gate.status = status
    with pytest.raises(error):
        ask(gate.url, "sync", a_sync())


def test_an_older_boot_is_superseded(gate):
    ask(gate.url, "claim", a_claim())
    with pytest.raises(Superseded):
        ask(gate.url, "sync", a_sync(claim_id="boot-0"))


def test_no_gate_is_temporary():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Temporary, match="gate unreachable"):
            ask(f"http://127.0.0.1:{taken.getsockname()[1]}", "claim", a_claim())


@pytest.mark.parametrize("behaviour", ["silent", "nonsense", "cut"])
def test_a_broken_gate_is_temporary(behaviour):
    async def handle(request):
        if behaviour == "silent":
            await asyncio.sleep(30)
        if behaviour == "cut":
            request.transport.abort()
        return web.Response(text="<html>not a gate</html>")

    async def go():
        app = web.Application()
        app.router.add_post("/{tail:.*}", handle)
        runner = web.AppRunner(app, shutdown_timeout=0, handler_cancellation=True)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        try:
            async with session([url], None, 0.3) as http:
                await GateClient(http, url).claim(a_claim())
        finally:
            await runner.cleanup()

    with pytest.raises(Temporary):
        asyncio.run(go())
