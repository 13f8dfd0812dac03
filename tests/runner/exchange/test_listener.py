"""The runner's listening at a real practice market, and at each of its faults."""

import asyncio
from contextlib import asynccontextmanager
from decimal import Decimal

import aiohttp
import pytest

from runner import streams
from runner.clock import Clock
from runner.errors import Operational, Temporary
from runner.exchange import listener
from runner.exchange.base import OrderKind, OrderRequest
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.exchange.listener import listener_of
from runner.protocol import Hearing, Mode, Side
from runner.streams import Streams
from tests.runner.machine import SYMBOL, configuration, practice_credentials
from tests.waiting import PATIENCE


class Place:
    """One account at the practice market, with all a runner asks it by and hears it with."""

    def __init__(self, endpoint, mode=Mode.TESTNET):
        self.endpoint = endpoint
        self.key = None if mode is Mode.PAPER else practice_credentials()
        settings = configuration(endpoint, mode, streams=True)
        exchange, venue, base = connect(settings, self.key, None)
        self.exchange = exchange
        self.market = CcxtMarket(exchange, venue, base)
        self.broker = CcxtBroker(exchange, venue, "USDT")
        self.streams = Streams(Clock(), listener_of(settings, exchange, venue, base, "1s"))
        self.orders = 0

    async def until(self, met):
        async with asyncio.timeout(PATIENCE):
            while not met():  # noqa: ASYNC110 - nothing here could set an event
                await asyncio.sleep(0.01)

    async def stands(self):
        await self.until(lambda: self.streams.use is Hearing.STREAMS)

    async def broken(self, words):
        """Wait until it broke, and for what it said of it."""
        await self.until(lambda: self.streams.use is Hearing.REQUESTS and words in self.streams.why)

    async def buy(self):
        self.orders += 1
        name, quantity = f"listener-{self.orders}", Decimal("0.01")
        request = OrderRequest(name, SYMBOL, Side.BUY, OrderKind.MARKET, quantity)
        return await self.broker.place(request)

    async def switch(self, *faults):
        url = f"{self.endpoint}/practice/v1/faults"
        mine = {"account": self.key.api_key} if self.key else {}
        async with aiohttp.ClientSession() as session:
            wishes = [{**one, "match": one.get("match", mine)} for one in faults]
            async with session.post(url, json=wishes) as answer:
                assert answer.status == 200, await answer.text()
                return (await answer.json())["ids"]


@pytest.fixture(autouse=True)
def hasty(monkeypatch):
    monkeypatch.setattr(streams, "TOLD_WITHIN", 0.5)
    monkeypatch.setattr(streams, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(streams, "_FIRST_PAUSE", 0.1)


@asynccontextmanager
async def at(endpoint, mode=Mode.TESTNET):
    place = Place(endpoint, mode)
    await place.market.open((SYMBOL,))
    try:
        place.streams.start(place.market.candles, "1s")
        await place.stands()
        yield place
    finally:
        await place.streams.close()
        await place.market.close()
        async with aiohttp.ClientSession() as session:
            await session.delete(f"{endpoint}/practice/v1/faults")


def scene(practice, act, mode=Mode.TESTNET):
    async def go():
        async with at(practice.url, mode) as place:
            await act(place)

    asyncio.run(go())


def test_a_fill_is_heard_of(practice):
    async def act(place):
        assert place.streams.take()  # coming to stand is a reason to look
        assert not place.streams.take()
        await place.buy()
        await place.until(place.streams.take)

    scene(practice, act)


def test_candles_are_heard_of_and_paper_hears_no_account(practice):
    async def act(place):
        place.streams.take()
        before = place.streams._newest.get(SYMBOL)
        await place.until(lambda: place.streams._newest.get(SYMBOL, before) != before)
        newest = place.streams._newest[SYMBOL][0]
        await place.until(lambda: place.streams._newest[SYMBOL][0] > newest)
        assert not place.streams.take()

    scene(practice, act, Mode.PAPER)


def test_a_dropped_connection_is_made_again_and_all_is_compared(practice):
    async def act(place):
        assert not place.streams.take_missed()
        await place.switch({"kind": "stream_drop", "count": 1})
        await place.buy()
        await place.broken("")
        await place.stands()
        assert place.streams.take_missed()
        assert place.streams.take()

    scene(practice, act)


@pytest.mark.parametrize("kind", ["stream_gap", "stream_stall"])
def test_an_order_event_that_never_came_is_missed(practice, kind):
    async def act(place):
        (name,) = await place.switch({"kind": kind})
        await asyncio.sleep(streams.TOLD_WITHIN)
        await place.buy()
        place.streams.fill_read()
        await place.broken("did not tell of a fill")
        url = f"{place.endpoint}/practice/v1/faults?id={name}"
        async with aiohttp.ClientSession() as session:
            await session.delete(url)
        await place.stands()

    scene(practice, act)


async def polled(place):
    """Read candles as a trader does, and say which are closed."""
    while True:
        rows = await place.market.candles(SYMBOL, "1s", 3)
        place.streams.candle_read(SYMBOL, rows[-2].opened_at)
        await asyncio.sleep(0.2)


def test_candles_that_stall_are_missed_by_those_that_requests_show(practice):
    async def act(place):
        match = {"path": "/market/*", "symbol": "BTCUSDT"}
        await place.switch({"kind": "stream_stall", "match": match, "seconds": 5})
        polling = asyncio.create_task(polled(place))
        await place.broken(f"did not tell of a candle of {SYMBOL}")
        polling.cancel()
        await place.stands()

    scene(practice, act, Mode.PAPER)


def test_a_silence_is_found_out_by_asking(practice, monkeypatch):
    monkeypatch.setattr(streams, "QUIET_SECONDS", 0.5)

    async def act(place):
        match = {"path": "/market/*", "symbol": "BTCUSDT"}
        await place.until(lambda: place.streams._newest)
        await place.switch({"kind": "stream_stall", "match": match, "seconds": 4})
        await place.broken("requests do")
        await place.stands()

    scene(practice, act, Mode.PAPER)


@pytest.mark.parametrize("kind", ["stream_twice", "stream_swap"])
def test_events_twice_or_in_the_wrong_order_change_nothing(practice, kind):
    async def act(place):
        everywhere = {"path": "/market/*"}
        await place.switch({"kind": kind, "probability": 0.5, "match": everywhere}, {"kind": kind})
        seen = []
        for _ in range(3):
            await place.buy()
            await place.until(place.streams.take)
            newest = place.streams._newest.get(SYMBOL)
            seen.append(newest)
            await place.until(lambda was=newest: place.streams._newest.get(SYMBOL) != was)
        assert place.streams.use is Hearing.STREAMS
        told = [one[0] for one in seen if one is not None]
        assert told == sorted(told)

    scene(practice, act)


def test_a_listen_key_that_ended_is_replaced_at_once(practice):
    async def act(place):
        await place.switch({"kind": "listen_key_expiry", "count": 1})
        await place.broken("ended the listen key")
        await place.stands()
        place.streams.take()
        await place.buy()
        await place.until(place.streams.take)

    scene(practice, act)


def test_a_refused_handshake_is_a_ban_for_requests_as_well(practice):
    async def act(place):
        match = {"path": "/private/*"}
        await place.switch(
            {"kind": "rate_ban", "seconds": 3, "count": 1, "match": match},
            {"kind": "stream_drop", "count": 1},
        )
        await place.buy()
        await place.broken("refuses streams with 418")
        with pytest.raises(Temporary, match="asked to wait"):
            await place.market.time()
        await place.stands()
        await place.market.time()

    scene(practice, act)


def test_a_key_the_venue_refuses_is_not_tried_often(practice):
    async def act(place):
        paused = []
        real = streams.pause_after

        def pause(failures, error, now):
            paused.append((error, real(failures, error, now)))
            return 0.05

        streams.pause_after = pause
        try:
            match = {"path": "/fapi/v1/listenKey"}
            await place.switch(
                {"kind": "key_refused", "match": match}, {"kind": "stream_drop", "count": 1}
            )
            await place.buy()
            await place.until(lambda: any(isinstance(one, Operational) for one, _ in paused))
        finally:
            streams.pause_after = real
        assert paused[-1][1] >= 300

    scene(practice, act)


def test_a_connection_that_never_comes_to_stand_is_given_up(practice, monkeypatch):
    monkeypatch.setattr(listener, "STAND_SECONDS", 0.3)

    async def act(place):
        match = {"path": "/market/*"}
        await place.switch(
            {"kind": "delay", "seconds": 2, "match": match}, {"kind": "stream_drop", "count": 1}
        )
        await place.buy()
        await place.broken("no connection within")

    scene(practice, act)


def test_listening_that_fails_takes_no_connection_that_an_order_needs(practice, monkeypatch):
    """Each try leaves a dial behind that nobody waits for any more."""
    monkeypatch.setattr(streams, "_LONGEST_PAUSE", 0.1)

    async def act(place):
        await place.switch(
            {"kind": "maintenance", "match": {"path": "/fapi/v1/listenKey"}},
            {"kind": "delay", "seconds": 0.3, "match": {"path": "/market/*"}},
            {"kind": "stream_drop", "count": 1},
        )
        await place.buy()
        await place.until(lambda: place.streams._failures > 9)
        assert (await place.buy()).venue_id

    scene(practice, act)


def test_what_is_left_of_a_connection_does_nothing_later(practice):
    """ccxt keeps a listen key alive by a timer; one that outlived its connection would hold it."""

    async def act(place):
        ears = place.streams._listener
        (timer,) = ears._timers
        await place.switch({"kind": "stream_drop", "count": 1})
        await place.buy()
        await place.broken("")
        assert timer.cancelled()
        await place.stands()
        assert len(ears._timers) == 1

    scene(practice, act)
