"""Rows of a fake cloud: a dictionary in memory, written through to one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

Row = dict[str, Any]


class Store:
    """``commit`` makes all changes since the last one durable at once, or none of them."""

    def __init__(self, path: Path | None) -> None:
        self._rows: dict[str, dict[str, Row]] = {}
        self._dirty: set[tuple[str, str]] = set()
        self._file: sqlite3.Connection | None = None
        if path is not None:
            self._file = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute("PRAGMA synchronous=OFF")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS thing "
                "(kind TEXT, key TEXT, body TEXT, PRIMARY KEY (kind, key))"
            )
            for kind, key, body in self._file.execute("SELECT kind, key, body FROM thing"):
                self._rows.setdefault(kind, {})[key] = json.loads(body)

    def get(self, kind: str, key: str) -> Row | None:
        return self._rows.get(kind, {}).get(key)

    def put(self, kind: str, key: str, row: Row) -> Row:
        """Keep a new or changed row; a change in place needs this too."""
        self._rows.setdefault(kind, {})[key] = row
        self._dirty.add((kind, key))
        return row

    def drop(self, kind: str, key: str) -> None:
        if self._rows.get(kind, {}).pop(key, None) is not None:
            self._dirty.add((kind, key))

    def all(self, kind: str) -> list[tuple[str, Row]]:
        return sorted(self._rows.get(kind, {}).items())

    def kinds(self) -> list[str]:
        return list(self._rows)

    def count(self, name: str) -> int:
        """The next number of a counter that survives."""
        row = self.get("counter", name) or {"value": 0}
        self.put("counter", name, {"value": row["value"] + 1})
        return int(row["value"]) + 1

    def commit(self) -> None:
        if self._file is None or not self._dirty:
            self._dirty.clear()
            return
        self._file.execute("BEGIN IMMEDIATE")
        for kind, key in self._dirty:
            row = self.get(kind, key)
            if row is None:
                self._file.execute("DELETE FROM thing WHERE kind=? AND key=?", (kind, key))
            else:
                self._file.execute(
                    "INSERT OR REPLACE INTO thing VALUES (?, ?, ?)", (kind, key, json.dumps(row))
                )
        self._file.execute("COMMIT")
        self._dirty.clear()

    def close(self) -> None:
        if self._file is not None:
            self.commit()
            self._file.close()
            self._file = None
