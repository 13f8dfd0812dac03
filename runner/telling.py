"""Tells the platform what stands behind a position: at each change, and from time to time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from runner.bench import Bench
from runner.protocol import EventKind, PositionState, Protection, ProtectionState

TELL_EVERY = timedelta(seconds=10)
FLAT = PositionState.FLAT.value
"""Told as the reason when there is no position to protect."""


class Teller:
    """One symbol's protection in events, and the alarm while it is missing."""

    def __init__(self, symbol: str, bench: Bench) -> None:
        self._symbol = symbol
        self._bench = bench
        self._told_at: datetime | None = None
        self.last: Protection | None = None

    def tell(self, state: Protection | None) -> None:
        """``None``: nothing can be said yet. That there is no position is told once."""
        if state is None:
            return
        now, last = self._bench.clock.now(), self.last
        changed = last is None or _apart_from_time(last) != _apart_from_time(state)
        fresh = self._told_at is not None and now - self._told_at < TELL_EVERY
        if not changed and (fresh or state.why == FLAT):
            return
        self._told_at, self.last = now, state
        self._bench.outbox.append(EventKind.PROTECTION, state, now)
        if changed:
            self._ring(state, last)

    def _ring(self, state: Protection, before: Protection | None) -> None:
        was_missing = before is not None and before.state is ProtectionState.MISSING
        if state.state is ProtectionState.MISSING and not was_missing:
            text = f"{self._symbol}: no stop can be counted on: {state.why}"
            self._bench.notice("alarm", "stop_missing", text)
        elif was_missing and state.state is not ProtectionState.MISSING:
            self._bench.settled("stop_missing")
            over = "its stop was seen at the venue"
            if state.state is ProtectionState.NONE:
                over = state.why
            self._bench.say("info", "stop_found", f"{self._symbol}: {over}")


def _apart_from_time(state: Protection) -> Protection:
    return replace(state, verified_at=None)
