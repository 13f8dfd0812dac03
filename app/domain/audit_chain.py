"""The arithmetic of the audit chain: what an event says, its hashes, and the walk that checks them.

Pure. An event is a *plain* one here: the dictionary of ``FIELDS`` as an exported file has it, JSON
values only. The payload hash covers canonical JSON (sorted keys, no floats) and a random salt; the
link hash ties it to its place: ``SHA-256(tag, chain, seq, previous hash, payload hash)``. A *stub*
has the link alone: the chain goes on through an event whose content is not shown.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from runner.protocol import to_plain

GENESIS = "0" * 64
LINK = ("seq", "payload_hash", "previous_hash", "hash")
PAYLOAD = (
    "id",
    "workspace_id",
    "occurred_at",
    "recorded_at",
    "action",
    "outcome",
    "actor_kind",
    "actor_id",
    "actor_label",
    "on_behalf_of",
    "session_id",
    "method",
    "source",
    "route",
    "target_id",
    "target_label",
    "changes",
    "reason",
    "ip",
    "user_agent",
    "request_id",
    "correlation_id",
    "schema",
    "release",
    "salt",
)
FIELDS = ("seq", *PAYLOAD, "payload_hash", "previous_hash", "hash")

Plain = Mapping[str, Any]
_TAG = b"plutarc audit v1"
# What the first schema knew; whatever else a row of it says was not there when it was hashed.
_LATER = {
    "recorded_at": None,
    "on_behalf_of": "",
    "session_id": None,
    "method": "",
    "source": "",
    "route": "",
    "user_agent": "",
    "correlation_id": None,
    "release": "",
}
_canonical = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False).encode


class Event(Protocol):
    """A row, or what looks like one."""

    chain: Any


def plain(event: Event) -> dict[str, Any]:
    """A row as the dictionary that its hashes are made of."""
    return {name: to_plain(getattr(event, name)) for name in FIELDS}


def payload_hash(event: Plain) -> str:
    """SHA-256 over the canonical JSON of what happened, salted."""
    text = _canonical(_first_schema(event) if event["schema"] == 1 else _second_schema(event))
    return hashlib.sha256(text.encode()).hexdigest()


def link_hash(chain: str, event: Plain) -> str:
    """The hash that ties an event to its place in the chain."""
    parts = (chain, str(event["seq"]), event["previous_hash"], event["payload_hash"])
    return hashlib.sha256(b"\x00".join([_TAG, *(part.encode() for part in parts)])).hexdigest()


def _second_schema(event: Plain) -> dict[str, Any]:
    return {name: event[name] for name in PAYLOAD}


def _first_schema(event: Plain) -> dict[str, Any]:
    later = {name: event[name] for name, nothing in _LATER.items() if event[name] != nothing}
    return later | {
        "salt": event["salt"],
        "occurred_at": event["occurred_at"],
        "action": event["action"],
        "outcome": event["outcome"],
        "actor": [event["actor_kind"], event["actor_id"], event["actor_label"]],
        "target": [event["target_id"], event["target_label"]],
        "changes": event["changes"],
        "reason": event["reason"],
        "ip": event["ip"],
        "request_id": event["request_id"],
    }


@dataclass(frozen=True)
class Anchor:
    """A link of the chain that was noted somewhere else, at an earlier time."""

    seq: int
    hash: str


BEGINNING = Anchor(0, GENESIS)


@dataclass(frozen=True)
class Problem:
    """What is wrong with the first event that does not verify.

    ``kind``: edited, missing, reordered, or re-chained (sound in itself, but not what was noted).
    """

    seq: int
    kind: str
    detail: str


class Walk:
    """Follows one chain from its beginning, or from a link that was proven before."""

    def __init__(
        self, chain: str, anchors: Iterable[Anchor] = (), after: Anchor = BEGINNING
    ) -> None:
        self.chain = chain
        self.seq, self.hash = after.seq, after.hash
        self.anchored = 0
        self._anchors = {anchor.seq: anchor.hash for anchor in anchors if anchor.seq > after.seq}

    def step(self, event: Plain) -> Problem | None:
        """Take the next event or stub; what is wrong with it, if anything."""
        problem = self._fault(event)
        if problem is not None:
            return Problem(self.seq + 1, *problem)
        self.seq, self.hash = event["seq"], event["hash"]
        noted = self._anchors.pop(self.seq, None)
        if noted is not None and noted != self.hash:
            said = f"event {self.seq} is not the one that was noted"
            return Problem(self.seq, "re-chained", said)
        self.anchored = self.seq if noted else self.anchored
        return None

    def end(self, last: Anchor) -> Problem | None:
        """Whether the chain ends where it should."""
        if self.seq < last.seq:
            gone = f"events {self.seq + 1} to {last.seq} are not there"
            return Problem(self.seq + 1, "missing", gone)
        if Anchor(self.seq, self.hash) != last:
            return Problem(self.seq, "edited", "the chain ends elsewhere than its end was noted")
        if self._anchors:
            noted = min(self._anchors)
            return Problem(
                self.seq + 1, "missing", f"it ends before event {noted}, which was noted"
            )
        return None

    def _fault(self, event: Plain) -> tuple[str, str] | None:
        expected = self.seq + 1
        if event["seq"] != expected:
            return "missing", f"event {event['seq']} stands where event {expected} belongs"
        if "action" in event and event["payload_hash"] != payload_hash(event):
            return "edited", f"event {expected} says something else than it said when written"
        if event["hash"] != link_hash(self.chain, event):
            return "edited", f"event {expected} carries a wrong hash"
        if event["previous_hash"] != self.hash:
            return "edited", f"event {expected} follows another event than the one before it"
        return None


def first_break(events: Iterable[Event], after: Anchor = BEGINNING) -> int | None:
    """The sequence number of the first event of one chain that does not verify, if any.

    ``events`` are rows of the chain in order of ``seq``, from the first one after the link given.
    """
    walk: Walk | None = None
    for event in events:
        walk = walk or Walk(event.chain, after=after)
        problem = walk.step(plain(event))
        if problem is not None:
            return problem.seq
    return None
