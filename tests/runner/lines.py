"""A trade's life, cut short at a line: what is executed, and what it has changed so far."""

import os
import signal
import sys
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import runner
from runner.exchange.base import OrderKind
from runner.memory import Entry
from runner.protocol import Checkpoint, EventKind, Side
from runner.reconcile import reconcile
from tests.runner.machine import SYMBOL
from tests.runner.workshop import DECIDED, ENTRY

ROOT = Path(runner.__file__).parent
WATCHED = {
    str(ROOT / name)
    for name in (
        *("desk.py", "journal.py", "store.py", "outbox.py", "books.py", "memory.py"),
        *("endings.py", "exchange/broker.py"),
    )
}
STOP = replace(
    ENTRY,
    leg="stop1",
    side=Side.SELL,
    kind=OrderKind.STOP_MARKET,
    purpose="protect",
    price=Decimal(20_000),
    reduce_only=True,
)
EXIT = replace(ENTRY, leg="exit1", side=Side.SELL, purpose="flatten", reduce_only=True)


class Line:
    """Watches the lines of the modules between a decision and its acknowledgement.

    Between two lines nothing outlives the process but what was committed or asked of the venue.
    So lines with the same count of both in the same step leave the same world behind, and one of
    them stands for all: ``seen`` counts the lines of each such place.
    """

    def __init__(self, deadly=None):
        self.step, self.commits, self.requests = "start", 0, 0
        self.deadly = deadly
        self.seen = Counter()

    @property
    def place(self):
        return f"{self.step}/{self.commits}/{self.requests}"

    def watch(self, bench):
        def statement(text):
            self.commits += text == "COMMIT"

        async def fetch(*args, **kwargs):
            self.requests += 1
            try:
                return await ask(*args, **kwargs)
            finally:
                self.requests += 1

        exchange = bench.broker._exchange
        ask, exchange.fetch = exchange.fetch, fetch
        bench.outbox._store.connection.set_trace_callback(statement)
        sys.settrace(self._call)

    def begin(self, step):
        self.step, self.commits, self.requests = step, 0, 0

    def _call(self, frame, _event, _argument):
        return self._line if frame.f_code.co_filename in WATCHED else None

    def _line(self, _frame, event, _argument):
        if event == "line":
            self.seen[self.place] += 1
            if self.place == self.deadly:
                os.kill(os.getpid(), signal.SIGKILL)
        return self._line


def checkpoint(bench):
    told = Checkpoint(bench.memory.plain())
    bench.outbox.append(EventKind.CHECKPOINT, told, bench.clock.now())


async def live_through(line, bench, desk):
    """Enter, protect, take the protection back, leave; each step as the runner takes it."""
    await reconcile(bench, desk)
    checkpoint(bench)
    line.watch(bench)
    name = desk.order_id(ENTRY.decision, ENTRY.leg)
    bench.memory.entries[SYMBOL] = Entry(name, 1, Decimal(1), DECIDED)
    bench.memory.save()
    stop = None
    for step in ("entry", "stop", "cancel", "exit"):
        line.begin(step)
        filled = desk.fill_count
        if step == "cancel":
            await desk.cancel(stop)
        else:
            intent = {"entry": ENTRY, "stop": STOP, "exit": EXIT}[step]
            stop = await desk.submit(intent)
        await desk.settle()
        if desk.fill_count != filled:
            checkpoint(bench)
    sys.settrace(None)
