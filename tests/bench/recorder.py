"""A proxy before the practice market that notes when each path was asked for."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Self

from aiohttp import ClientSession, web

_CANDLES = "/klines"
_DROPPED = frozenset({"transfer-encoding", "content-length", "content-encoding", "date", "server"})


class Recorder:
    """Serves on a free port of loopback, in a thread of its own, while it is entered."""

    def __init__(self, target: str) -> None:
        self.target = target
        self.url = ""
        self.asked: list[tuple[float, str]] = []
        self._candles = threading.Event()

    def first_candles(self, seconds: float) -> float:
        """When candles were first asked for, on the monotonic clock."""
        if not self._candles.wait(seconds):
            paths = [path for _, path in self.asked]
            raise TimeoutError(f"no candles were asked for in {seconds:.0f} s, only {paths}")
        return next(at for at, path in self.asked if path.endswith(_CANDLES))

    def forget(self) -> None:
        """Begin anew."""
        self.asked.clear()
        self._candles.clear()

    def since(self, moment: float) -> int:
        """How many requests came after a moment of the monotonic clock."""
        return sum(at >= moment for at, _ in list(self.asked))

    async def _pass_on(self, request: web.Request) -> web.Response:
        self.asked.append((time.monotonic(), request.path))
        if request.path.endswith(_CANDLES):
            self._candles.set()
        headers = {k: v for k, v in request.headers.items() if k.lower() != "host"}
        async with self._client.request(
            request.method, self.target + request.raw_path, headers=headers, data=request.content
        ) as answer:
            body = await answer.read()
            kept = {k: v for k, v in answer.headers.items() if k.lower() not in _DROPPED}
            return web.Response(status=answer.status, body=body, headers=kept)

    async def _serve(self, ready: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._pass_on)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.3)
        async with ClientSession() as self._client:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
            ready.set()
            await self._over.wait()
            await runner.cleanup()

    def __enter__(self) -> Self:
        ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve(ready)), daemon=True)
        self._thread.start()
        if not ready.wait(10):
            raise TimeoutError("the recorder did not start")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(10)
