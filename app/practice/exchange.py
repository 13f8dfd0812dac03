"""Everything one market process holds, and the clockwork that lets its time pass."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from app.practice.callers import Callers
from app.practice.clearing import Clearing
from app.practice.desk import Desk
from app.practice.faults import Faults
from app.practice.gaps import Gaps
from app.practice.instruments import INSTRUMENTS
from app.practice.limits import Limits
from app.practice.market import Market
from app.practice.store import Store
from app.practice.streams.hub import Hub
from app.practice.watch import Watch

log = logging.getLogger("practice")
Clock = Callable[[], int]
TURN_SECONDS = 0.1
_SAVE_EVERY = 20  # turns


def system_clock() -> int:
    """Unix milliseconds."""
    return time.time_ns() // 1_000_000


class Exchange:
    """Everything one server process holds."""

    def __init__(self, folder: Path, seed: int, clock: Clock = system_clock):
        self.clock = clock
        self.store = Store(folder)
        self.seed = self._settle_seed(seed)
        self.markets = {one.symbol: Market(one, self.seed) for one in INSTRUMENTS.values()}
        self.gaps = Gaps(self.store, self.markets)
        self.faults = Faults(self.store, self.seed)
        self.desk = Desk(Clearing(self.store), self.markets, clock())
        self.hub = Hub(self.desk.clearing, self.markets, self.desk.listen_keys, self.faults)
        self.callers = Callers(self.store)
        self.watch = Watch(self.store)
        self.limits = Limits()
        self.running: asyncio.Task[None] | None = None

    def _settle_seed(self, seed: int) -> int:
        """The first start decides: another seed would move prices under open positions."""
        kept = self.store.meta("seed")
        if kept is None:
            with self.store.transaction():
                self.store.set_meta("seed", str(seed))
            return seed
        if int(kept) != seed:
            log.warning("seed %s ignored: this market began with seed %s", seed, kept)
        return int(kept)

    async def run(self) -> None:
        """Let time pass for the accounts until cancelled; an exception is the market's end."""
        turns = 0
        while True:
            await asyncio.sleep(TURN_SECONDS)
            self.desk.turn.advance(self.clock())
            self.hub.turn(self.clock())
            turns += 1
            if turns % _SAVE_EVERY == 0:
                self._save()

    def _save(self) -> None:
        self.callers.save()
        self.watch.save(self.clock())

    def close(self) -> None:
        self._save()
        self.store.close()


EXCHANGE: web.AppKey[Exchange] = web.AppKey("exchange", Exchange)
