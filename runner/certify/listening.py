"""The step about streams: they stand, come whole and in order, and tell of our own order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime
from typing import Any

from runner.certify.resting import rest, take_back
from runner.certify.stand import Stand
from runner.certify.verdict import NotOffered, Unexpected
from runner.errors import RunnerError
from runner.exchange.listener import STAND_SECONDS, Ears
from runner.exchange.quirks.streaming import StreamingVenue

TOLD_WITHIN = 10.0
CANDLES_WITHIN = 20.0
_CANDLES = 4
_LOOK_SECONDS = 0.05


class _Ears(Ears):
    """Counts what is told, and looks whether each event comes once and after the one before."""

    def __init__(self, venue: StreamingVenue) -> None:
        self._venue = venue
        self._before: dict[tuple[str, str], tuple[int, Any]] = {}
        self.stands = False
        self.candles = self.told = 0
        self.fault = ""

    def standing(self) -> None:
        self.stands = True

    def candle(self, symbol: str, opened_at: datetime, volume: float) -> None:  # noqa: ARG002 - only that one came
        self.candles += 1

    def account(self) -> None:
        self.told += 1

    def overhear(self, where: str, message: Any) -> None:
        event = self._venue.event_of(message)
        if event is None:
            return
        kind, at = event
        before = self._before.get((where, kind))
        self._before[where, kind] = (at, message)
        if before is not None and before[1] == message:
            self.fault = self.fault or "the streams sent the same event twice"
        elif before is not None and at < before[0]:
            self.fault = self.fault or "the streams sent events in the wrong order"


async def streams(stand: Stand) -> str:
    """What a bot is woken by; it believes requests alone, so that none of this can cost money."""
    if stand.listener is None:
        raise NotOffered("the runner does not listen to this venue's streams")
    ears = _Ears(stand.listener.venue)
    stand.listener.overheard = ears.overhear
    listening = asyncio.create_task(stand.listener.listen(ears))
    try:
        took = await _heard(stand, ears, listening)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
    return f"candles come in order; an order was told of after {took * 1000:.0f} ms, and its end"


async def _heard(stand: Stand, ears: _Ears, listening: asyncio.Task[None]) -> float:
    """How long it took until our order was told of."""

    async def until(met: Callable[[], bool], what: str, seconds: float) -> None:
        deadline = stand.clock.monotonic() + seconds
        while not met() or ears.fault:
            if listening.done():
                raise Unexpected(f"the streams ended: {_why(listening)}")
            if ears.fault:
                raise Unexpected(ears.fault)
            if stand.clock.monotonic() > deadline:
                raise Unexpected(f"the streams did not {what} within {seconds:.0f} s")
            await asyncio.sleep(_LOOK_SECONDS)

    # Longer than the listener itself gives it, which says more about why.
    await until(lambda: ears.stands, "come to stand", STAND_SECONDS + 5)
    await until(lambda: ears.candles >= _CANDLES, "tell of a candle", CANDLES_WITHIN)
    before = ears.told
    start = stand.clock.monotonic()
    order = await rest(stand, "streams")
    await until(lambda: ears.told > before, "tell of an order that was placed", TOLD_WITHIN)
    took = stand.clock.monotonic() - start
    before = ears.told
    await take_back(stand, order)
    await until(lambda: ears.told > before, "tell of an order that was taken back", TOLD_WITHIN)
    return took


def _why(listening: asyncio.Task[None]) -> str:
    error = listening.exception()
    return str(error) if isinstance(error, RunnerError) else type(error).__name__
