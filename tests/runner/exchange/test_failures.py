"""What the runner makes of a venue's failures, on the wire, with the practice market's faults."""

import asyncio
from decimal import Decimal

import pytest

from runner.errors import Temporary, UnknownOutcome
from runner.exchange.base import OrderKind, OrderRequest
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.protocol import Mode, Side
from tests.practice.client import Process, ask
from tests.runner.machine import SYMBOL, configuration, practice_credentials


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    process = Process(tmp_path_factory.mktemp("venue"))
    yield process.base
    assert process.end() == 0


@pytest.fixture
def switch(venue):
    yield lambda *faults: ask("POST", f"{venue}/practice/v1/faults", json=list(faults))
    ask("DELETE", f"{venue}/practice/v1/faults")


def traded(venue, work):
    """Run ``work`` with a market and a broker on a new account."""

    async def whole():
        exchange, quirks, endpoint = connect(
            configuration(venue, Mode.TESTNET), practice_credentials(), source_address=None
        )
        market = CcxtMarket(exchange, quirks, endpoint)
        try:
            await market.open()
            return await work(market, CcxtBroker(exchange, quirks, "USDT"), exchange)
        finally:
            await market.close()

    return asyncio.run(whole())


async def resting(market, name):
    """A small order that rests below the market."""
    price = (await market.book(SYMBOL)).bids[0][0] * Decimal("0.97")
    return OrderRequest(
        client_id=name,
        symbol=SYMBOL,
        side=Side.BUY,
        kind=OrderKind.LIMIT,
        quantity=Decimal("0.01"),
        price=price.quantize(Decimal("0.1")),
        reduce_only=False,
    )


@pytest.mark.parametrize(
    ("fault", "raised", "exists"),
    [
        ({"kind": "rate_ban"}, Temporary, False),
        ({"kind": "rate_ban", "amount": 429}, Temporary, False),
        ({"kind": "clock_skew", "amount": 60_000}, Temporary, False),
        ({"kind": "clock_skew", "amount": -60_000}, Temporary, False),
        ({"kind": "maintenance"}, Temporary, False),
        ({"kind": "error_5xx"}, UnknownOutcome, False),
        ({"kind": "timeout_before_accept"}, UnknownOutcome, False),
        ({"kind": "timeout_before_accept", "seconds": 0.1}, UnknownOutcome, False),
        ({"kind": "error_after"}, UnknownOutcome, True),
        ({"kind": "timeout_after_accept"}, UnknownOutcome, True),
        ({"kind": "timeout_after_accept", "seconds": 0.1}, UnknownOutcome, True),
        ({"kind": "disconnect"}, UnknownOutcome, True),
        ({"kind": "duplicate_answer"}, UnknownOutcome, True),
    ],
)
def test_an_order_that_may_exist_is_never_taken_for_refused(venue, switch, fault, raised, exists):
    async def work(market, broker, exchange):
        request = await resting(market, "lost")
        exchange.timeout = 400 if "seconds" not in fault else 10_000
        with pytest.raises(raised):
            await broker.place(request)
        exchange.timeout = 10_000
        await asyncio.to_thread(ask, "DELETE", f"{venue}/practice/v1/faults")
        exchange.session.connector.held_until = None  # the ban ends with the fault
        assert (await broker.find(request) is not None) is exists

    assert switch({**fault, "count": 1, "match": {"method": "POST"}})[0] == 200
    traded(venue, work)


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "rate_ban"},
        {"kind": "maintenance"},
        {"kind": "error_5xx"},
        {"kind": "error_after", "amount": 502},
        {"kind": "timeout_before_accept", "seconds": 0.1},
        {"kind": "timeout_after_accept", "seconds": 0.1},
        {"kind": "disconnect"},
    ],
)
def test_a_reading_that_fails_for_now_is_tried_again(venue, switch, fault):
    async def work(market, broker, _exchange):
        await asyncio.to_thread(switch, {**fault, "match": {"method": "GET"}})
        for reading in (
            lambda: market.candles(SYMBOL, "1m", 3),
            broker.account,
            market.address,
            market.time,
        ):
            with pytest.raises(Temporary):
                await reading()

    traded(venue, work)
