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
SILENT = timedelta(seconds=10)
"""After so long without a word, an alarm does not tell of the time before it."""
FLAT = PositionState.FLAT.value
"""Told as the reason when there is no position to protect."""
_SPOKEN_FOR = {ProtectionState.VERIFIED: LATE, ProtectionState.MISSING: SILENT}
"""From what a position is told to be, how long before it nothing more need be said of it."""
_ALWAYS = timedelta.max
CLOSED_UNTOLD = "is closed again, and nobody was told of its stop"


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
        self._told_at, self.last = now, state
        # Each for itself: with the disk full what cannot be written is told from memory.
        self._bench.outbox.append(EventKind.PROTECTION, state, now)
        if changed:
            self._ring(state, last)
            if entry is not None and state.why != FLAT:
                self._account_for(entry, state)

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
        if not self._bench.broker.protects:
            return
        closing = Side.SELL if entry.side > 0 else Side.BUY
        closed = self._bench.journal.newest_fill(self._symbol, closing)
        opened = self._opened_at(entry, closed)
        if opened is None or (entry.told_at is not None and entry.told_at >= opened):
            return
        end = self._bench.clock.now() if closed is None or closed.at < opened else closed.at
        say_if_late(self._bench, self._symbol, end - opened, CLOSED_UNTOLD)

    def _opened_at(self, entry: Entry, closed: Fill | None) -> datetime | None:
        """``None`` where the order was never filled. A lost disk takes its fills with it."""
        fills = self._bench.journal.fills_of(entry.client_id)
        if fills:
            return fills[-1].at
        lost = self._bench.journal.order(entry.client_id) is None
        filled = closed is not None and closed.at > entry.candle_at
        return entry.candle_at if lost and filled else None

    def _account_for(self, entry: Entry, state: Protection) -> None:
        """Say what could not be said while it lasted: the process was dead, or the stop on its way.

        Asked of the memory and not of this process, as the one before may have placed the stop.
        """
        opening = Side.BUY if entry.side > 0 else Side.SELL
        fill = self._bench.journal.newest_fill(self._symbol, opening)
        if entry.told_at is not None and (fill is None or entry.told_at >= fill.at):
            return
        now = state.verified_at or self._bench.clock.now()
        if fill is not None and now - fill.at >= _SPOKEN_FOR.get(state.state, _ALWAYS):
            say_if_late(self._bench, self._symbol, now - fill.at, "was not seen to have a stop")
        entry.told_at = now if fill is None else max(now, fill.at)
        self._bench.memory.save()


def say_if_late(bench: Bench, symbol: str, bare: timedelta, what: str) -> None:
    """``bare``: for how long nobody could know whether a stop stood behind the last entry."""
    if bare >= LATE:
        text = f"{symbol}: the last entry {what} for {bare.total_seconds():.1f} s"
        bench.say("warning", "stop_late", text)


def _apart_from_time(state: Protection) -> Protection:
    return replace(state, verified_at=None)
