"""When everything is compared with the venue again, after the start has passed."""

from __future__ import annotations

import math

from runner import flows, terms
from runner.bench import Bench
from runner.desk import Desk
from runner.reconcile import reconcile

_ALL_SECONDS = 300.0
_FLOWS_SECONDS, _STRANGE_SECONDS = 60.0, 10.0


class Rounds:
    """Something may have been missed while venue or platform were away, and may go wrong unseen."""

    def __init__(self, bench: Bench, desk: Desk) -> None:
        self._bench = bench
        self._desk = desk
        self._missed = False
        self._connected = True
        self._looked = self._flows_read = -math.inf

    def miss(self) -> None:
        """Something may have gone unseen: compare all at the next look."""
        self._missed = True

    async def look(self, *, connected: bool) -> None:
        """Called at each tick. Raises ``Temporary`` or ``Operational``; then the next one tries."""
        self._missed = self._missed or self._desk.blind or (connected and not self._connected)
        self._connected = connected
        if not self._bench.standing.preflight_passed or self._desk.blind:
            return
        if self._missed or self._desk.books.differs or self._since(self._looked) >= _ALL_SECONDS:
            self._looked = self._bench.clock.monotonic()
            await reconcile(self._bench, self._desk)
            await terms.watch(self._bench, self._desk)
            self._missed = False
        strange = self._bench.memory.capital.strange_since is not None
        pause = _STRANGE_SECONDS if strange else _FLOWS_SECONDS
        if self._since(self._flows_read) >= pause:
            self._flows_read = self._bench.clock.monotonic()
            await flows.compare(self._bench)

    def _since(self, moment: float) -> float:
        return self._bench.clock.monotonic() - moment
