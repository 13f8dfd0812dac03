"""Tells the platform what stands behind a position: at each change, and from time to time."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from runner.bench import Bench
from runner.memory import Entry
from runner.protocol import EventKind, Fill, PositionState, Protection, ProtectionState, Side

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
        self._told_at: datetime | None = None
        self.last: Protection | None = None

    def tell(self, state: Protection | None, entry: Entry | None) -> None:
        """``None``: nothing can be said yet. That there is no position is told once."""
        if state is None:
            return
        now, last = self._bench.clock.now(), self.last
        changed = last is None or _apart_from_time(last) != _apart_from_time(state)
        fresh = self._told_at is not None and now - self._told_at < TELL_EVERY
        if not changed and (fresh or state.why == FLAT):
            return
        with self._bench.journal.transaction():
            self._bench.outbox.append(EventKind.PROTECTION, state, now)
            if changed:
                self._ring(state, last)
                if entry is not None and state.why != FLAT:
                    self._account_for(entry, state)
        self._told_at, self.last = now, state

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

    def close(self, entry: Entry) -> None:
        """The position has ended. Whether a stop ever stood behind it may still be unsaid.

        Its process may have died before it could tell, and the stop may have fired meanwhile.
        """
        fills = self._bench.journal.fills_of(entry.client_id)
        if not self._bench.broker.protects or not fills or _knows(entry, fills[-1]):
            return
        opened = fills[-1].at
        closing = Side.SELL if entry.side > 0 else Side.BUY
        closed = self._bench.journal.newest_fill(self._symbol, closing)
        end = self._bench.clock.now() if closed is None or closed.at < opened else closed.at
        self._say_if_late(end - opened, "is closed again, and nobody was told of its stop")

    def _account_for(self, entry: Entry, state: Protection) -> None:
        """Say what could not be said while it lasted: the process was dead, or the stop on its way.

        Asked of the memory and not of this process, as the one before may have placed the stop.
        """
        opening = Side.BUY if entry.side > 0 else Side.SELL
        fill = self._bench.journal.newest_fill(self._symbol, opening)
        if _knows(entry, fill):
            return
        now = state.verified_at or self._bench.clock.now()
        if fill is not None and state.state is ProtectionState.VERIFIED:
            self._say_if_late(now - fill.at, "was not seen to have a stop")
        entry.told_at = now if fill is None else max(now, fill.at)
        self._bench.memory.save()

    def _say_if_late(self, bare: timedelta, what: str) -> None:
        if bare >= LATE:
            text = f"{self._symbol}: the last entry {what} for {bare.total_seconds():.1f} s"
            self._bench.say("warning", "stop_late", text)


def _knows(entry: Entry, fill: Fill | None) -> bool:
    """Whether the platform was told of the stop since that execution."""
    return entry.told_at is not None and (fill is None or entry.told_at >= fill.at)


def _apart_from_time(state: Protection) -> Protection:
    return replace(state, verified_at=None)
