"""Listen keys: who may hear of an account, for an hour at a time."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from app.practice import errors

VALID_MS = 3_600_000


@dataclass
class ListenKey:
    """``masked`` is the API key's recognisable part, by which faults name an account."""

    text: str
    account: str
    masked: str
    until: int


class ListenKeys:
    """At most one per account. Kept in memory: a market that was restarted knows none."""

    def __init__(self) -> None:
        self._by_account: dict[str, ListenKey] = {}
        self._by_text: dict[str, ListenKey] = {}

    def open(self, account: str, masked: str, ms: int) -> ListenKey:
        """The account's key; asking again extends the one there is."""
        found = self._by_account.get(account)
        if found is None:
            found = ListenKey(secrets.token_urlsafe(48), account, masked, ms)
            self._by_account[account] = self._by_text[found.text] = found
        found.until = ms + VALID_MS
        return found

    def extend(self, account: str, ms: int) -> ListenKey:
        found = self._by_account.get(account)
        if found is None:
            raise errors.unknown_listen_key()
        found.until = ms + VALID_MS
        return found

    def close(self, account: str) -> ListenKey | None:
        found = self._by_account.pop(account, None)
        if found is not None:
            del self._by_text[found.text]
        return found

    def find(self, text: str) -> ListenKey | None:
        return self._by_text.get(text)

    def of(self, account: str) -> ListenKey | None:
        return self._by_account.get(account)

    def expired(self, ms: int) -> list[ListenKey]:
        """Those whose hour is over; they are gone with this call."""
        over = [one for one in self._by_account.values() if one.until <= ms]
        for one in over:
            self.close(one.account)
        return over
