"""Who called from where: the proof that a bot keeps its address."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.practice.store import Store


@dataclass
class Caller:
    """One (source address, masked account); times are Unix milliseconds."""

    address: str
    account: str
    first_seen: int
    last_seen: int
    requests: int = 0


class Callers:
    """Kept in memory and written now and then: a crash loses a moment's count, no caller."""

    def __init__(self, store: Store):
        self._store = store
        self._rows = {row[:2]: Caller(*row) for row in store.callers()}
        self._unsaved: set[tuple[str, str]] = set()

    def seen(self, address: str, account: str, ms: int) -> None:
        key = (address, account)
        caller = self._rows.get(key)
        if caller is None:
            caller = self._rows[key] = Caller(address, account, ms, ms)
        caller.last_seen = ms
        caller.requests += 1
        self._unsaved.add(key)

    def save(self) -> None:
        if not self._unsaved:
            return
        with self._store.transaction():
            for key in self._unsaved:
                one = self._rows[key]
                self._store.save_caller(
                    (one.address, one.account, one.first_seen, one.last_seen, one.requests)
                )
        self._unsaved.clear()

    def listed(self) -> list[dict[str, Any]]:
        """The latest caller first."""
        rows = sorted(self._rows.values(), key=lambda one: -one.last_seen)
        return [vars(one) for one in rows]
