"""A bench at the real practice market, without a loop: for tests that take the steps one by one."""

import os
import signal
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

from runner.bench import Bench
from runner.clock import Clock
from runner.desk import Desk, Intent
from runner.entries import Standing
from runner.exchange.base import OrderKind
from runner.exchange.broker import CcxtBroker
from runner.exchange.ccxt import CcxtMarket, connect
from runner.exchange.paper import PaperBroker
from runner.exchange.paper_state import PaperState
from runner.journal import Journal
from runner.memory import Entry, Memory
from runner.outbox import Outbox
from runner.protocol import Fill, Mode, OrderStatus, Side, loads
from runner.store import Store
from tests.runner.machine import SYMBOL, configuration

SOURCES = (f"127.64.{n // 250 % 250 + 1}.{n % 250 + 1}" for n in count())
DECIDED = datetime(2026, 11, 23, 9, tzinfo=UTC)
ENTRY = Intent(
    decision=f"{SYMBOL}@{DECIDED.isoformat()}",
    leg="entry",
    symbol=SYMBOL,
    side=Side.BUY,
    kind=OrderKind.MARKET,
    quantity=Decimal("0.010"),
    purpose="entry",
    reason="as the test says",
)


@asynccontextmanager
async def at_bench(
    directory,
    endpoint,
    mode,
    credentials,
    *,
    generation=1,
    told=None,
    markets=None,
    source=None,
    **changes,
):
    """Store, market and broker as a runner has them; an unseen order is given up at once.

    ``told``: the state that a machine before this one told. ``markets``: what the venue lists, so
    that many benches need not ask for it each. Each bench has a source address of its own, as the
    venue limits requests by that. ``changes``: of the configuration.
    """
    store = Store(Path(directory) / "journal.sqlite")
    clock = Clock()
    settings = configuration(endpoint, mode, **changes)
    begun = clock.now() - timedelta(minutes=1)
    memory = Memory(store, settings, generation, told or {}, begun)
    outbox = Outbox(store, generation, 1)
    exchange, venue, url = connect(settings, credentials, source or next(SOURCES))
    if markets is not None:
        exchange.set_markets(markets)
    market = CcxtMarket(exchange, venue, url)
    if mode is Mode.PAPER:
        state = PaperState(Decimal(10_000))
        if memory.paper:
            state = PaperState.restore(memory.paper)
        broker = PaperBroker(market, clock, state, memory.keep_paper)
    else:
        broker = CcxtBroker(exchange, venue, "USDT")
        broker.unseen_after = timedelta(0)
    bench = Bench(
        bot="bot_a",
        generation=generation,
        configuration=settings,
        market=market,
        broker=broker,
        journal=Journal(store, outbox),
        outbox=outbox,
        memory=memory,
        standing=Standing((), 0, 0),
        clock=clock,
    )
    try:
        await market.open()
        yield bench, Desk(bench)
    finally:
        await market.close()
        store.close()


def fills_of(bench, client_id):
    """Fills on the disk, whether or not they were told."""
    rows = bench.journal._store.connection.execute(
        "SELECT body FROM fills WHERE client_id = ?", (client_id,)
    )
    return [loads(Fill, body) for (body,) in rows]


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def last(step):
    """``step``, and then nothing more."""

    def wrapped(*args, **kwargs):
        step(*args, **kwargs)
        die()

    return wrapped


def last_async(step):
    async def wrapped(*args):
        await step(*args)
        die()

    return wrapped


def die_on_fill(append):
    return lambda kind, *rest: die() if kind == "fill" else append(kind, *rest)


def last_of_answer(update):
    """The note that an order is about to be sent goes through; that of its answer is the last."""

    def wrapped(*args, **kwargs):
        changed = update(*args, **kwargs)
        if changed.status is not OrderStatus.SENT:
            die()
        return changed

    return wrapped


POINTS = {
    "before the intent": ("journal", "plan", lambda _: die),
    "between intent and its event": ("outbox", "append", lambda _: die),
    "intent written": ("journal", "plan", last),
    "intent planned, not yet to be sent": ("journal", "update", lambda _: die),
    "about to be sent": ("journal", "update", last),
    "before the request": ("broker", "place", lambda _: die),
    "answer not yet read": ("broker", "place", last_async),
    "answer written": ("journal", "update", last_of_answer),
    "between fill and its event": ("outbox", "append", die_on_fill),
    "fill written": ("journal", "add_fill", last),
}
NEVER_SENT = tuple(POINTS)[:6]


def arm(point, bench):
    """Make the named step the last one this process takes."""
    part, step, deadly = POINTS[point]
    owner = getattr(bench, part)
    setattr(owner, step, deadly(getattr(owner, step)))


async def enter_and_die(point, directory, endpoint, mode, credentials):
    """An entry as a trader makes it, up to the named step."""
    async with at_bench(directory, endpoint, mode, credentials) as (bench, desk):
        entry_id = desk.order_id(ENTRY.decision, ENTRY.leg)
        bench.memory.entries[SYMBOL] = Entry(entry_id, 1, Decimal(1), DECIDED)
        bench.memory.save()
        arm(point, bench)
        await desk.submit(ENTRY)
        await desk.settle()
