"""Who uses an account in turns with whom: the proof that a bot has one runner at a time.

A process is known by the token that runners put into their User-Agent, ``(boot <token>)``; callers
without one by source address and User-Agent together, so two of those that look alike cannot be
told apart. A process that is seen again after another one used the same account was alive all the
while: that is an overlap. Paper bots have no account; where their source address is one of those
reserved for bots, one address is one bot, and it takes the account's place.
"""

from __future__ import annotations

import json
import logging
import re
from dataclasses import asdict, dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from app.practice.store import Store

log = logging.getLogger("practice")
_BOOT = re.compile(r"\(boot ([0-9A-Za-z-]{4,64})\)")
_BOTS = ip_network("127.64.0.0/10")
_FORGOTTEN_MS = 86_400_000  # sessions unused for so long


@dataclass
class Session:
    """One process on one account (or paper address); times are Unix milliseconds."""

    account: str
    process: str
    address: str
    agent: str
    first_seen: int
    last_seen: int
    connections: int = 0
    requests: int = 0


@dataclass
class Violation:
    """Something that must never happen, and how often it did."""

    kind: str
    account: str
    what: str
    first_seen: int
    last_seen: int
    count: int = 0


class Watch:
    """Sessions are written now and then, violations at once."""

    def __init__(self, store: Store):
        self._store = store
        self._sessions: dict[tuple[str, str], Session] = {}
        self._latest: dict[str, str] = {}  # by account, the process that used it last
        self._ports: dict[tuple[str, str], int] = {}
        self._unsaved = False
        for row in json.loads(store.meta("sessions") or "[]"):
            one = Session(**row)
            self._sessions[one.account, one.process] = one
            self._latest[one.account] = one.process  # kept in order of last use
        rows = [Violation(**row) for row in json.loads(store.meta("violations") or "[]")]
        self._violations = {(one.kind, one.account, one.what): one for one in rows}

    def seen(self, account: str, address: str, agent: str, port: int, ms: int) -> None:
        """Note a request as it arrives; ``account`` is the masked key, empty for public data."""
        boot = _BOOT.search(agent)
        if not account:
            if boot is None or ip_address(address) not in _BOTS:
                return
            account = f"paper at {address}"
        process = boot[1] if boot else f"{address} {agent}"
        key = (account, process)
        session = self._sessions.get(key)
        if session is None:
            session = Session(account, process, address, agent, ms, ms)
        else:
            self._compare(session, address, ms)
        # Put last, so that the order is that of last use.
        self._sessions.pop(key, None)
        self._sessions[key] = session
        self._latest[account] = process
        session.last_seen = ms
        session.requests += 1
        session.connections += self._ports.get(key) != port
        self._ports[key] = port
        self._unsaved = True

    def _compare(self, session: Session, address: str, ms: int) -> None:
        latest = self._latest[session.account]
        if latest != session.process:
            both = " and ".join(sorted((latest, session.process)))
            self._violate("overlap", session.account, f"in use by two at a time: {both}", ms)
        if address != session.address:
            what = f"{session.process} came from {session.address} and from {address}"
            self._violate("moved", session.account, what, ms)

    def doubled(self, account: str, client_id: str, ms: int) -> None:
        """A client order id was accepted that an earlier order had."""
        what = f"the client order id {client_id} was accepted more than once"
        self._violate("doubled_order", account, what, ms)

    def _violate(self, kind: str, account: str, what: str, ms: int) -> None:
        key = (kind, account, what)
        found = self._violations.get(key)
        if found is None:
            found = self._violations[key] = Violation(kind, account, what, ms, ms)
            log.warning("violation: %s, %s: %s", kind, account, what)
        found.last_seen = ms
        found.count += 1
        self._keep("violations", self.violations())

    def violations(self) -> list[dict[str, Any]]:
        """In order of their first time."""
        return [asdict(one) for one in self._violations.values()]

    def sessions(self) -> list[dict[str, Any]]:
        """In order of last use, the latest last."""
        return [asdict(one) for one in self._sessions.values()]

    def clear_violations(self) -> int:
        count = len(self._violations)
        self._violations.clear()
        self._keep("violations", [])
        return count

    def save(self, ms: int) -> None:
        if not self._unsaved:
            return
        for key, one in list(self._sessions.items()):
            if one.last_seen < ms - _FORGOTTEN_MS:
                del self._sessions[key]
                self._ports.pop(key, None)
        self._keep("sessions", self.sessions())
        self._unsaved = False

    def _keep(self, name: str, rows: list[dict[str, Any]]) -> None:
        with self._store.transaction():
            self._store.set_meta(name, json.dumps(rows))
