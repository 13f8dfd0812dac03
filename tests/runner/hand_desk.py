"""A runner's loop at a venue in memory, moved second by second without any waiting."""

import asyncio
import contextlib
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from runner.bench import Bench
from runner.desk import Desk
from runner.entries import Standing
from runner.exchange.base import OrderKind
from runner.journal import Journal
from runner.link import Link
from runner.loop import Loop
from runner.memory import Entry, Memory
from runner.outbox import Outbox
from runner.protocol import ClaimAnswer, EventKind, Lease, Mode, Side, payload
from runner.store import Store
from tests.runner.hand_broker import HandBroker
from tests.runner.hand_market import START, SYMBOL, HandMarket, StillClock
from tests.runner.machine import configuration, demo_rules
from tests.runner.workshop import ENTRY

PRICE = Decimal(100_000)


def rules(*, stop=5, exits=()):
    """The demo with a stop so many percent away, or none; no other exit but those given fires."""
    plain = demo_rules(stop_loss={"percent": stop}, take_profit={"percent": 400})
    if stop is None:
        plain["exits"] = [rule for rule in plain["exits"] if rule["kind"] != "stop_loss"]
    plain["exits"] += exits
    return plain


class Hand:
    """One bot. ``tick`` is one second of its loop, without the talk to the platform."""

    def __init__(
        self, directory, clock=None, broker=None, *, stop=5, exits=(), memory=None, **changes
    ):
        directory.mkdir(exist_ok=True)
        self.clock = clock or StillClock()
        self.store = Store(directory / "journal.sqlite")
        # What is on the platter is proven elsewhere; here it would only cost time.
        self.store.connection.execute("PRAGMA synchronous=OFF")
        self.market = broker.market if broker else HandMarket(self.clock, [], [])
        self.broker = broker or HandBroker(self.market, self.clock)
        if broker is None:
            self.broker.move(PRICE)
        plain = changes.pop("rules", None) or rules(stop=stop, exits=exits)
        settings = configuration("", Mode.TESTNET, plain, account="a", **changes)
        memory = Memory(self.store, settings, 1, memory or {}, START - timedelta(minutes=1))
        outbox = Outbox(self.store, 1, 1)
        self.bench = Bench(
            bot="bot_a",
            generation=1,
            configuration=settings,
            market=self.market,
            broker=self.broker,
            journal=Journal(self.store, outbox),
            outbox=outbox,
            memory=memory,
            standing=Standing((), 0, 0),
            clock=self.clock,
        )
        self.desk = Desk(self.bench)
        now = self.clock.now()
        answer = ClaimAnswer(
            claim_id="c",
            server_time=now,
            address="",
            configuration=settings,
            windows=(),
            end_policy="hold",
            lease=Lease(now),
        )
        link = Link(None, outbox, self.clock)
        self.loop = Loop(answer, self.bench, self.desk, link, self.store)
        (self.custodian,) = self.loop._custodians.all()

    @property
    def engine(self):
        return self.custodian._engine

    async def enter(self, side=Side.BUY, quantity="0.012"):
        """As a trader does: its own record first, then the order."""
        number = self.store.note("entered") or 0
        self.store.remember("entered", number + 1)
        intent = replace(ENTRY, side=side, quantity=Decimal(quantity), decision=f"entry {number}")
        name = self.desk.order_id(intent.decision, intent.leg)
        direction = 1 if side is Side.BUY else -1
        self.custodian.keep(Entry(name, direction, PRICE, self.clock.now()))
        await self.loop._try(self.custodian.finish(await self.desk.submit(intent)))

    async def tick(self, seconds=1):
        for _ in range(seconds):
            self.clock.advance()
            await self.loop._trade()

    def told(self, kind=EventKind.PROTECTION):
        return [payload(e) for e in self.bench.outbox.pending(10**6) if e.kind is kind]

    def notices(self, code):
        return [n for n in self.told(EventKind.NOTICE) if n.code == code]

    @property
    def last(self):
        return self.told()[-1]


@contextlib.contextmanager
def hand(directory, **changes):
    one = Hand(directory, **changes)
    try:
        yield one
    finally:
        one.store.close()


def story(directory, act, **changes):
    """Run ``act(hand)`` on a fresh bot."""

    async def go(one):
        await one.desk.settle()
        one.desk.searched = True
        await act(one)

    with hand(directory, **changes) as one:
        asyncio.run(go(one))


__all__ = ["PRICE", "SYMBOL", "Hand", "OrderKind", "hand", "rules", "story"]
