"""The runner's disk: one SQLite file, every commit on the platter before anything is sent."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS orders (
    client_id TEXT PRIMARY KEY, symbol TEXT NOT NULL, status TEXT NOT NULL, purpose TEXT NOT NULL,
    fill_venue_id TEXT, decided_at TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS orders_by_status ON orders (status);
CREATE INDEX IF NOT EXISTS orders_by_venue ON orders (fill_venue_id);
CREATE TABLE IF NOT EXISTS fills (
    trade_id TEXT PRIMARY KEY, client_id TEXT NOT NULL, at TEXT NOT NULL, body BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS fills_by_order ON fills (client_id);
CREATE TABLE IF NOT EXISTS events (
    seq INTEGER PRIMARY KEY, kind TEXT NOT NULL, at TEXT NOT NULL, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

_PROBE_BYTES = 64 * 1024


class Store:
    """Opens (or creates) the file. ``transaction`` nests; the outermost commits."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.connection = sqlite3.connect(path, isolation_level=None, timeout=10)
        self.connection.execute("PRAGMA journal_mode=WAL")
        self.connection.execute("PRAGMA synchronous=FULL")
        self.connection.executescript(_SCHEMA)
        self._depth = 0

    @property
    def nested(self) -> bool:
        """Whether a transaction is open: what is written now is kept or dropped with it."""
        return self._depth > 0

    @contextlib.contextmanager
    def transaction(self, *, flush: bool = True) -> Iterator[sqlite3.Connection]:
        """Every commit outlives the process. Without ``flush`` it outlives a loss of power only
        together with the next one that is flushed: two steps in a row cost one wait for the disk.
        """
        if self._depth == 0 and not flush:
            with self._unflushed(), self.transaction() as connection:
                yield connection
            return
        if self._depth == 0:
            self.connection.execute("BEGIN IMMEDIATE")
        self._depth += 1
        try:
            yield self.connection
        except BaseException:
            self._depth -= 1
            if self._depth == 0:
                self._roll_back()
            raise
        self._depth -= 1
        if self._depth == 0:
            try:
                self.connection.execute("COMMIT")
            except sqlite3.Error:
                self._roll_back()
                raise

    def can_be_written(self) -> bool:
        """Try it with more than an order, its fills and their events take."""
        try:
            self.remember("disk_probe", "x" * _PROBE_BYTES)
            self.remember("disk_probe", "")
        except sqlite3.Error:
            return False
        return True

    def _roll_back(self) -> None:
        # A full disk may have ended the transaction already; asking twice is an error.
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    @contextlib.contextmanager
    def _unflushed(self) -> Iterator[None]:
        self.connection.execute("PRAGMA synchronous=NORMAL")
        try:
            yield
        finally:
            self.connection.execute("PRAGMA synchronous=FULL")

    def note(self, name: str) -> Any:
        """A remembered JSON value, or ``None``."""
        row = self.connection.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
        return None if row is None else json.loads(row[0])

    def remember(self, name: str, value: Any) -> None:
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO notes VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = ?2",
                (name, json.dumps(value, allow_nan=False)),
            )

    def close(self) -> None:
        self.connection.close()
