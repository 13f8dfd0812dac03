"""What each exchange takes on a machine: bundle, start and memory, beside stock ccxt."""

from __future__ import annotations

import asyncio
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from runner.bundle import build
from runner.capabilities import TABLE, Capabilities
from runner.exchange.quirks import venue_of
from runner.protocol import Mode
from tests.bench import machine
from tests.bench.report import Figure, Section
from tests.runner.exchange.real_hosts import Seen
from tests.runner.exchange.taken_on import answer_of
from tests.runner.gate import Gate
from tests.runner.machine import Runner, configuration, demo_rules

MOST_BYTES, MOST_MB, MOST_SECONDS = 1_000_000, 60.0, 0.8
_CANDLES = re.compile(r"kline|candle|chart|ohlc|tradingview", re.IGNORECASE)
_PATIENCE = 60.0
_METHOD = (
    "Each exchange's instrument rules are served on loopback as documented, and a request for "
    "candles is never answered: a process stands there, and what it took so far is read. Medians "
    "of {starts} starts, one after the other. *Runner*: started on paper from its bundle as a "
    "machine is. *Stock ccxt*: the same class out of the whole package, `ccxt.async_support`, that "
    "loads the markets and asks for candles, and does nothing else. The bundle is counted beside "
    "its wheels. Memory after minutes of trading is in the part *Runner*."
)


@dataclass(frozen=True)
class Stood:
    """What a process had taken when it asked for candles."""

    seconds: float
    cpu: float
    mb: float


def measure(starts: int) -> Section:
    """Every exchange but the practice market, which the part *Runner* measures."""
    section = Section("Exchanges", _METHOD.format(starts=starts))
    rows, largest, heaviest, slowest = [], 0, 0.0, 0.0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for row in TABLE.values():
            if not row.hosts:
                continue
            made = build(row.exchange, folder)
            ours = _median(
                starts, lambda venue=row, at=made: _runner(venue, str(at["path"]), folder)
            )
            stock = _median(starts, lambda venue=row: _stock(venue))
            largest = max(largest, int(made["size"]))
            heaviest, slowest = max(heaviest, ours.mb), max(slowest, ours.seconds)
            rows.append(
                [row.title, f"{int(made['size']) / 1000:,.0f}", *_told(ours), *_told(stock)]
            )
    part = ["first candles, s", "CPU, s", "memory, MB"]
    head = ["exchange", "bundle, kB", *part, *(f"stock ccxt: {name}" for name in part)]
    section.tables.append((head, rows))
    section.figures = [
        Figure("largest bundle", largest, "bytes", MOST_BYTES),
        Figure("most memory at the first candles", heaviest, "MB", MOST_MB),
        Figure("slowest first request for candles", slowest, "s", MOST_SECONDS),
    ]
    return section


def _told(one: Stood) -> list[str]:
    return [f"{one.seconds:.2f}", f"{one.cpu:.2f}", f"{one.mb:.1f}"]


class _Desk:
    """Serves what an exchange documents until candles are asked for, which it never answers."""

    def __init__(self, venue: Capabilities) -> None:
        self.url = ""
        self._answer = answer_of(venue.exchange)
        self._asked = threading.Event()
        self._at = 0.0

    def stood(self, began: float, pid: int, log: Path) -> Stood:
        """What a process had taken when it asked for candles. Raises ``RuntimeError``."""
        if not self._asked.wait(_PATIENCE):
            raise RuntimeError(f"no candles were asked for: {log.read_text()[-500:]}")
        usage = machine.usage(pid)
        return Stood(self._at - began, usage.cpu_seconds, usage.rss_mb)

    async def handle(self, request: web.Request) -> web.Response:
        seen = Seen(request, (await request.read()).decode())
        if _CANDLES.search(seen.path + seen.body):
            self._at = self._at or time.monotonic()
            self._asked.set()
            await self._over.wait()
            return web.Response(status=503)
        status, body, *headers = self._answer(seen)
        return web.json_response(body, status=status, headers=headers[0] if headers else None)

    async def serve(self, ready: threading.Event) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self.handle)
        site = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await site.setup()
        await web.TCPSite(site, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{site.addresses[0][1]}"
        ready.set()
        await self._over.wait()
        await site.cleanup()

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)


@contextmanager
def _asked(venue: Capabilities) -> Iterator[_Desk]:
    """A desk on a free port of loopback, in a thread of its own."""
    desk, ready = _Desk(venue), threading.Event()
    thread = threading.Thread(target=lambda: asyncio.run(desk.serve(ready)), daemon=True)
    thread.start()
    if not ready.wait(10):
        raise TimeoutError("the desk did not open")
    try:
        yield desk
    finally:
        desk.close()
        thread.join(10)


def _median(starts: int, stand: Any) -> Stood:
    found = [stand() for _ in range(starts)]
    return Stood(*(statistics.median(column) for column in zip(*map(_numbers, found), strict=True)))


def _numbers(one: Stood) -> tuple[float, float, float]:
    return one.seconds, one.cpu, one.mb


def _runner(venue: Capabilities, pyz: str, folder: Path) -> Stood:
    """The bundle, on paper, behind a small gate."""
    rules = demo_rules()
    rules["timeframe"] = venue.timeframes[0]
    home = Path(tempfile.mkdtemp(dir=folder))
    with _asked(venue) as desk:
        settings = configuration(
            desk.url, Mode.PAPER, rules, exchange=venue.exchange, symbols=venue.symbols[:1]
        )
        with Gate(settings) as gate:
            began = time.monotonic()
            with Runner(pyz, gate, home) as process:
                return desk.stood(began, process.child.pid, process.log)


_STOCK = """\
import asyncio, json, sys
import ccxt.async_support as ccxt
name, symbol, frame, url, options = sys.argv[1:]
async def main():
    api = getattr(ccxt, name)({"options": json.loads(options)})
    api.has["fetchCurrencies"] = False
    for key, value in api.urls["api"].items():
        if isinstance(value, str):
            api.urls["api"][key] = url + "/" + value.split("://", 1)[1].partition("/")[2]
    await api.load_markets()
    await api.fetch_ohlcv(symbol, frame, limit=100)
asyncio.run(main())
"""


def _stock(venue: Capabilities) -> Stood:
    """The same class out of the whole package."""
    with _asked(venue) as desk, tempfile.NamedTemporaryFile(suffix=".log") as log:
        options = json.dumps(venue_of(venue.exchange, Mode.PAPER).options)
        words = [venue.ccxt_id, venue.symbols[0], venue.timeframes[0], desk.url, options]
        began = time.monotonic()
        child = subprocess.Popen(
            [sys.executable, "-c", _STOCK, *words],
            cwd="/",
            env={"PATH": os.environ["PATH"]},
            stderr=log,
        )
        try:
            return desk.stood(began, child.pid, Path(log.name))
        finally:
            child.kill()
            child.wait()
