"""The unmodified ccxt class, pointed at a practice market.

What a caller must set, and why:

- ``urls.api.fapi*``: the market's address; nothing else of ccxt's addresses is ever called.
- ``options.fetchMarkets.types = ['linear']`` (the class's default): no spot or coin-margined hosts.
- ``options.fetchCurrencies = False``: with a key set, loading markets would call the spot host.
- ``exceptions.exact``: ccxt picks its futures error table by the host's name, so a loopback address
  gets the shared table, which knows neither -2019 nor -4116. Handing it the futures table makes the
  exceptions those of the real host.
- ``urls.api.ws.linear``: where ``ccxt.pro`` listens; it adds ``/public`` and so on.
"""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import ccxt.async_support as ccxt
from ccxt import pro

from app.practice.keys import new_key

Result = TypeVar("Result")
BTC, ETH, SOL = "BTC/USDT:USDT", "ETH/USDT:USDT", "SOL/USDT:USDT"
ROOT = Path(__file__).parents[2]


def connect(
    base: str, credentials: tuple[str, str] | None = None, kind: Any = None, **more: Any
) -> Any:
    """A ready client; ``credentials`` default to a key nobody has used."""
    key, secret = credentials or new_key()
    names = ("fapiPublic", "fapiPrivate")
    addresses: dict[str, Any] = {}
    addresses |= {f"{name}{v}": f"{base}/fapi/{v.lower()}" for name in names for v in ("V2", "V3")}
    addresses |= dict.fromkeys(names, f"{base}/fapi/v1")
    addresses["ws"] = {"linear": f"ws{base.removeprefix('http')}/ws"}
    futures = ccxt.binanceusdm().exceptions["linear"]["exact"]
    return (kind or ccxt.binanceusdm)(
        {
            "apiKey": key,
            "secret": secret,
            "enableRateLimit": False,
            "urls": {"api": addresses},
            "options": {"fetchMarkets": {"types": ["linear"]}, "fetchCurrencies": False},
            "exceptions": {"exact": futures},
            **more,
        }
    )


def trade(
    base: str,
    work: Callable[[Any], Awaitable[Result]],
    credentials: tuple[str, str] | None = None,
    **more: Any,
) -> Result:
    """Run ``work`` with a client that has loaded its markets, and close it."""

    async def whole() -> Result:
        client = connect(base, credentials, **more)
        try:
            await client.load_markets()
            return await work(client)
        finally:
            await client.close()

    return asyncio.run(whole())


def listen(
    base: str, work: Callable[[Any], Awaitable[Result]], credentials: tuple[str, str] | None = None
) -> Result:
    """As ``trade``, with the class that listens as well."""
    return trade(base, work, credentials, kind=pro.binanceusdm)


async def joined(client: Any) -> None:
    """Until its websocket stands: before that nobody is told anything."""
    while not any(one.isConnected for one in client.clients.values()):  # noqa: ASYNC110 - ccxt's
        await asyncio.sleep(0.01)


def ask(method: str, url: str, source: str | None = None, **more: Any) -> tuple[int, Any, Any]:
    """Status, body and headers of a plain request, from a source address if one is named."""

    async def whole() -> tuple[int, Any, Any]:
        connector = aiohttp.TCPConnector(local_addr=(source, 0) if source else None)
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(method, url, **more) as answer,
        ):
            is_json = answer.content_type == "application/json"
            body = await answer.json() if is_json else await answer.text()
            return answer.status, body, answer.headers

    return asyncio.run(whole())


def get(url: str, source: str | None = None, **params: Any) -> tuple[int, Any, Any]:
    """As ``ask`` with GET and query parameters."""
    return ask("GET", url, source, params=params)


class Process:
    """A practice market as its own process, on a free port."""

    def __init__(self, folder: Path, *more: str):
        self.child = subprocess.Popen(
            [sys.executable, "-m", "app.practice", "--port", "0", "--dir", str(folder), *more],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.child.stdout is not None
        line = self.child.stdout.readline()
        assert line.startswith("practice market listening on http://127.0.0.1:"), line
        self.base = line.split()[-1]

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Stop it by a signal; returns the exit code."""
        self.child.send_signal(how)
        code = self.child.wait(timeout=10)
        for pipe in (self.child.stdout, self.child.stderr):
            assert pipe is not None
            pipe.close()
        return code
