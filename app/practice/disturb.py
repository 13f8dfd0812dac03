"""The stage of the pipeline at which faults strike, before and after a request is applied."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from aiohttp import web

from app.practice import errors, keys, wire
from app.practice.exchange import EXCHANGE, Exchange
from app.practice.faults import Ban, Fault, Meeting
from app.practice.streams import sockets
from app.practice.wire import Handler

_LOOK_SECONDS = 0.05  # how often a silent connection is looked at


@web.middleware
async def disturb(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Let the faults strike that are switched on.

    The market's own endpoints are spared, except ``whoami``, which bots ask.
    """
    exchange = request.app[EXCHANGE]
    is_stream = request.path.startswith(sockets.PATHS)
    if not is_stream and not request.path.startswith(("/fapi/", "/practice/v1/whoami")):
        return await handler(request)
    meeting, ms = await _meeting(request), exchange.clock()
    ban = exchange.faults.banned(meeting.address, ms)
    if ban is not None:
        raise _refused(ban, ms)
    for fault in exchange.faults.striking(_BEFORE, meeting, ms):
        ended = await _BEFORE[fault.kind](request, fault)
        if ended is not None:
            return ended
    # What a stream carries has faults of its own; a handshake is not answered, it goes on.
    after = None if is_stream else next(exchange.faults.striking(_AFTER, meeting, ms), None)
    if after is None:
        return await handler(request)
    return await _AFTER[after.kind](request, handler, after)


async def _meeting(request: web.Request) -> Meeting:
    key = wire.key_of(request)
    return Meeting(
        method=request.method,
        path=request.path,
        account=keys.masked(key) if keys.is_key(key) else "",
        address=wire.caller(request),
        symbol=(await wire.params(request)).text("symbol", "").upper(),
    )


async def _delay(_request: web.Request, fault: Fault) -> None:
    await asyncio.sleep(fault.seconds or 0)


async def _error_before(_request: web.Request, fault: Fault) -> None:
    raise errors.unavailable(int(fault.amount or 0))


async def _maintenance(_request: web.Request, _fault: Fault) -> None:
    raise errors.shut_down()


async def _rate_ban(request: web.Request, fault: Fault) -> None:
    exchange: Exchange = request.app[EXCHANGE]
    ms = exchange.clock()
    raise _refused(exchange.faults.ban(wire.caller(request), fault, ms), ms)


def _refused(ban: Ban, ms: int) -> errors.Refusal:
    left = max(1, -(-(ban.until - ms) // 1000))
    return errors.banned(ban.until, ban.status, left)


async def _clock_skew(request: web.Request, fault: Fault) -> None:
    request["skew"] = request.get("skew", 0) + int(fault.amount or 0)


async def _key_refused(request: web.Request, _fault: Fault) -> None:
    if wire.key_of(request):
        raise errors.unknown_key()


async def _withdrawal_right(request: web.Request, _fault: Fault) -> None:
    request["withdraws"] = True


async def _stale_data(request: web.Request, fault: Fault) -> None:
    request["frozen"] = min(fault.set_at, request.get("frozen", fault.set_at))


async def _silence_before(request: web.Request, fault: Fault) -> web.StreamResponse:
    return await _silence(request, fault)


async def _error_after(request: web.Request, handler: Handler, fault: Fault) -> web.StreamResponse:
    await handler(request)
    raise errors.outcome_unknown(int(fault.amount or 0))


async def _silence_after(
    request: web.Request, handler: Handler, fault: Fault
) -> web.StreamResponse:
    await handler(request)
    return await _silence(request, fault)


async def _twice(request: web.Request, handler: Handler, _fault: Fault) -> web.StreamResponse:
    await handler(request)
    return await handler(request)


async def _cut(request: web.Request, handler: Handler, _fault: Fault) -> web.StreamResponse:
    """Send the head and half of the body, then close."""
    whole = await handler(request)
    body = whole.body if isinstance(whole, web.Response) else None
    assert isinstance(body, bytes)
    half = web.StreamResponse(status=whole.status, headers=whole.headers)
    half.content_length = len(body)
    await half.prepare(request)
    await half.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return half


async def _silence(request: web.Request, fault: Fault) -> web.StreamResponse:
    """Keep the connection silent, then drop it, unless the caller has left before."""
    for _ in range(round((fault.seconds or 0) / _LOOK_SECONDS)):
        if request.transport is None:
            break
        await asyncio.sleep(_LOOK_SECONDS)
    if request.transport is not None:
        request.transport.abort()
    return web.Response()  # reaches nobody


_BEFORE: dict[str, Callable[[web.Request, Fault], Awaitable[web.StreamResponse | None]]] = {
    "delay": _delay,
    "error_5xx": _error_before,
    "maintenance": _maintenance,
    "rate_ban": _rate_ban,
    "clock_skew": _clock_skew,
    "key_refused": _key_refused,
    "withdrawal_right": _withdrawal_right,
    "stale_data": _stale_data,
    "timeout_before_accept": _silence_before,
}
_AFTER: dict[str, Callable[[web.Request, Handler, Fault], Awaitable[web.StreamResponse]]] = {
    "error_after": _error_after,
    "timeout_after_accept": _silence_after,
    "duplicate_answer": _twice,
    "disconnect": _cut,
}
