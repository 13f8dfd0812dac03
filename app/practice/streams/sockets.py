"""The websocket doors: ``/public``, ``/market`` and ``/private``, raw or combined.

https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams,
pages Connect and Important-WebSocket-Change-Notice. A path without one of the three is served
what ``/public`` carries. Names nobody knows are taken in silence, as the venue takes them.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from contextlib import suppress

from aiohttp import WSMsgType, web

from app.practice import wire
from app.practice.exchange import EXCHANGE, Exchange
from app.practice.streams import wishes
from app.practice.streams.feeds import MARKET, PRIVATE, PUBLIC
from app.practice.streams.hub import Connection

PATHS = ("/public/", "/market/", "/private/", "/ws", "/stream")
_PING_SECONDS = 180.0
_MOST_PER_SECOND = 10


async def serve(request: web.Request) -> web.StreamResponse:
    """Until the caller leaves, a fault ends it, or it misbehaves."""
    exchange: Exchange = request.app[EXCHANGE]
    socket = web.WebSocketResponse(heartbeat=_PING_SECONDS, compress=False)
    await socket.prepare(request)
    connection = _connection(request, exchange.clock())
    exchange.hub.join(connection, exchange.clock())
    sending = asyncio.create_task(_send(socket, connection))
    hearing = asyncio.create_task(_hear(exchange, socket, connection))
    ending = asyncio.create_task(connection.over.wait())
    try:
        await asyncio.wait({sending, hearing, ending}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        exchange.hub.leave(connection)
        for task in (sending, hearing, ending):
            task.cancel()
        if request.transport is not None:
            request.transport.abort()
        await asyncio.gather(sending, hearing, ending, return_exceptions=True)
    return socket


def _connection(request: web.Request, ms: int) -> Connection:
    head, _, rest = request.path.strip("/").partition("/")
    room = head if head in (PUBLIC, MARKET, PRIVATE) else PUBLIC
    mode, _, names = (rest if room == head else request.path.strip("/")).partition("/")
    connection = Connection(
        room, request.path, wire.caller(request), combined=mode == "stream", opened=ms
    )
    wanted = [*names.split("/"), *request.query.get("streams", "").split("/")]
    if room != PRIVATE:
        connection.streams |= dict.fromkeys(name for name in wanted if name)
        return connection
    keys = [name for name in wanted if name] + request.query.getall("listenKey", [])
    events = request.query.getall("events", [])
    for place, key in enumerate(keys):
        named = events[place] if place < len(events) else ""
        connection.listens[key] = frozenset(one for one in named.split("/") if one)
    return connection


async def _send(socket: web.WebSocketResponse, connection: Connection) -> None:
    with suppress(ConnectionError):
        while True:
            await socket.send_str(await connection.queue.get())


async def _hear(exchange: Exchange, socket: web.WebSocketResponse, connection: Connection) -> None:
    """Who sends more than ten messages within a second is cut off."""
    times: deque[int] = deque(maxlen=_MOST_PER_SECOND)
    async for message in socket:
        ms = exchange.clock()
        if len(times) == _MOST_PER_SECOND and ms - times[0] < 1000:
            return
        times.append(ms)
        if message.type is WSMsgType.TEXT:
            said = wishes.answer(exchange.hub, connection, message.data, ms)
            connection.send(json.dumps(said, separators=(",", ":")))


ROUTES = tuple(
    web.get(f"{room}/{mode}{tail}", serve)
    for room in ("", "/public", "/market", "/private")
    for mode in ("ws", "stream")
    for tail in ("", "/{names:.*}")
)
