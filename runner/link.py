"""The heartbeat to the platform: runs beside the trading, so that a slow gate delays no exit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime

from runner.client import GateClient
from runner.clock import Clock
from runner.errors import Operational, Temporary
from runner.outbox import Outbox
from runner.protocol import Lease, Sync, SyncAnswer

log = logging.getLogger("runner")

BATCH = 200
_LONGEST_PAUSE = 10.0


class Link:
    """One sync at a time; ``poll`` hands over its answer."""

    def __init__(self, client: GateClient, outbox: Outbox, clock: Clock) -> None:
        self._client = client
        self._outbox = outbox
        self._clock = clock
        self._task: asyncio.Task[SyncAnswer] | None = None
        self._next = clock.monotonic()
        self._pause = 1.0
        self.connected = True
        self.set_back = False

    def hurry(self) -> None:
        """Sync at the next tick: something happened the platform should know."""
        if self.connected:
            self._next = self._clock.monotonic()

    def due(self) -> bool:
        return self._task is None and self._clock.monotonic() >= self._next

    def start(self, sync: Sync) -> None:
        self._task = asyncio.create_task(self._client.sync(sync))
        self._task.add_done_callback(lambda _: self._clock.wake())

    def poll(self, cadence: float) -> SyncAnswer | None:
        """The answer of a finished sync. Raises ``Superseded``.

        A gate that refuses is treated as one out of reach: only a newer claim or generation may
        stop a runner, for everything else there may be a position to look after.
        """
        if self._task is None or not self._task.done():
            return None
        task, self._task = self._task, None
        try:
            answer = task.result()
        except (Temporary, Operational) as error:
            log.warning("sync: %s", error)
            self.connected = False
            self._next = self._clock.monotonic() + self._pause
            self._pause = min(self._pause * 2, _LONGEST_PAUSE)
            return None
        self.connected, self._pause = True, 1.0
        self._outbox.acknowledge(answer.ack_seq)
        self.set_back = self._outbox.set_back(answer.ack_seq)
        behind = self._outbox.count() >= BATCH
        self._next = self._clock.monotonic() + (0 if behind else cadence)
        return answer

    async def finish(self, sync: Callable[[], Sync], seconds: float) -> None:
        """Say all that is left within ``seconds``, or keep it for the next start."""
        try:
            async with asyncio.timeout(seconds):
                if self._task is not None:
                    await asyncio.wait([self._task])
                while True:
                    left = self._outbox.count()
                    self._outbox.acknowledge((await self._client.sync(sync())).ack_seq)
                    if not 0 < self._outbox.count() < left:
                        break
        except (TimeoutError, Temporary, Operational) as error:
            log.warning("last sync: %s", error)


def deadline(clock: Clock, lease: Lease, server_time: datetime) -> float:
    """The lease's end on our own monotonic clock: both its times are the platform's."""
    return clock.monotonic() + (lease.expires_at - server_time).total_seconds()
