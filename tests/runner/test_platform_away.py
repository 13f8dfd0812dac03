"""The platform is away for an hour: what is held is managed, nothing enters, all is told."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from runner.errors import Temporary
from runner.exchange.base import OrderKind
from runner.memory import Memory
from runner.protocol import Equity, EventKind, Lease, SyncAnswer, payload
from tests.runner.gate import always
from tests.runner.hand_desk import PRICE, hand, story

HOUR, LEASE = 3600, 60
REASON = "the platform has been out of reach for longer than the grace time"
MOST_TOLD = 1000
"""Events an hour with a position may leave: a stop is told every ten seconds, and little else."""


class Platform:
    """Keeps every event in the order in which it was delivered, once each, while it is there."""

    def __init__(self, clock):
        self.clock = clock
        self.away = False
        self.asked = 0
        self.events = []
        self.longest_batch = 0

    async def sync(self, message):
        self.asked += 1
        if self.away:
            raise Temporary("nobody answers")
        self.longest_batch = max(self.longest_batch, len(message.batch))
        for event in message.batch:
            if event.seq == len(self.events) + 1:
                self.events.append(event)
        now = self.clock.now()
        windows = always_around(now)
        return SyncAnswer(len(self.events), now, Lease(now + timedelta(seconds=LEASE)), (), windows)


def always_around(now):
    (window,) = always()
    return (type(window)(now - timedelta(days=1), now + timedelta(days=8)),)


def connect(h, grace):
    """The loop talks to a platform of its own; the preflight has passed."""
    platform = Platform(h.clock)
    h.loop._link._client = platform
    h.bench.standing.preflight_passed = True
    h.bench.standing.windows = always_around(h.clock.now())
    h.bench.standing.grace_seconds = grace
    return platform


async def live(h, seconds, price=PRICE):
    """So long with the market moving a little; what barred entries at its end."""
    for second in range(seconds):
        h.clock.advance()
        h.broker.move(price + Decimal(second % 3) / 10)
        await h.loop._tick(None)
        await asyncio.sleep(0)  # the talk to the platform runs beside it
    return h.bench.standing.blocked(h.clock.now(), h.clock.monotonic())


def test_an_hour_is_survived_and_told_in_order_afterwards(tmp_path):
    grace = 0  # as live bots have it

    async def act(h):
        platform = connect(h, grace)
        assert await live(h, 12) is None
        await h.enter()
        assert await live(h, 15) is None
        assert h.broker.is_covered()
        known = len(platform.events)
        platform.away, began, asked = True, h.clock.now(), platform.asked
        assert await live(h, LEASE + grace - 15) is None, "entries go on for lease and grace"
        assert await live(h, 30) == REASON
        h.broker.vanish()
        assert await live(h, 15) == REASON
        assert h.broker.is_covered(), "its stop is put back without the platform"
        await h.loop._reporter.weigh()  # a summing-up from before it was known to be away
        await live(h, HOUR // 2 - grace)
        assert h.broker.is_covered()
        h.broker.move(PRICE * Decimal("0.94"))
        assert not h.broker.held, "the stop at the venue got it out"
        assert await live(h, HOUR // 2 + grace, PRICE * Decimal("0.94")) == REASON
        assert h.clock.now() - began > timedelta(seconds=HOUR)
        waiting = h.bench.outbox.pending(10**6)
        assert len(platform.events) == known
        assert 0 < len(waiting) < MOST_TOLD
        assert platform.asked - asked < HOUR / 5, "it does not hammer at a closed door"
        platform.away = False
        assert await live(h, 40, PRICE * Decimal("0.94")) is None
        assert h.bench.outbox.count() < 5
        assert [event.seq for event in platform.events] == list(range(1, len(platform.events) + 1))
        assert platform.events[known : known + len(waiting)] == list(waiting)
        told = {kind: [payload(e) for e in platform.events if e.kind is kind] for kind in EventKind}
        assert sum(fill.quantity for fill in told[EventKind.FILL]) == 2 * Decimal("0.012")
        stops = [it for it in h.broker.placed if it.kind is OrderKind.STOP_MARKET]
        assert len(stops) == 2, "the first one, and the one put back"
        assert isinstance(told[EventKind.EQUITY][0], Equity)

    story(tmp_path, act)


@pytest.mark.parametrize(("run", "orders"), [("run_1", 2), ("run_2", 0)])
def test_a_platform_set_back_is_told_the_orders_of_this_run_alone(tmp_path, run, orders):
    """After a change of mode the same disk holds those of another ledger."""

    async def act(h):
        await h.enter()
        await h.tick()
        h.bench.outbox.acknowledge(h.bench.outbox.pending(10**6)[-1].seq)
        h.clock.advance()
        Memory(h.store, replace(h.bench.configuration, run=run), 1, {}, h.clock.now())

    story(tmp_path, act)
    with hand(tmp_path, run=run) as later:
        later.loop._reporter.tell_again()
        told = [order.client_id for order in later.told(EventKind.ORDER)]
        assert len(told) == orders
        assert len(later.told(EventKind.FILL)) == min(orders, 1)
