"""A live key is looked at from the bot's address and nothing is ever sent with it but GET."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner import key_check
from runner.errors import Operational
from runner.exchange.base import OrderKind, OrderRequest
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.protocol import (
    PRACTICE_LIVE,
    ClaimAnswer,
    EventKind,
    Lease,
    LiveKey,
    Mode,
    Side,
    payload,
)
from tests.runner.gate import always
from tests.runner.machine import SYMBOL, configuration, practice_credentials
from tests.runner.workshop import at_bench
from tests.waiting import PATIENCE

LOT = Decimal("0.010")


@pytest.fixture
def live_practice(practice, monkeypatch):
    """The practice market as a venue with a live mode; it stands for the exchange's own hosts."""
    monkeypatch.setenv(PRACTICE_LIVE, practice.url)

    def at_its_own_hosts(settings, credentials, source):
        assert settings.endpoint is None
        return connect(replace(settings, exchange="practice-live"), credentials, source)

    monkeypatch.setattr(key_check, "connect", at_its_own_hosts)
    return practice.url


def answer_of(settings, live_key):
    now = datetime.now(UTC)
    return ClaimAnswer(
        claim_id="clm",
        server_time=now,
        address="",
        configuration=settings,
        windows=always(),
        end_policy="hold",
        lease=Lease(now + timedelta(minutes=1)),
        live_key=live_key,
    )


def seen(directory, endpoint, credentials):
    """What a paper bot's runner tells of the key."""

    async def work():
        async with at_bench(directory, endpoint, Mode.PAPER, None) as (bench, _):
            answer = answer_of(bench.configuration, LiveKey("con_1", credentials))
            looking = key_check.begin(answer, bench, None)
            await asyncio.wait_for(looking, PATIENCE)
            return [payload(e) for e in bench.outbox.pending(9) if e.kind is EventKind.KEY_CHECK]

    (told,) = asyncio.run(work())
    return told


def test_a_paper_bots_machine_tells_what_it_saw_of_the_live_key(live_practice, tmp_path):
    told = seen(tmp_path, live_practice, practice_credentials())
    assert told.connection == "con_1"
    assert told.result.passed
    checks = {check.name: check for check in told.result.checks}
    assert {"address", "key", "position mode", "trading right"} <= set(checks)
    assert checks["withdrawal right"].ok
    assert checks["account"].detail


def test_a_wrong_key_is_told_as_one(live_practice, tmp_path):
    wrong = replace(practice_credentials(), api_key="practice-0000")
    told = seen(tmp_path, live_practice, wrong)
    assert not told.result.passed
    assert [check.ok for check in told.result.checks if check.name == "key"] == [False]
    assert "account" not in [check.name for check in told.result.checks]


def test_a_venue_without_live_mode_is_told_of_and_ends_nothing(practice, tmp_path):
    told = seen(tmp_path, practice.url, practice_credentials())
    assert not told.result.passed
    assert "live" in told.result.checks[0].detail


def test_a_key_that_is_looked_at_cannot_place_an_order(practice):
    async def work():
        settings = configuration(practice.url, Mode.TESTNET)
        exchange, venue, endpoint = connect(settings, practice_credentials(), None)
        market = CcxtMarket(exchange, venue, endpoint)
        try:
            broker = CcxtBroker(exchange, venue, "USDT")
            await market.open()
            key_check.refuse_writes(exchange)
            assert await broker.positions() == []
            order = OrderRequest("plx1", SYMBOL, Side.BUY, OrderKind.MARKET, LOT)
            with pytest.raises(Operational, match="refused to send POST"):
                await broker.place(order)
            with pytest.raises(Operational, match="refused to send DELETE"):
                await broker.cancel(order)
            assert await broker.positions() == []
        finally:
            await market.close()

    asyncio.run(work())


def test_without_a_live_key_nothing_is_looked_at():
    answer = answer_of(configuration("http://127.0.0.1:1"), None)
    assert key_check.begin(answer, None, None) is None
    asyncio.run(key_check.end(None))
