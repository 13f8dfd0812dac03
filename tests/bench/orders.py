"""From the decision to the request that leaves for the venue, and what the journal costs an order.

A real trader, desk, journal and broker with unmodified ccxt at the real practice market. The moment
a request leaves is that of the first byte handed to the kernel for an order, seen in this process.
Every other order is written with ``synchronous`` off, which leaves out the fsync of each commit and
nothing else: both kinds meet the same load, and their difference is what durability costs.
"""

from __future__ import annotations

import asyncio
import math
import os
import re
import sqlite3
import subprocess
import sys
import tempfile
import time
from asyncio import selector_events
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from runner.bench import Bench
from runner.desk import Desk
from runner.entries import Standing
from runner.journal import Journal
from runner.occasion import Occasion
from runner.outbox import Outbox
from runner.protocol import Candle, Fill, Mode, Order, OrderStatus, Side
from runner.step import Conclusion
from runner.store import Store
from runner.trader import Trader
from tests.bench import machine
from tests.bench.report import Figure, Section
from tests.runner.gate import always
from tests.runner.machine import SYMBOL, practice_credentials
from tests.runner.workshop import at_bench
from tests.services import die_with_parent

HOME = machine.ROOT / "var" / "bench"
_ORDER = b"POST /fapi/v1/order"
_PRICE = Decimal(60_000)
_PAGES = 1000
_ROUND = 0.25
"""Seconds of a round, its three orders and what they wait for: the market takes 1,200 a minute."""
_METHOD = (
    "{rounds:,} entries at the market, each closed again: the real trader, desk, journal, broker "
    "and ccxt at the practice market on loopback, ccxt's throttle off (a bot does not meet it), a "
    "round each quarter of a second. "
    "*From the decision*: sized and within its limits, the entry is told, its position noted, the "
    "intent journalled, the request signed. *From the desk*: entries and exits from "
    "`Desk.submit` on. Both end as the first byte of the order goes to the kernel. Every second "
    "round runs with `PRAGMA synchronous=OFF`, so without fsync; the rest is the same, and so is "
    "the load. *fsync alone*: `fdatasync` after one page of 4,096 bytes in a file of the same "
    "folder, once a round. *Journal of an order*: {journal:,} orders through plan, sent, answer "
    "and fill, each with its event, without a venue; bytes are all that the process wrote "
    "meanwhile, the write-ahead log's copy into the file included."
)


@dataclass(frozen=True)
class Pace:
    """How many entries at the market, and how many orders through the journal alone."""

    rounds: int
    journal: int


@dataclass
class Times:
    """Milliseconds with and without fsync."""

    durable: list[float] = field(default_factory=list)
    loose: list[float] = field(default_factory=list)

    def add(self, value: float, *, durable: bool) -> None:
        """Note one."""
        (self.durable if durable else self.loose).append(value)

    def rows(self, what: str) -> list[list[str]]:
        """Lines of a table: as the runner writes, without fsync, what is left for fsync."""
        rows = []
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            full, bare = at(self.durable, share), at(self.loose, share)
            part = f"{100 * (full - bare) / full:.0f} %"
            cells = [f"{value:.2f}" for value in (full, bare, full - bare)]
            rows.append([f"{what}, {name}", *cells, part])
        return rows


def at(values: list[float], share: float) -> float:
    """The value below which this share of all lies."""
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)]


def measure(pace: Pace) -> Section:
    """All of it, in a folder on the disk of this checkout."""
    HOME.mkdir(parents=True, exist_ok=True)
    section = Section("Orders", _METHOD.format(rounds=pace.rounds, journal=pace.journal))
    with tempfile.TemporaryDirectory(dir=HOME) as name:
        folder = Path(name)
        with _market(folder / "practice") as url:
            decided, sent, syncs = asyncio.run(_trade(folder, url, pace.rounds))
        journal, commits, written, kept = _journal(folder, pace.journal)
    head = ["from … to the request, ms", "as it runs", "without fsync", "fsync", "its share"]
    rows = [*decided.rows("the decision"), *sent.rows("the desk")]
    section.tables.append((head, [*rows, *journal.rows("journal of an order")]))
    section.figures += [
        Figure("decision to request, p50", at(decided.durable, 0.5), "ms"),
        Figure("decision to request, p99", at(decided.durable, 0.99), "ms"),
        Figure("one fsync alone, p50", at(syncs, 0.5), "ms"),
        Figure("one fsync alone, p99", at(syncs, 0.99), "ms"),
        Figure("commits of an order in the journal, each with one fsync", commits),
        Figure("bytes written for an order", written, "bytes"),
        Figure("bytes an order takes on the disk, its events told", kept, "bytes"),
    ]
    return section


@contextmanager
def _market(folder: Path) -> Iterator[str]:
    """The practice market without its limit on the weight of requests; its address."""
    command = [sys.executable, "-m", "tests.soak.orders.market", "--port", "0"]
    with subprocess.Popen(
        [*command, "--dir", str(folder)],
        cwd=machine.ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=die_with_parent,  # noqa: PLW1509 -- one prctl, no lock is taken
    ) as market:
        found = re.search(r"http://[\w.:]+", market.stdout.readline() if market.stdout else "")
        if found is None:
            raise RuntimeError("the practice market did not start")
        try:
            yield found[0]
        finally:
            market.terminate()


# -- decision to request ----------------------------------------------------------------------


class Wire:
    """When the first byte of each order went to the kernel, on the monotonic clock in ns."""

    def __init__(self) -> None:
        self.left: int | None = None

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Look at everything that this process sends."""
        plain = selector_events._SelectorSocketTransport.write

        def write(transport: Any, data: Any) -> None:
            if self.left is None and bytes(data[: len(_ORDER)]) == _ORDER:
                self.left = time.perf_counter_ns()
            plain(transport, data)

        selector_events._SelectorSocketTransport.write = write
        try:
            yield
        finally:
            selector_events._SelectorSocketTransport.write = plain

    def since(self, moment: int) -> float:
        """Milliseconds from then to the order that left last."""
        if self.left is None:
            raise RuntimeError("no order left for the venue")
        return (self.left - moment) / 1e6


class Watched(Trader):
    """Notes when it has decided: after sizing and limits, as it begins to tell."""

    decided = 0

    def _tell(self, *arguments: Any) -> None:
        self.decided = time.perf_counter_ns()
        super()._tell(*arguments)


async def _trade(folder: Path, url: str, rounds: int) -> tuple[Times, Times, list[float]]:
    """From the decision, from the desk, and one fsync alone in each round."""
    decided, sent, wire = Times(), Times(), Wire()
    sync = Sync(folder / "pages")
    async with _bench(folder, url) as (bench, desk):
        trader = Watched(SYMBOL, bench, desk)
        submitted = _note_calls(desk)
        await desk.settle()
        with wire.watched():
            for number in range(rounds):
                began = time.monotonic()
                durable = number % 2 == 0
                _set_durable(bench.journal._store, durable=durable)
                wire.left = None
                await trader._enter(*_decision(number))
                decided.add(wire.since(trader.decided), durable=durable)
                sent.add(wire.since(submitted()), durable=durable)
                wire.left = None
                await trader.custodian.leave("exit", "the round is over")
                sent.add(wire.since(submitted()), durable=durable)
                bench.outbox.acknowledge(10**9)
                sync.once()
                await asyncio.sleep(max(_ROUND - (time.monotonic() - began), 0))
    return decided, sent, sync.found


@asynccontextmanager
async def _bench(folder: Path, url: str) -> AsyncIterator[tuple[Bench, Desk]]:
    keys = practice_credentials()
    async with at_bench(folder / "disk", url, Mode.TESTNET, keys) as (bench, desk):
        bench.broker._exchange.enableRateLimit = False
        bench.standing = Standing(always(), math.inf, 0, preflight_passed=True)
        yield bench, desk


def _note_calls(desk: Desk) -> Callable[[], int]:
    """Have the desk note when an order was handed to it; the moment of the last one."""
    plain, last = desk.submit, [0]

    async def submit(*arguments: Any, **named: Any) -> Order:
        last[0] = time.perf_counter_ns()
        return await plain(*arguments, **named)

    desk.submit = submit  # type: ignore[method-assign]
    return lambda: last[0]


def _decision(number: int) -> tuple[Occasion, Conclusion]:
    opened = datetime.fromtimestamp(1_700_000_000 + number, UTC)
    candle = Candle(opened, *(_PRICE,) * 4, Decimal(1))
    direction = 1 if number % 4 < 2 else -1
    action = "enter_long" if direction > 0 else "enter_short"
    return Occasion(candle), Conclusion(action, "it is measured", direction, ())


def _set_durable(store: Store, *, durable: bool) -> None:
    store.connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")


# -- the disk ---------------------------------------------------------------------------------


class Sync:
    """Writes one page after the other over a file and times the fdatasync of each, in ms.

    Over and not behind it, as a write-ahead log mostly does.
    """

    def __init__(self, path: Path) -> None:
        self._page = os.urandom(4096)
        path.write_bytes(self._page * _PAGES)
        self._file = path.open("r+b", buffering=0)
        self.found: list[float] = []

    def once(self) -> None:
        """One page."""
        self._file.seek(len(self.found) % _PAGES * len(self._page))
        self._file.write(self._page)
        began = time.perf_counter_ns()
        os.fdatasync(self._file.fileno())
        self.found.append((time.perf_counter_ns() - began) / 1e6)


def _journal(folder: Path, count: int) -> tuple[Times, float, float, float]:
    """Times of an order; then its commits, the bytes it wrote and those it takes in the end."""
    path = folder / "alone" / "journal.sqlite"
    store = Store(path)
    outbox = Outbox(store, 1, 1)
    journal, times = Journal(store, outbox), Times()
    began = _written()
    for number in range(count):
        durable = number % 2 == 0
        _set_durable(store, durable=durable)
        start = time.perf_counter_ns()
        _one_order(journal, number)
        times.add((time.perf_counter_ns() - start) / 1e6, durable=durable)
    store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    written = (_written() - began) / count
    commits = _commits(store, lambda: _one_order(journal, count))
    outbox.acknowledge(10**9)
    store.close()
    return times, commits, written, _kept(path) / count


def _one_order(journal: Journal, number: int) -> None:
    """Planned, sent, answered, filled: as the desk writes it."""
    now = datetime.now(UTC)
    order = Order(
        client_id=f"pl0123456789{number:020x}",
        symbol=SYMBOL,
        side=Side.BUY,
        kind="market",
        quantity=Decimal("0.010"),
        status=OrderStatus.PLANNED,
        purpose="entry",
        decided_at=now,
        reason="score 1 reached the threshold 1",
    )
    journal.plan(order, now)
    order = journal.update(order, now, status=OrderStatus.SENT)
    done = {"filled": order.quantity, "average": _PRICE}
    journal.update(
        order,
        now,
        fill_venue_id=str(number),
        venue_id=str(number),
        status=OrderStatus.FILLED,
        **done,
    )
    journal.add_fill(
        Fill(
            trade_id=f"BTCUSDT:{number}",
            client_id=order.client_id,
            symbol=SYMBOL,
            side=Side.BUY,
            price=_PRICE,
            quantity=order.quantity,
            fee=Decimal("0.24"),
            fee_currency="USDT",
            liquidity="taker",
            at=now,
        )
    )


def _commits(store: Store, work: Callable[[], None]) -> int:
    """How many transactions some work takes."""
    seen: list[str] = []
    store.connection.set_trace_callback(seen.append)
    work()
    store.connection.set_trace_callback(None)
    return seen.count("COMMIT")


def _written() -> int:
    """Bytes this process has written so far, to whatever file."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("wchar"))


def _kept(path: Path) -> int:
    """Bytes of a database without what was told and deleted."""
    with sqlite3.connect(path) as connection:
        connection.execute("VACUUM")
    return path.stat().st_size
