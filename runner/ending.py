"""An orderly end: what becomes of positions and orders when the process is asked to stop.

No entry is made from the signal on. Then, by ``configuration.on_end``: *protected* leaves what
rests and makes sure that each position has its stop at the venue; *cancel* takes resting entries
back first; *flatten* closes everything. What could not be done rings before the process is gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

from runner.bench import Bench
from runner.custodian import Custodian
from runner.custodians import Custodians
from runner.desk import Desk
from runner.protocol import OnEnd, ProtectionState
from runner.reconcile import reconcile

# With the tick's grace and the last words, within the twenty seconds a machine gives its runner.
FLATTEN_SECONDS = 5.0
LOOK_SECONDS = 3.0
"""For each of: the last reconciliation, taking entries back, the look at the stops."""
_PAUSE = timedelta(milliseconds=250).total_seconds()


class Ending:
    """``attempt`` does one step and survives what it meets."""

    def __init__(
        self,
        bench: Bench,
        desk: Desk,
        custodians: Custodians,
        attempt: Callable[[Awaitable[object]], Awaitable[bool]],
    ) -> None:
        self._bench = bench
        self._desk = desk
        self._custodians = custodians
        self._attempt = attempt

    async def run(self) -> str:
        """Carry out the policy; what is left, in words."""
        policy = self._bench.configuration.on_end
        seen = await self._within(LOOK_SECONDS, self._reconcile())
        if policy is not OnEnd.PROTECTED:
            await self._within(LOOK_SECONDS, self._attempt(self._desk.cancel_entries()))
        if policy is OnEnd.FLATTEN and not self._desk.holds_nothing():
            await self._within(FLATTEN_SECONDS, self._flatten())
        if self._desk.holds_nothing():
            return "flat, no open orders"
        if not await self._within(LOOK_SECONDS, self._protect()) or not seen:
            text = "ended before the venue told what is held and whether its stops rest"
            self._bench.notice("alarm", "end_unproven", text)
        return self._left()

    async def _reconcile(self) -> bool:
        return await self._attempt(reconcile(self._bench, self._desk))

    async def _flatten(self) -> None:
        self._bench.standing.flattening = True
        while not self._desk.holds_nothing():
            await self._attempt(self._desk.settle())
            for custodian in self._custodians.all():
                await self._attempt(custodian.watch())
            await self._bench.clock.sleep(_PAUSE)

    async def _protect(self) -> bool:
        everyone = self._custodians.all()
        return all([await self._attempt(c.protect(at_once=True)) for c in everyone])

    async def _within(self, seconds: float, step: Awaitable[object]) -> bool:
        """Whether it came to its end in time, and met nothing on the way."""
        try:
            async with asyncio.timeout(seconds):
                return await step is not False
        except TimeoutError:
            return False

    def _left(self) -> str:
        said = [self._leave(c) for c in self._custodians.all() if self._desk.quantity(c.symbol)]
        entries = [o for o in self._desk.live() if not o.reduce_only]
        if entries:
            text = f"{len(entries)} resting entries are left; one that fills has no stop"
            self._bench.notice("alarm", "entry_left", text)
            said.append(text)
        if self._desk.in_doubt() or self._desk.blind:
            said.append("what is held is not known for certain")
        return "; ".join(said) or "flat"

    def _leave(self, custodian: Custodian) -> str:
        held = f"{custodian.symbol}: {self._desk.quantity(custodian.symbol):f} held"
        told = custodian.protector.now_told
        if told is not None and told.state is ProtectionState.VERIFIED:
            return f"{held}, stop {told.price:f} seen at the venue"
        why = "no stop was seen" if told is None else told.why
        level = "alarm" if self._bench.broker.protects else "warning"
        self._bench.notice(level, "left_unprotected", f"{held} while the bot is away: {why}")
        return f"{held}, {why}"
