"""The HTTP side: routes behind a pipeline of middlewares."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import suppress

from aiohttp import web

from app.practice import auth, control, keys, public, rulebook, tickers, trading, wallet, wire
from app.practice.disturb import disturb
from app.practice.errors import Refusal
from app.practice.exchange import EXCHANGE, Exchange
from app.practice.routes import Call, Route
from app.practice.streams import listening, sockets
from app.practice.wire import Handler

log = logging.getLogger("practice")
_ROUTES = {
    (one.method, one.path): one
    for room in (public, rulebook, tickers, trading, wallet, listening)
    for one in room.ROUTES
}


def _route(request: web.Request) -> Route | None:
    return _ROUTES.get((request.method, request.path))


@web.middleware
async def answer_refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refusals become the exchange's error objects; what nobody foresaw becomes its -1000."""
    try:
        return await handler(request)
    except Refusal as refusal:
        headers = dict(request.get("headers", {}))
        if refusal.retry_after is not None:
            headers["Retry-After"] = str(refusal.retry_after)
        body = {"code": refusal.code, "msg": refusal.msg}
        return web.json_response(body, status=refusal.status, headers=headers)
    except (web.HTTPNotFound, web.HTTPMethodNotAllowed) as error:
        msg = f"Path {request.path}, Method {request.method} is invalid"
        return web.json_response({"code": -5000, "msg": msg}, status=error.status)
    except web.HTTPException:
        raise
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        msg = "An unknown error occurred while processing the request."
        return web.json_response({"code": -1000, "msg": msg}, status=500)


@web.middleware
async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Note which process calls, in order of arrival: a delay must not make two of them overlap."""
    exchange, key = request.app[EXCHANGE], wire.key_of(request)
    peer = request.transport and request.transport.get_extra_info("peername")
    if peer and _route(request) is not None:
        account = keys.masked(key) if keys.is_key(key) else ""
        agent = request.headers.get("User-Agent", "")[:200]
        exchange.watch.seen(account, wire.caller(request), agent, peer[1], exchange.clock())
    return await handler(request)


@web.middleware
async def meter(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Spend the route's weight, tell how much is used, refuse above the limit."""
    exchange, route = request.app[EXCHANGE], _route(request)
    if route is None:
        return await handler(request)
    ms, address = exchange.clock(), wire.caller(request)
    request["params"] = params = await wire.params(request)
    request["headers"] = exchange.limits.spend(address, route.weight(params), ms)
    exchange.limits.check(address, ms)
    response = await handler(request)
    response.headers.update(request["headers"])
    return response


@web.middleware
async def sign_in(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Verify signed routes, note who called from where, count new orders."""
    exchange, route = request.app[EXCHANGE], _route(request)
    if route is None:
        return await handler(request)
    ms, key = exchange.clock(), wire.key_of(request)
    request["account"] = ""
    if route.signed:
        query = request.raw_path.partition("?")[2]
        told = ms + request.get("skew", 0)
        auth.verify(key, query, await wire.text(request), request["params"], told)
    elif route.keyed:
        auth.known(key)
    mine = route.signed or route.keyed
    if mine:
        request["account"] = keys.account_of(key)
    exchange.callers.seen(wire.caller(request), keys.masked(key) if mine else "public", ms)
    if route.order:
        request["headers"] |= exchange.limits.order(request["account"], ms)
    return await handler(request)


async def answer(request: web.Request) -> web.StreamResponse:
    """Hand the request to its route's function; one synchronous step, so never interleaved."""
    exchange, route = request.app[EXCHANGE], _route(request)
    if route is None:
        raise web.HTTPNotFound
    ms = exchange.clock()
    told = ms + request.get("skew", 0)
    if not route.signed and not route.keyed:
        ms = min(ms, request.get("frozen", ms))
    may = request.get("withdraws", False)
    key = wire.key_of(request)
    masked = keys.masked(key) if keys.is_key(key) else ""
    call = Call(exchange.desk, request["params"], request["account"], ms, told, may, masked)
    found = route.answer(call)
    if route.order:
        _look_for_doubles(exchange, key, call)
    return web.json_response(found)


def _look_for_doubles(exchange: Exchange, key: str, call: Call) -> None:
    """A venue takes a client order id again once its order has ended; a bot must not send it."""
    for name, stored in (
        ("newClientOrderId", exchange.store.orders),
        ("clientAlgoId", exchange.store.conditionals),
    ):
        client_id = call.params.text(name, "")
        if client_id and len(stored(call.account, client_id=client_id, limit=2)) > 1:
            exchange.watch.doubled(keys.masked(key), client_id, call.ms)


async def _clockwork(app: web.Application) -> AsyncIterator[None]:
    exchange = app[EXCHANGE]
    exchange.running = task = asyncio.create_task(exchange.run())
    yield
    task.cancel()
    try:
        with suppress(asyncio.CancelledError):
            await task
    finally:
        exchange.close()


def create_app(exchange: Exchange) -> web.Application:
    """The application; each middleware is one stage of the way of a request."""
    # Refusals are turned into answers twice: faults treat every answer alike, and refuse as well.
    stages = [control.local_only, answer_refusals, note, disturb, answer_refusals, meter, sign_in]
    app = web.Application(middlewares=stages)
    app[EXCHANGE] = exchange
    for route in _ROUTES.values():
        app.router.add_route(route.method, route.path, answer)
    app.router.add_routes(control.ROUTES)
    app.router.add_routes(sockets.ROUTES)
    app.cleanup_ctx.append(_clockwork)
    return app
