"""Numbered events, kept on disk until the platform acknowledged them."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import datetime
from typing import Any

from runner.protocol import Event, EventKind, to_plain
from runner.store import Store

_MOST_UNWRITTEN = 500


def holds(store: Store) -> int:
    """The generation whose events are on this disk; 0 for an empty one."""
    known = store.note("outbox")
    return 0 if known is None else int(known["generation"])


class Outbox:
    """Events of one machine generation, numbered without gaps.

    Events a former generation left on the same disk are numbered anew, but for those that the
    platform has: ``told`` is the last it stored of that generation. Its machine may have died
    before it heard so, and what has no id of its own would be told twice. Where it stored less than
    it had acknowledged, it was set back meanwhile; the first answer then says so.

    What cannot be written, because the disk is full, is told from memory: the alarm about the disk
    must not need the disk. An event that belongs to a row of the journal is never told without it.
    """

    def __init__(self, store: Store, generation: int, next_seq: int, told: int = 0) -> None:
        self._store = store
        self._unwritten: list[Event] = []
        self._acknowledged = 0
        with store.transaction() as connection:
            known = store.note("outbox")
            self._forgotten = self._is_forgotten(known, generation, next_seq, told)
            if known is None or known["generation"] != generation:
                connection.execute("DELETE FROM events WHERE seq <= ?", (told,))
                following = self._renumber(next_seq)
            elif self._has_gap(next_seq):
                # An event that was told from memory died with the process: close the gap.
                following = self._renumber(next_seq)
            else:
                following = max(known["next"], next_seq)
            self._generation = generation
            self._remember(following)

    def append(self, kind: EventKind, payload: Any, at: datetime) -> None:
        data = to_plain(payload)
        try:
            with self._store.transaction() as connection:
                number = self._following()
                connection.execute(
                    "INSERT INTO events VALUES (?, ?, ?, ?)",
                    (number, kind.value, at.isoformat(), json.dumps(data)),
                )
                self._remember(number + 1)
        except sqlite3.Error:
            if self._store.nested:
                raise
            if len(self._unwritten) < _MOST_UNWRITTEN:
                self._unwritten.append(Event(self._following(), kind, at, data))

    def pending(self, limit: int) -> tuple[Event, ...]:
        rows = self._store.connection.execute(
            "SELECT seq, kind, at, data FROM events WHERE seq > ? ORDER BY seq LIMIT ?",
            (self._acknowledged, limit),
        )
        written = [
            Event(seq, EventKind(kind), datetime.fromisoformat(at), json.loads(data))
            for seq, kind, at, data in rows
        ]
        return tuple(sorted([*written, *self._unwritten], key=lambda event: event.seq)[:limit])

    def count(self) -> int:
        row = self._store.connection.execute(
            "SELECT count(*) FROM events WHERE seq > ?", (self._acknowledged,)
        ).fetchone()
        return int(row[0]) + len(self._unwritten)

    def acknowledge(self, seq: int) -> None:
        self._acknowledged = max(seq, self._acknowledged)
        self._unwritten = [event for event in self._unwritten if event.seq > seq]
        try:
            with self._store.transaction() as connection:
                connection.execute("DELETE FROM events WHERE seq <= ?", (self._acknowledged,))
                taken = {"generation": self._generation, "seq": self._acknowledged}
                self._store.remember("acknowledged", taken)
        except sqlite3.Error:
            if self._store.nested:
                raise

    def set_back(self, ack_seq: int) -> bool:
        """Whether the platform lacks events from before the oldest that waits here, as after a
        restored backup. It would take none of them for ever, so they are numbered anew.
        """
        forgotten, self._forgotten = self._forgotten, False
        oldest = next(iter(self.pending(1)), None)
        if (oldest.seq if oldest else self._following()) <= ack_seq + 1:
            return forgotten
        with self._store.transaction():
            following = self._renumber(ack_seq + 1)
            self._remember(following)
        self._acknowledged = ack_seq
        numbered = enumerate(self._unwritten, following)
        self._unwritten = [replace(event, seq=seq) for seq, event in numbered]
        return True

    def _following(self) -> int:
        """The next number, read where a rollback would have taken it back."""
        written: int = self._store.note("outbox")["next"]
        return max([written, *(event.seq + 1 for event in self._unwritten), self._acknowledged + 1])

    def _is_forgotten(
        self, known: dict[str, int] | None, generation: int, next_seq: int, told: int
    ) -> bool:
        """Whether the platform lacks what it once acknowledged to this disk."""
        taken = self._store.note("acknowledged")
        if known is None or taken is None or taken["generation"] != known["generation"]:
            return False
        has = next_seq - 1 if known["generation"] == generation else told
        return bool(has < taken["seq"])

    def _has_gap(self, next_seq: int) -> bool:
        """Drops what the platform has; whether what is left does not follow on it."""
        connection = self._store.connection
        connection.execute("DELETE FROM events WHERE seq < ?", (next_seq,))
        rows = connection.execute("SELECT seq FROM events ORDER BY seq").fetchall()
        return any(seq != next_seq + at for at, (seq,) in enumerate(rows))

    def _renumber(self, next_seq: int) -> int:
        connection = self._store.connection
        old = connection.execute("SELECT kind, at, data FROM events ORDER BY seq").fetchall()
        connection.execute("DELETE FROM events")
        for offset, row in enumerate(old):
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (next_seq + offset, *row))
        return next_seq + len(old)

    def _remember(self, following: int) -> None:
        self._store.remember("outbox", {"generation": self._generation, "next": following})
