"""The only ``now`` and the only ``sleep`` of the runner."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime


class Clock:
    """Wall time in UTC, and waiting that a wake-up call cuts short."""

    def __init__(self) -> None:
        self._woken = asyncio.Event()

    def now(self) -> datetime:
        return datetime.now(UTC)

    def answered(self) -> datetime:
        """The moment of an answer that just came."""
        return self.now()

    def monotonic(self) -> float:
        """Seconds that never jump, for deadlines."""
        return time.monotonic()

    def wake(self) -> None:
        """End the current or the next ``sleep`` at once."""
        self._woken.set()

    async def sleep(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._woken.wait(), max(seconds, 0))
        except TimeoutError:
            return
        self._woken.clear()
