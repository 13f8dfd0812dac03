"""HTTP sessions that leave from the bot's address and reach only the hosts they were made for."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

import aiohttp
from yarl import URL

from runner import __version__
from runner.errors import Operational

# One token per process lets whoever is called see that two runners act for one bot.
AGENT = f"plutarc-runner/{__version__} (boot {uuid.uuid4().hex[:12]})"


class HostGuard(aiohttp.TCPConnector):
    """Refuses a connection to any origin that was not named, redirects included."""

    def __init__(self, origins: Iterable[str], **options: Any) -> None:
        super().__init__(**options)
        self._origins = frozenset(URL(origin).origin() for origin in origins)
        self.reads_only = False

    async def connect(
        self,
        req: Any,
        traces: Any,
        timeout: aiohttp.ClientTimeout,  # noqa: ASYNC109 - the overridden method's signature
    ) -> aiohttp.connector.Connection:
        if req.url.origin() not in self._origins:
            raise Operational(f"refused to reach {req.url.origin()}: not a host of this mode")
        if self.reads_only and req.method != "GET":
            raise Operational(f"refused to send {req.method}: this key is only looked at")
        return await super().connect(req, traces, timeout)


def session(
    origins: Iterable[str], source_address: str | None, timeout_seconds: float
) -> aiohttp.ClientSession:
    """A session bound to ``source_address``; proxies of the environment are ignored."""
    connector = HostGuard(
        origins,
        local_addr=(source_address, 0) if source_address else None,
        limit=8,
        keepalive_timeout=30,
    )
    limit = aiohttp.ClientTimeout(total=timeout_seconds)
    return aiohttp.ClientSession(
        connector=connector, timeout=limit, trust_env=False, headers={"User-Agent": AGENT}
    )
