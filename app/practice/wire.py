"""What the stages of the pipeline read of a request."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

from aiohttp import web

from app.practice.errors import Refusal
from app.practice.params import Params

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def caller(request: web.Request) -> str:
    """The source address."""
    return request.remote or "unknown"


def key_of(request: web.Request) -> str:
    """The API key, empty where none was sent."""
    return request.headers.get("X-MBX-APIKEY", "")


async def text(request: web.Request) -> str:
    try:
        return await request.text()
    except (UnicodeDecodeError, LookupError):
        raise Refusal(-1100, "Illegal characters found in the request body.") from None


async def params(request: web.Request) -> Params:
    """Query string and form body."""
    pairs = parse_qsl(request.query_string, keep_blank_values=True)
    pairs += parse_qsl(await text(request), keep_blank_values=True)
    return Params(dict(pairs))
