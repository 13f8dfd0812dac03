"""The market's own endpoints beside the exchange's protocol: its page, its records, its faults."""

from __future__ import annotations

import json
from decimal import Decimal
from ipaddress import ip_address

from aiohttp import web

from app.practice import keys, kinds, page, wire
from app.practice.account import rounded
from app.practice.errors import Refusal
from app.practice.exchange import EXCHANGE, Exchange
from app.practice.faults import Fault
from app.practice.instruments import INSTRUMENTS
from app.practice.kinds import Malformed
from app.practice.shapes import plain

_MOST = 1_000_000_000
_SWITCHES = ("/practice/v1/faults", "/practice/v1/transfers")


def _refused(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)


@web.middleware
async def local_only(request: web.Request, handler: wire.Handler) -> web.StreamResponse:
    """Whoever may break the market must sit on its machine."""
    switches = request.path in _SWITCHES or request.method == "DELETE"
    mine = request.path.startswith("/practice/")
    if mine and switches and not ip_address(wire.caller(request)).is_loopback:
        return _refused(403, "only for callers on the market's own machine, over loopback")
    return await handler(request)


async def whoami(request: web.Request) -> web.StreamResponse:
    """The caller's address as this server sees it."""
    told = request.app[EXCHANGE].clock() + request.get("skew", 0)
    return web.json_response({"address": wire.caller(request), "time": told})


async def callers(request: web.Request) -> web.StreamResponse:
    return web.json_response(request.app[EXCHANGE].callers.listed())


async def health(_request: web.Request) -> web.StreamResponse:
    return web.json_response({"ok": True})


async def home(request: web.Request) -> web.StreamResponse:
    exchange = request.app[EXCHANGE]
    return web.Response(text=page.render(exchange, exchange.clock()), content_type="text/html")


async def sessions(request: web.Request) -> web.StreamResponse:
    return web.json_response(request.app[EXCHANGE].watch.sessions())


async def violations(request: web.Request) -> web.StreamResponse:
    return web.json_response(request.app[EXCHANGE].watch.violations())


async def clear_violations(request: web.Request) -> web.StreamResponse:
    return web.json_response({"cleared": request.app[EXCHANGE].watch.clear_violations()})


async def list_faults(request: web.Request) -> web.StreamResponse:
    exchange = request.app[EXCHANGE]
    return web.json_response(exchange.faults.listed(exchange.clock()))


async def set_faults(request: web.Request) -> web.StreamResponse:
    """Switch on a list of faults, all or none; answers the ids in the same order."""
    exchange = request.app[EXCHANGE]
    # A web page may send anything but JSON to a foreign address without being asked first.
    if request.content_type != "application/json":
        return _refused(415, "send a JSON list of faults as application/json")
    try:
        wishes = json.loads(await request.text())
        if not isinstance(wishes, list):
            return _refused(422, "send a list of faults, even for one")
        faults = _read(exchange, wishes)
    except ValueError:
        return _refused(422, "the body is not JSON")
    except Malformed as error:
        return _refused(422, str(error))
    exchange.faults.add(faults, exchange.clock())
    return web.json_response({"ids": [fault.id for fault in faults]})


def _read(exchange: Exchange, wishes: list[object]) -> list[Fault]:
    """Raises ``Malformed``. Gaps open last, when everything else has been understood."""
    ms, faults = exchange.clock(), []
    for place, wish in enumerate(wishes):
        try:
            faults.append(kinds.read(wish, exchange.faults.new_id, ms))
        except Malformed as error:
            raise Malformed(f"fault {place}: {error}") from None
    names = [fault.id for fault in faults]
    if len(set(names)) < len(names):
        raise Malformed("each fault of a list needs an id of its own")
    for place, fault in enumerate(faults):
        if fault.kind == "price_gap":
            _open_gap(exchange, fault, place, ms)
    return faults


def _open_gap(exchange: Exchange, fault: Fault, place: int, ms: int) -> None:
    wanted = fault.match.get("symbol")
    try:
        symbols = [wanted] if wanted else list(INSTRUMENTS)
        exchange.gaps.open(symbols, fault.amount or 0, fault.seconds, ms)
    except ValueError as error:
        raise Malformed(f"fault {place}: {error}") from None
    fault.struck = 1


async def clear_faults(request: web.Request) -> web.StreamResponse:
    """Switch off the fault ``?id=``, or all."""
    faults, name = request.app[EXCHANGE].faults, request.query.get("id")
    cleared = faults.clear(name)
    if name is not None and not cleared:
        return _refused(404, f"no fault {name} is set; GET lists those that are")
    return web.json_response({"cleared": cleared})


async def transfer(request: web.Request) -> web.StreamResponse:
    """Pay money in or out of the account of a key, as its owner would on the venue's page."""
    exchange = request.app[EXCHANGE]
    if request.content_type != "application/json":
        return _refused(415, "send {account, amount} as application/json")
    try:
        wish = json.loads(await request.text())
        key, amount = str(wish["account"]), Decimal(str(wish["amount"]))
    except (ValueError, TypeError, LookupError, ArithmeticError):
        return _refused(422, 'send {"account": key, "amount": "100.50"}; negative to take out')
    if not keys.is_key(key) or not amount.is_finite() or not 0 < abs(amount) <= _MOST:
        return _refused(422, f"account must be a key, amount not 0 and at most {_MOST}")
    amount = rounded(amount)
    try:
        wallet = exchange.desk.transfer(keys.account_of(key), amount, exchange.clock())
    except Refusal as refusal:
        return _refused(422, refusal.msg)
    return web.json_response({"wallet": plain(wallet)})


ROUTES = (
    web.get("/", home),
    web.get("/practice/v1/whoami", whoami),
    web.get("/practice/v1/callers", callers),
    web.get("/practice/v1/health", health),
    web.get("/practice/v1/sessions", sessions),
    web.get("/practice/v1/violations", violations),
    web.delete("/practice/v1/violations", clear_violations),
    web.post("/practice/v1/transfers", transfer),
    web.get("/practice/v1/faults", list_faults),
    web.post("/practice/v1/faults", set_faults),
    web.delete("/practice/v1/faults", clear_faults),
)
