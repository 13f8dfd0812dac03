"""Tells the platform what stands behind a position: at each change, and from time to time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from runner.bench import Bench
from runner.protocol import EventKind, PositionState, Protection, ProtectionState, Side

TELL_EVERY = timedelta(seconds=10)
LATE = timedelta(seconds=1)
"""How long a position may stand before its stop rests without anybody being told."""
FLAT = PositionState.FLAT.value
"""Told as the reason when there is no position to protect."""


class Teller:
    """One symbol's protection in events, and the alarm while it is missing."""

    def __init__(self, symbol: str, bench: Bench) -> None:
        self._symbol = symbol
        self._bench = bench
        self._began = bench.clock.now()
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
        elif state.state is ProtectionState.VERIFIED:
            self._say_if_late(state, before)

    def _say_if_late(self, state: Protection, before: Protection | None) -> None:
        """What nobody could say while it lasted, as the process was dead or the stop on its way."""
        stop = self._bench.journal.order(state.stop_id or "")
        if stop is None or stop.decided_at < self._began or state.verified_at is None:
            return  # it rested before this process looked
        opened_by = Side.BUY if stop.side is Side.SELL else Side.SELL
        fill = self._bench.journal.newest_fill(self._symbol, opened_by)
        seen = before.verified_at if before is not None else None
        if fill is None or stop.decided_at < fill.at or (seen is not None and seen >= fill.at):
            return
        bare = state.verified_at - fill.at
        if bare >= LATE:
            text = f"{self._symbol}: the last entry had no stop for {bare.total_seconds():.1f} s"
            self._bench.say("warning", "stop_late", text)


def _apart_from_time(state: Protection) -> Protection:
    return replace(state, verified_at=None)
