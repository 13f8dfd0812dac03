"""Numbered events, kept on disk until the platform acknowledged them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from runner.protocol import Event, EventKind, to_plain
from runner.store import Store


class Outbox:
    """Events of one machine generation, numbered without gaps.

    Events a former generation left unacknowledged on the same disk are numbered anew: what they
    tell is keyed by order and trade ids, so telling it twice changes nothing, losing it would.
    """

    def __init__(self, store: Store, generation: int, next_seq: int) -> None:
        self._store = store
        with store.transaction():
            known = store.note("outbox")
            if known is None or known["generation"] != generation:
                self._renumber(next_seq)
            else:
                self._next = max(known["next"], next_seq)
            self._generation = generation
            self._remember()

    def append(self, kind: EventKind, payload: Any, at: datetime) -> None:
        with self._store.transaction() as connection:
            connection.execute(
                "INSERT INTO events VALUES (?, ?, ?, ?)",
                (self._next, kind.value, at.isoformat(), json.dumps(to_plain(payload))),
            )
            self._next += 1
            self._remember()

    def pending(self, limit: int) -> tuple[Event, ...]:
        rows = self._store.connection.execute(
            "SELECT seq, kind, at, data FROM events ORDER BY seq LIMIT ?", (limit,)
        )
        return tuple(
            Event(seq, EventKind(kind), datetime.fromisoformat(at), json.loads(data))
            for seq, kind, at, data in rows
        )

    def count(self) -> int:
        row = self._store.connection.execute("SELECT count(*) FROM events").fetchone()
        return int(row[0])

    def acknowledge(self, seq: int) -> None:
        with self._store.transaction() as connection:
            connection.execute("DELETE FROM events WHERE seq <= ?", (seq,))

    def _renumber(self, next_seq: int) -> None:
        connection = self._store.connection
        old = connection.execute("SELECT kind, at, data FROM events ORDER BY seq").fetchall()
        connection.execute("DELETE FROM events")
        for offset, row in enumerate(old):
            connection.execute("INSERT INTO events VALUES (?, ?, ?, ?)", (next_seq + offset, *row))
        self._next = next_seq + len(old)

    def _remember(self) -> None:
        self._store.remember("outbox", {"generation": self._generation, "next": self._next})
