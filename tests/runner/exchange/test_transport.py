import asyncio
import subprocess
import sys

import pytest

from app.practice import keys
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.exchange.transport import AGENT, session
from runner.protocol import Mode
from tests.practice.client import Process, get
from tests.runner.machine import ROOT, SYMBOL, configuration, practice_credentials


@pytest.fixture
def venue(tmp_path):
    process = Process(tmp_path)
    yield process.base
    assert process.end() == 0


def test_each_process_says_who_it_is_in_every_request(venue):
    credentials = practice_credentials()

    async def work():
        for mode, key in ((Mode.PAPER, None), (Mode.TESTNET, credentials)):
            exchange, quirks, endpoint = connect(
                configuration(venue, mode), key, source_address="127.64.0.5"
            )
            market = CcxtMarket(exchange, quirks, endpoint)
            try:
                await market.open()
                assert await market.address() == "127.64.0.5"
                assert len(await market.candles(SYMBOL, "1m", 3)) == 3
                if key is not None:
                    await CcxtBroker(exchange, quirks, "USDT").account()
            finally:
                await market.close()

    asyncio.run(work())
    sessions = get(f"{venue}/practice/v1/sessions")[1]
    assert {row["account"] for row in sessions} == {
        "paper at 127.64.0.5",
        keys.masked(credentials.api_key),
    }
    assert {(row["agent"], row["address"]) for row in sessions} == {(AGENT, "127.64.0.5")}
    assert all(f"(boot {row['process']})" in AGENT for row in sessions)
    assert get(f"{venue}/practice/v1/violations")[1] == []


def test_no_two_processes_are_called_the_same():
    ask = "from runner.exchange.transport import AGENT; print(AGENT)"
    agents = {
        subprocess.run(
            [sys.executable, "-c", ask], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    }
    assert len(agents) == 2
    assert AGENT not in agents


@pytest.mark.parametrize(
    ("source", "origins", "bound"),
    [
        ("127.64.0.5", ("http://127.0.0.1:8899",), True),
        ("127.64.0.5", ("http://localhost:8899", "http://[::1]:1"), True),
        ("127.64.0.5", ("https://fapi.binance.com",), False),
        ("127.64.0.5", ("http://127.0.0.1:8899", "https://api.bybit.com"), False),
        ("203.0.113.7", ("https://api.bybit.com",), True),
        (None, ("https://www.okx.com",), False),
    ],
)
def test_a_loopback_address_is_left_only_for_what_it_cannot_reach(source, origins, bound):
    async def look():
        http = session(origins, source, 1.0)
        try:
            found = http.connector._local_addr_infos
            return found is not None and found[0][4][0] == source
        finally:
            await http.close()

    assert asyncio.run(look()) is bound
