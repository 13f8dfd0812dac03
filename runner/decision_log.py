"""What a strategy concluded on every candle, small enough to keep all of it.

A conclusion is a state: action, reason code, what every component and exit said, what else stood
against an entry. Few states ever occur, so a candle costs one number, and the numbers compress.
Words are kept where something was done; those of all other candles follow from their state, but
for the numbers in them, which reading the same candles again brings back.
"""

from __future__ import annotations

import json
import struct
import sys
import zlib
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from runner.metrics.funnel import Funnel, plain
from runner.step import ACTIONS, NOTHING, Reason, Step

MAGIC = b"plutarc log 1\n"
_CHUNK = 20_000
_LENGTHS = struct.Struct("<II")


@dataclass(frozen=True)
class State:
    """One conclusion without its words. ``fired`` is empty where no position was held."""

    code: int
    action: int
    direction: int
    values: tuple[int | None, ...]
    fired: tuple[int, ...] = ()
    blocker: int = -1
    blocked: str = ""


@dataclass(frozen=True)
class Words:
    """What was said on a candle: the reason, and each component's detail."""

    reason: str
    details: tuple[str, ...]


@dataclass
class DecisionLog:
    """Conclusions of one strategy on one symbol, oldest first.

    ``times``: opening times, seconds since the epoch. ``codes``: places in ``states``.
    ``words``: by place, where there are any.
    """

    components: tuple[tuple[str, str], ...]
    times: array[int] = field(default_factory=lambda: array("q"))
    codes: array[int] = field(default_factory=lambda: array("H"))
    states: list[State] = field(default_factory=list)
    words: dict[int, Words] = field(default_factory=dict)
    _known: dict[tuple[object, ...], int] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.codes)

    def add(self, at: int, step: Step) -> None:
        """Write a step down; its words only where it wants something done."""
        self.times.append(at)
        self.note(step)

    def note(self, step: Step) -> None:
        """The same where the times are known already."""
        self.codes.append(self.code(step))
        if step.action:
            self.say(step)

    def say(self, step: Step) -> None:
        """Keep the words of the last candle."""
        self.words[len(self.codes) - 1] = Words(
            step.reason(), tuple(verdict.detail for verdict in step.verdicts())
        )

    def code(self, step: Step) -> int:
        """The number of a step's state."""
        key = (
            int(step.code),
            step.action,
            step.direction,
            step.blocker,
            step.blocked,
            *step.values,
            *(step.fired or ()),
        )
        known = self._known.get(key)
        return self._learn(key, step) if known is None else known

    def add_words(self, more: str) -> None:
        """Say more of what the last candle decided."""
        place = len(self.codes) - 1
        said = self.words[place]
        self.words[place] = Words(said.reason + more, said.details)

    def refuse(self, reason: str, more: str = "") -> None:
        """The last candle's entry was refused outside the strategy, by limits or venue."""
        place = len(self.codes) - 1
        said = self.words[place]
        state = self.states[self.codes[place]]
        refused = State(
            Reason.BLOCKED, NOTHING, state.direction, state.values, (), -1, plain(reason)
        )
        key = (Reason.BLOCKED, "refused", refused.blocked, *refused.values)
        if key not in self._known:
            self._known[key] = len(self.states)
            self.states.append(refused)
        self.codes[place] = self._known[key]
        self.words[place] = Words(f"{said.reason}{more}, but {reason}", said.details)

    def _learn(self, key: tuple[object, ...], step: Step) -> int:
        state = State(
            int(step.code),
            step.action,
            step.direction or 0,
            tuple(step.values),
            tuple(step.fired or ()),
            step.blocker,
            step.blocked or "" if step.code == Reason.BLOCKED else "",
        )
        self._known[key] = len(self.states)
        self.states.append(state)
        return self._known[key]

    def rows(self) -> Iterator[tuple[int, State, Words | None]]:
        """Time, state and words of each candle."""
        for place, code in enumerate(self.codes):
            yield self.times[place], self.states[code], self.words.get(place)

    def chunks(self) -> Iterator[bytes]:
        """The whole as pieces that can be stored and read one by one."""
        for first in range(0, len(self.codes), _CHUNK):
            yield _packed(self, first, min(first + _CHUNK, len(self.codes)))


def unpacked(chunks: Iterator[bytes]) -> DecisionLog:
    """The log of chunks in their order.

    Raises:
        ValueError: a chunk is damaged or none.
    """
    whole: DecisionLog | None = None
    for chunk in chunks:
        part = _unpacked(chunk)
        if whole is None:
            whole = part
            continue
        places = [_place(whole, state) for state in part.states]
        words = {place + len(whole): said for place, said in part.words.items()}
        whole.times.extend(part.times)
        whole.codes.extend(array("H", (places[code] for code in part.codes)))
        whole.words.update(words)
    if whole is None:
        raise ValueError("no chunk of a decision log")
    return whole


def funnel(log: DecisionLog) -> dict[str, Any]:
    """How many candles came how far, and what stopped the others: see ``runner.metrics.funnel``."""
    found = Funnel()
    for code, count in Counter(log.codes).items():
        state = log.states[code]
        found.add(state.code, blocker_of(log, state), count)
    return found.plain()


def blocker_of(log: DecisionLog, state: State) -> str:
    """The name of what blocked an entry."""
    if state.code == Reason.FILTERED:
        return log.components[state.blocker][0]
    return plain(state.blocked)


def _place(log: DecisionLog, state: State) -> int:
    if state not in log.states:
        log.states.append(state)
    return log.states.index(state)


def _packed(log: DecisionLog, first: int, last: int) -> bytes:
    """Candles of ``[first, last)`` with all it takes to read them alone."""
    times, codes = log.times[first:last], log.codes[first:last]
    used = sorted(set(codes))
    places = {code: place for place, code in enumerate(used)}
    steps = array("q", [times[0], *(b - a for a, b in pairwise(times))])
    head = {
        "components": log.components,
        "states": [
            [s.code, s.action, s.direction, s.values, s.fired, s.blocker, s.blocked]
            for s in (log.states[code] for code in used)
        ],
        "words": {
            place - first: [said.reason, said.details]
            for place, said in log.words.items()
            if first <= place < last
        },
    }
    text = json.dumps(head, separators=(",", ":")).encode()
    numbers = _bytes(steps) + _bytes(array("H", (places[code] for code in codes)))
    return MAGIC + zlib.compress(_LENGTHS.pack(len(text), len(codes)) + text + numbers, 9)


def _unpacked(chunk: bytes) -> DecisionLog:
    if not chunk.startswith(MAGIC):
        raise ValueError("no chunk of a decision log")
    try:
        raw = zlib.decompress(chunk[len(MAGIC) :])
    except zlib.error as error:
        raise ValueError(f"a damaged chunk of a decision log: {error}") from error
    length, count = _LENGTHS.unpack_from(raw)
    start = _LENGTHS.size
    head, numbers = json.loads(raw[start : start + length]), raw[start + length :]
    steps, codes = array("q", numbers[: 8 * count]), array("H", numbers[8 * count :])
    if sys.byteorder == "big":
        steps.byteswap()
        codes.byteswap()
    log = DecisionLog(tuple((kind, role) for kind, role in head["components"]), codes=codes)
    at = 0
    for step in steps:
        at += step
        log.times.append(at)
    log.states = [
        State(code, action, direction, tuple(values), tuple(fired), blocker, blocked)
        for code, action, direction, values, fired, blocker, blocked in head["states"]
    ]
    log.words = {
        int(place): Words(reason, tuple(details))
        for place, (reason, details) in head["words"].items()
    }
    return log


def _bytes(numbers: array[int]) -> bytes:
    """Little-endian, whatever the machine's own order of bytes."""
    if sys.byteorder == "big":
        numbers = array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers.tobytes()


def action_of(state: State) -> str:
    """A state's action as ``protocol.Decision`` names it."""
    return ACTIONS[state.action]
