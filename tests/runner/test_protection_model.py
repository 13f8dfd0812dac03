"""Whatever venue, market and trader do: no second without a stop goes unsaid, nothing turns."""

import asyncio
import tempfile
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.protection import LOOK_EVERY, SETTLING, TRUSTED_FOR
from runner.protocol import ProtectionState, Side
from runner.telling import TELL_EVERY
from tests.runner.hand_desk import PRICE, Hand

SECOND = timedelta(seconds=1)
SOON = int((LOOK_EVERY + SETTLING) / SECOND) + 2
"""Seconds in which a venue that answers has shown what it has, or its stop is told missing."""
LATE = int(TRUSTED_FOR / SECOND) + 2
"""The same for one that does not answer."""
HEALING = SOON + 15 + 2 * LATE
"""Seconds without a fault after which every position has its stop again."""

MOVES = st.one_of(
    st.tuples(st.just("enter"), st.sampled_from(Side)),
    st.tuples(st.just("reduce"), st.sampled_from(["0.001", "0.004", "-0.003"])),
    st.tuples(st.just("move"), st.sampled_from([-600, -200, 200, 600])),
    st.tuples(st.sampled_from(["vanish", "forget"]), st.none()),
    st.tuples(st.just("loses"), st.sampled_from(["answer", "order"])),
    st.tuples(st.sampled_from(["away", "refuses", "one_stop", "hides"]), st.booleans()),
    st.tuples(st.just("level"), st.sampled_from([-300, 300])),
    st.tuples(st.just("wait"), st.sampled_from([1, 3, 8, 30])),
)


@dataclass
class Watcher:
    """Compares each second what is true at the venue with what was told."""

    hand: Hand
    bare: int = 0
    covered: dict = field(default_factory=dict)

    def look(self):
        broker, told = self.hand.broker, self.hand.custodian.protector.now_told
        self.covered[self.hand.clock.now()] = {
            order.client_id: order.quantity for order in broker.stops()
        }
        missing = told is not None and told.state is ProtectionState.MISSING
        silent = bool(broker.held) and not broker.is_covered() and not missing
        self.bare = self.bare + 1 if silent else 0
        assert self.bare <= (LATE if broker.away else SOON), told
        if told is not None and told.state is ProtectionState.VERIFIED:
            assert self.hand.clock.now() - told.verified_at <= TRUSTED_FOR + TELL_EVERY
            assert self.covered[told.verified_at][told.stop_id] >= told.quantity


class Player:
    """Makes the moves that are possible where the bot stands."""

    def __init__(self, hand):
        self.hand, self.price, self.shift = hand, PRICE, 0
        fixed = hand.engine.stop_price
        hand.engine.stop_price = lambda holding: fixed(holding) + self.shift

    async def make(self, kind, value):
        move = getattr(self, kind, None)
        if move is None:
            setattr(self.hand.broker, kind, value)
            return
        await move(value)

    async def enter(self, side):
        desk = self.hand.desk
        free = self.hand.custodian.entry is None and not desk.in_doubt() and not desk.live()
        if free and not self.hand.broker.held:
            await self.hand.enter(side)

    async def reduce(self, quantity):
        if abs(self.hand.broker.held) > Decimal("0.005"):
            self.hand.broker.reduce(Decimal(quantity))

    async def move(self, change):
        self.price += change
        self.hand.broker.move(self.price)

    async def vanish(self, _):
        self.hand.broker.vanish()

    async def forget(self, _):
        """The record of the entry is lost, as when the venue lists a position very late."""
        self.hand.bench.memory.entries.clear()

    async def level(self, change):
        self.shift += change

    async def wait(self, _):
        pass


async def play(hand, moves):
    await hand.desk.settle()
    hand.desk.searched = True
    watcher, player, broker = Watcher(hand), Player(hand), hand.broker
    for kind, value in moves:
        await player.make(kind, value)
        for _ in range(value if kind == "wait" else 2):
            before = broker.held
            await hand.tick()
            assert before * broker.held >= 0, "an exit or a stop turned the position"
            watcher.look()
    broker.away = broker.refuses = broker.one_stop = broker.hides = False
    broker.loses = None
    for _ in range(HEALING):
        await hand.tick()
        watcher.look()
    told = hand.custodian.protector.now_told
    if broker.held:
        assert broker.is_covered()
        assert told.state is ProtectionState.VERIFIED
    else:
        assert not broker.stops()
        assert told is None or told.why == "flat"


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(MOVES, min_size=3, max_size=25))
def test_no_second_without_a_stop_goes_unsaid(moves):
    with tempfile.TemporaryDirectory() as directory:
        hand = Hand(Path(directory), stop=1)
        try:
            asyncio.run(play(hand, [("enter", Side.BUY), *moves]))
        finally:
            hand.store.close()
