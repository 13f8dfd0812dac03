"""Each fault of the streams, as ccxt.pro or a plain websocket meets it."""

import asyncio

import aiohttp
import ccxt
import pytest

from app.practice.keys import new_key
from tests.practice.client import BTC, joined, listen
from tests.practice.sockets import hear

TAPE = "/market/ws/btcusdt@aggTrade"


async def forever(call):
    while True:
        await call()


def until_silent(socket):
    return forever(lambda: socket.socket.receive(0.7))


async def ids(socket, count):
    return [(await socket.event("aggTrade"))["a"] for _ in range(count)]


def test_a_dropped_connection_is_noticed_and_the_next_one_works(base, switch):
    async def work(client):
        await client.watch_ohlcv(BTC, "1s")
        await asyncio.to_thread(switch, {"kind": "stream_drop", "count": 1})
        with pytest.raises(ccxt.NetworkError):
            await forever(lambda: client.watch_ohlcv(BTC, "1s"))
        return await client.watch_ohlcv(BTC, "1s")

    assert listen(base, work)


def test_a_stalled_stream_stays_open_and_answers_pings(base, switch):
    async def work(socket):
        await ids(socket, 1)
        await asyncio.to_thread(switch, {"kind": "stream_stall", "seconds": 1.5})
        with pytest.raises(TimeoutError):
            await until_silent(socket)
        await socket.socket.ping()
        return await ids(socket, 1)

    assert hear(base, TAPE, work)


def test_a_gap_in_the_book_is_noticed_and_the_book_begins_anew(base, switch):
    async def work(client):
        for _ in range(3):
            await client.watch_order_book(BTC)
        lost = {"path": "/public/*", "symbol": "BTCUSDT"}
        await asyncio.to_thread(switch, {"kind": "stream_gap", "count": 1, "match": lost})
        with pytest.raises(ccxt.ChecksumError):
            await forever(lambda: client.watch_order_book(BTC))
        book = await client.watch_order_book(BTC)
        return book["bids"][0][0] < book["asks"][0][0]

    assert listen(base, work)


def test_an_event_that_comes_twice(base, switch):
    async def work(socket):
        await asyncio.to_thread(switch, {"kind": "stream_twice", "count": 1})
        found = [0]
        while found[-1] not in found[:-1]:
            found += await ids(socket, 1)
        return found, await ids(socket, 5)

    found, later = hear(base, TAPE, work)
    assert found[-1] == found[-2]
    assert later == sorted(set(later))


def test_two_events_in_the_wrong_order(base, switch):
    async def work(socket):
        await asyncio.to_thread(switch, {"kind": "stream_swap", "count": 1})
        found = [0]
        while found == sorted(found):
            found += await ids(socket, 1)
        return found, await ids(socket, 5)

    found, later = hear(base, TAPE, work)
    assert found[-2] > found[-1] > found[-3]
    assert later == sorted(set(later))
    assert later[0] > found[-2]


def test_an_order_event_that_is_lost_leaves_the_order(base, switch):
    async def work(client):
        task = asyncio.create_task(client.watch_orders())
        await joined(client)
        lost = {"path": "/private/*", "account": client.apiKey}
        await asyncio.to_thread(switch, {"kind": "stream_gap", "count": 2, "match": lost})
        first = await client.create_order(BTC, "market", "buy", 0.01)
        second = await client.create_order(BTC, "market", "buy", 0.01)
        told = (await task)[-1]
        return first, second, told, await client.fetch_order(first["id"], BTC)

    first, second, told, asked = listen(base, work)
    assert told["id"] == second["id"]
    assert (asked["id"], asked["status"]) == (first["id"], "closed")


def test_after_the_end_of_a_listen_key_silence_and_a_new_one_works(base, switch):
    credentials = new_key()

    async def work(client):
        task = asyncio.create_task(client.watch_orders())
        await joined(client)
        match = {"account": credentials[0]}
        await asyncio.to_thread(switch, {"kind": "listen_key_expiry", "count": 1, "match": match})
        with pytest.raises(ccxt.ExchangeError, match="-1125"):
            # The market looks ten times a second.
            await forever(client.fapiPrivatePutListenKey)
        await client.create_order(BTC, "market", "buy", 0.01)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.shield(task), 0.5)
        # This is ccxt's own way out, twenty minutes later.
        await client.keep_alive_listen_key({"type": "linear"})
        with pytest.raises(ccxt.ExchangeError, match="-1125"):
            await task
        task = asyncio.create_task(client.watch_orders())
        await asyncio.sleep(0.3)
        placed = await client.create_order(BTC, "market", "buy", 0.01)
        return placed["id"], (await task)[-1]["id"]

    placed, told = listen(base, work, credentials)
    assert placed == told


def test_frozen_data_freezes_its_streams_too(base, switch):
    async def work(socket):
        await ids(socket, 1)
        await asyncio.to_thread(switch, {"kind": "stale_data", "seconds": 1.5})
        with pytest.raises(TimeoutError):
            await until_silent(socket)
        return await ids(socket, 1)

    assert hear(base, TAPE, work)


@pytest.mark.parametrize(
    ("fault", "status"), [({"kind": "rate_ban", "seconds": 1}, 418), ({"kind": "error_5xx"}, 503)]
)
def test_a_handshake_is_refused_like_any_request(base, switch, fault, status):
    async def work(_socket):
        raise AssertionError("this connection must not stand")

    switch({**fault, "count": 1, "match": {"path": TAPE}})
    with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
        hear(base, TAPE, work)
    assert refused.value.status == status
    if status == 418:
        assert int(refused.value.headers["Retry-After"]) >= 1
