import asyncio
import subprocess
import sys

import pytest

from app.practice import keys
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.exchange.transport import AGENT
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
