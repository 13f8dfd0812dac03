"""Who listens to what, and the faults that strike what they are sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from app.practice.account import Account
from app.practice.clearing import Clearing
from app.practice.faults import Faults, Meeting
from app.practice.market import Market
from app.practice.notes import Note
from app.practice.streams import feeds, private
from app.practice.streams.feeds import PRIVATE, Feed
from app.practice.streams.listen_keys import ListenKey, ListenKeys

Json = dict[str, Any]
LONGEST_MS = 86_400_000
"""A connection lives for a day."""
_BACKLOG = 5000
"""Events a caller that reads too slowly may owe; then it is cut off."""
_LOSING, _STALE = ("stream_drop", "stream_stall", "stream_gap"), "stale_data"
_MARRING = ("stream_twice", "stream_swap")
_EXPIRY = ("listen_key_expiry",)


@dataclass(eq=False)
class Connection:
    """One websocket. ``listens`` maps listen keys to the events wanted of each; empty is all."""

    room: str
    path: str
    address: str
    combined: bool
    opened: int
    streams: dict[str, None] = field(default_factory=dict)
    listens: dict[str, frozenset[str]] = field(default_factory=dict)
    queue: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(_BACKLOG))
    over: asyncio.Event = field(default_factory=asyncio.Event)
    held: str | None = None

    def send(self, text: str) -> None:
        if self.queue.full():
            self.over.set()
        else:
            self.queue.put_nowait(text)


class Hub:
    """All connections of one market. Everything here is synchronous: it happens at a moment."""

    def __init__(
        self, clearing: Clearing, markets: Mapping[str, Market], keys: ListenKeys, faults: Faults
    ) -> None:
        self._markets = markets
        self._keys = keys
        self._faults = faults
        self._user_events = private.UserEvents(clearing.store, markets)
        self._feeds: dict[tuple[str, str], Feed] = {}
        self.connections: list[Connection] = []
        clearing.publish = self.tell

    def join(self, connection: Connection, ms: int) -> None:
        self.connections.append(connection)
        self._open_feeds(ms)

    def leave(self, connection: Connection) -> None:
        self.connections.remove(connection)
        self._close_feeds()

    def subscribe(self, connection: Connection, names: Iterable[str], ms: int) -> None:
        connection.streams |= dict.fromkeys(names)
        self._open_feeds(ms)

    def unsubscribe(self, connection: Connection, names: Iterable[str]) -> None:
        for name in names:
            connection.streams.pop(name, None)
        self._close_feeds()

    def _wanted(self) -> set[tuple[str, str]]:
        return {(one.room, name) for one in self.connections for name in one.streams}

    def _open_feeds(self, ms: int) -> None:
        for room, name in self._wanted() - self._feeds.keys():
            found = feeds.feed(room, name, self._markets, ms)
            if found is not None:
                self._feeds[room, name] = found

    def _close_feeds(self) -> None:
        for key in self._feeds.keys() - self._wanted():
            self._feeds.pop(key).close()

    def turn(self, ms: int) -> None:
        """Push what is new of every stream; end what has lived its time."""
        for (room, name), one in self._feeds.items():
            for event in one.events(ms):
                for connection in self.connections:
                    if connection.room == room and name in connection.streams:
                        self._push(
                            connection, name, event, Meeting("WS", "", "", "", one.symbol), ms
                        )
        for key in self._keys.expired(ms):
            self._expire(key, ms)
        for connection in self.connections:
            self._look_at_keys(connection, ms)
            if ms - connection.opened >= LONGEST_MS:
                connection.over.set()

    def _look_at_keys(self, connection: Connection, ms: int) -> None:
        for text in connection.listens:
            key = self._keys.find(text)
            if key is None:
                continue
            meeting = self._meeting(connection, Meeting("WS", "", key.masked, "", ""))
            if next(self._faults.striking(_EXPIRY, meeting, ms), None) is not None:
                self._keys.close(key.account)
                self._expire(key, ms)

    def _expire(self, key: ListenKey, ms: int) -> None:
        event = private.expired(key, ms)
        for connection in self.connections:
            if key.text in connection.listens:
                connection.send(_text(connection, key.text, event))

    def tell(self, account: Account, notes: list[Note], ms: int) -> None:
        """What was booked, to those who hold the account's listen key."""
        key = self._keys.of(account.id)
        heard = [c for c in self.connections if key is not None and key.text in c.listens]
        if key is None or not heard:
            self._user_events.forget(account.id)
            return
        for event in self._user_events.of(account, notes, ms):
            symbol = str(event.get("o", {}).get("s", ""))
            for connection in heard:
                wanted = connection.listens[key.text]
                if not wanted or event["e"] in wanted:
                    told = Meeting("WS", "", key.masked, "", symbol)
                    self._push(connection, key.text, event, told, ms)

    def _meeting(self, connection: Connection, told: Meeting) -> Meeting:
        return told._replace(path=connection.path, address=connection.address)

    def _push(self, connection: Connection, name: str, event: Json, told: Meeting, ms: int) -> None:
        """Send one event, unless and as the faults will have it."""
        meeting = self._meeting(connection, told)
        kinds = _LOSING if connection.room == PRIVATE else (*_LOSING, _STALE)
        lost = next(self._faults.striking(kinds, meeting, ms), None)
        if lost is not None:
            if lost.kind == "stream_drop":
                connection.over.set()
            return
        text = _text(connection, name, event)
        marred = next(self._faults.striking(_MARRING, meeting, ms), None)
        if marred is not None and marred.kind == "stream_swap" and connection.held is None:
            connection.held = text
            return
        for _ in range(2 if marred is not None and marred.kind == "stream_twice" else 1):
            connection.send(text)
        if connection.held is not None:
            connection.send(connection.held)
            connection.held = None


def _text(connection: Connection, name: str, event: Json) -> str:
    whole = {"stream": name, "data": event} if connection.combined else event
    return json.dumps(whole, separators=(",", ":"))
