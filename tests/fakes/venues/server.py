"""Serves a fake venue in the test's own event loop, with faults in front of its answers."""

import asyncio
import time
from contextlib import asynccontextmanager

from aiohttp import web


class Server:
    """Routes are ``{"GET /path": method(request fields)}``; ``trouble`` is what happens next.

    ``trouble``: a list of one-shot faults for the next requests to ``path``: "lost" takes the
    request and hangs up, "down" hangs up before, and anything else is the answer itself.
    """

    def __init__(self):
        self.trouble = {}
        self.log = []

    def now(self):
        return int(time.time() * 1000)

    async def handle(self, request):
        body = (await request.read()).decode()
        self.log.append((request.method, request.path))
        faults = self.trouble.get(request.path, [])
        fault = faults.pop(0) if faults else None
        if fault == "down":
            request.transport.abort()
            return web.Response()
        if fault not in (None, "lost"):
            status, answer, headers = fault
            if isinstance(answer, str):  # what stands before the venue speaks no JSON
                return web.Response(text=answer, status=status, headers=headers)
            return web.json_response(answer, status=status, headers=headers)
        answer = self.answer(request, body)
        if fault == "lost":
            request.transport.abort()
            return web.Response()
        return web.json_response(answer)


@asynccontextmanager
async def served(fake):
    app = web.Application()
    app.router.add_route("*", "/{tail:.*}", fake.handle)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await asyncio.shield(runner.cleanup())
