"""A plain websocket to a practice market: what is sent, and in which order, is up to the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp

from tests.waiting import PATIENCE

Result = TypeVar("Result")


class Socket:
    """One connection; every answer and event is waited for, never for longer than patience."""

    def __init__(self, session: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse):
        self.session = session
        self.socket = socket

    async def next(self) -> Any:
        """The next message, or ``None`` once the connection is gone."""
        message = await self.socket.receive(PATIENCE)
        return message.json() if message.type is aiohttp.WSMsgType.TEXT else None

    async def event(self, kind: str) -> Any:
        """The next event of a kind."""
        while (found := await self.next()) is not None:
            if found.get("e") == kind:
                return found
        return None

    async def ask(self, wish: Any) -> Any:
        """Send a wish and wait for its answer among the events."""
        await (self.socket.send_str(wish) if isinstance(wish, str) else self.socket.send_json(wish))
        while "e" in (found := await self.next()):
            pass
        return found


@asynccontextmanager
async def opened(base: str, path: str) -> AsyncIterator[Socket]:
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"ws{base.removeprefix('http')}{path}") as socket,
    ):
        yield Socket(session, socket)


def hear(base: str, path: str, work: Callable[[Socket], Awaitable[Result]]) -> Result:
    """Run ``work`` with a connection to ``path``."""

    async def whole() -> Result:
        async with opened(base, path) as socket:
            return await work(socket)

    return asyncio.run(whole())
