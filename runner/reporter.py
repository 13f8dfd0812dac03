"""What the platform is told of a bot's standing: syncs, positions, equity, checkpoints."""

from __future__ import annotations

import copy
import math
from datetime import timedelta
from decimal import Decimal

from runner.bench import Bench
from runner.custodians import Custodians
from runner.desk import Desk
from runner.link import BATCH, Link
from runner.protocol import (
    Checkpoint,
    Equity,
    EventKind,
    Position,
    PositionState,
    StateChange,
    Sync,
)
from runner.states import FOLLOWS, State

TOLD_AGAIN = timedelta(days=7)
PEAK_EVERY = 300.0
"""Seconds between checkpoints that only tell of a new best moment."""

STATE_EVERY = 60.0
"""Seconds between checkpoints that only tell of a code strategy's state; its end tells at once."""


class Reporter:
    """Turns the present into events and syncs. Only ``weigh`` asks the venue."""

    def __init__(
        self, claim_id: str, bench: Bench, desk: Desk, link: Link, custodians: Custodians
    ) -> None:
        self._claim_id = claim_id
        self._bench = bench
        self._desk = desk
        self._link = link
        self._custodians = custodians
        # A former machine may have told of a position and died before it told of its end.
        self._shown = set(bench.configuration.symbols)
        self._equity: Decimal | None = None
        self._fills_told = 0
        self._told_day = ""
        self._told_peak = Decimal(0)
        self._told_at = -math.inf
        self._told_memos = copy.deepcopy(bench.memory.memos)
        self.state = State.STARTING

    def change(self, state: State, reason: str) -> None:
        assert state in FOLLOWS[self.state], (self.state, state)
        self.state = state
        change = StateChange(state.value, reason)
        self._bench.outbox.append(EventKind.STATE, change, self._bench.clock.now())
        self._link.hurry()

    def follow(self) -> bool:
        """Tell new fills with a checkpoint, and notice when a drain is complete or over.

        Whether there was a fill.
        """
        filled = self._desk.fill_count != self._fills_told
        if filled:
            self._fills_told = self._desk.fill_count
            self.checkpoint()
        drained = self.is_drained()
        flat = self._position_state() is PositionState.FLAT
        if drained and flat and self.state is State.TRADING:
            self.change(State.DRAINED, "flat, and no entry can happen")
            self.checkpoint()
        elif not drained and self.state is State.DRAINED:
            self.change(State.TRADING, "the drain was cancelled")
        return filled

    async def weigh(self) -> None:
        """Tell what the account is worth. May raise as the venue does."""
        account = await self._bench.guard.look(self._desk)
        now = self._bench.clock.now()
        self._equity = account.balance + account.unrealised
        equity = Equity(self._equity, account.balance, account.unrealised)
        self._bench.outbox.append(EventKind.EQUITY, equity, now)
        if self._is_checkpoint_due():
            self.checkpoint()

    def positions(self) -> None:
        """Open positions, and once more when one has become flat."""
        now = self._bench.clock.now()
        for custodian in self._custodians.all():
            symbol, position = custodian.symbol, custodian.position()
            if position is not None:
                self._shown.add(symbol)
            elif symbol in self._shown and self._desk.shows_nothing(symbol):
                self._shown.discard(symbol)
                mark = custodian.mark or Decimal(0)
                position = Position(symbol, Decimal(0), None, mark, Decimal(0))
            if position is not None:
                self._bench.outbox.append(EventKind.POSITION, position, now)

    def _is_checkpoint_due(self) -> bool:
        """Whether the next machine would measure a day or a drawdown from the wrong beginning."""
        capital, now = self._bench.memory.capital, self._bench.clock.monotonic()
        if capital.day != self._told_day:
            return True
        if self.keeps_untold() and now - self._told_at >= STATE_EVERY:
            return True
        return capital.peak != self._told_peak and now - self._told_at >= PEAK_EVERY

    def keeps_untold(self) -> bool:
        """Whether a code strategy keeps something the platform has not been told of."""
        return self._bench.memory.memos != self._told_memos

    def checkpoint(self) -> None:
        self._told_memos = copy.deepcopy(self._bench.memory.memos)
        capital = self._bench.memory.capital
        self._told_day, self._told_peak = capital.day, capital.peak
        self._told_at = self._bench.clock.monotonic()
        state = Checkpoint(self._bench.memory.plain())
        self._bench.outbox.append(EventKind.CHECKPOINT, state, self._bench.clock.now())
        self._link.hurry()

    def tell_again(self) -> None:
        """The platform was set back to an earlier moment: tell what has a name of its own.

        Of this run alone: all that is told is taken for the run the claim goes on with.
        """
        now = self._bench.clock.now()
        self._bench.journal.tell_again(max(now - TOLD_AGAIN, self._bench.memory.began), now)
        for halt in self._bench.guard.halts:
            self._bench.outbox.append(EventKind.BREACH, halt.breach, now)
        self.checkpoint()
        text = (
            "the platform was set back to an earlier moment: orders, fills and passed limits of "
            "the last week are told again"
        )
        self._bench.say("warning", "platform_set_back", text)

    def sync(self) -> Sync:
        return Sync(
            claim_id=self._claim_id,
            sent_at=self._bench.clock.now(),
            batch=self._bench.outbox.pending(BATCH),
            position_state=self._position_state(),
            open_orders=len(self._desk.live()),
            drained=self.is_drained(),
            equity=self._equity,
            health={
                "state": self.state.value,
                "backlog": self._bench.outbox.count(),
                "unlisted": list(self._bench.standing.unlisted),
                "hears_by": self._bench.streams.use.value,
                "hears_why": self._bench.streams.why,
            },
        )

    def is_drained(self) -> bool:
        """Acknowledged, nothing resting that could open a position, and nothing left untold."""
        if not self._bench.standing.draining or self._desk.unsure():
            return False
        if any(not order.reduce_only for order in self._desk.live()):
            return False
        return self._bench.outbox.count() < BATCH

    def _position_state(self) -> PositionState:
        """Flat only when the venue said so and nothing that is ours rests there."""
        if self._desk.holds_nothing():
            return PositionState.FLAT
        known = self._desk.holds_something() and not self._desk.in_doubt()
        known = known and not self._bench.standing.unlisted
        return PositionState.OPEN if known else PositionState.UNKNOWN
