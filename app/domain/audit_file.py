"""An audit log as a file, and its verification from the file alone. Pure.

JSON Lines: a header that says what the file holds, then one line per event of one chain with
exactly what its hashes cover and the hashes themselves. Events that a filter left out stand in it
as stubs, so that the chain still verifies. Changing anything in any of these lines, leaving one out
or moving one is found. Who can rewrite a whole file can compute a whole new chain: only a link
noted elsewhere, an anchor or a signed checkpoint, tells that apart.
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain.audit_chain import FIELDS, LINK, Anchor, Plain, Problem, Walk
from app.domain.checkpoint_file import Checkpoint, NoCheckpoint
from runner.protocol import to_plain

FORMAT = "plutarc audit 2"
EVERYTHING = "all events"
_HEADER = {
    "format": str,
    "chain": str,
    "workspace": str,
    "filter": str,
    "count": int,
    "last": int,
    "head": str,
    "made_at": str,
    "checkpoints": list,
}
_NOT_NONE = tuple(name for name in LINK if name != "seq")


class NotAnExport(ValueError):
    """The file is no export of an audit log of a version known here."""


@dataclass(frozen=True)
class Header:
    """What is in the file: by which filter, how many whole events, up to which link."""

    chain: str
    workspace: str
    count: int
    last: int
    head: str
    made_at: datetime
    filter: str = EVERYTHING
    checkpoints: tuple[Checkpoint, ...] = ()


@dataclass(frozen=True)
class Finding:
    """How far a file verifies; ``problem`` is the first break, if there is any."""

    chain: str
    sound_up_to: int
    head: str
    whole: int
    stubs: int
    anchored: int
    checkpoints: tuple[Checkpoint, ...]
    problem: Problem | None = None

    @property
    def sound(self) -> bool:
        """Whether there is no break."""
        return self.problem is None


def line(content: Plain) -> str:
    """One line of the file."""
    return _encode(content) + "\n"


_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode


def header_line(header: Header) -> str:
    """The first line."""
    return line({"format": FORMAT, **to_plain(header)})


def stub(event: Plain) -> dict[str, Any]:
    """An event without what it says: its place in the chain."""
    return {name: event[name] for name in LINK}


def verify(lines: Iterable[str], anchors: Iterable[Anchor] = ()) -> Finding:
    """Follow the chain through a file, link by link.

    Raises:
        NotAnExport: the first line is not the header of such a file.
    """
    rest = iter(lines)
    header = _read_header(next(rest, ""))
    noted = [*anchors, *(item.link for item in header.checkpoints)]
    walk = Walk(header.chain, noted)
    whole = stubs = 0
    problem = None
    for text in rest:
        event = _read_event(text)
        if event is None:
            said = f"the line of event {walk.seq + 1} is not an event"
            problem = Problem(walk.seq + 1, "edited", said)
        else:
            problem = walk.step(event)
            whole, stubs = (whole + 1, stubs) if "action" in event else (whole, stubs + 1)
        if problem is not None:
            problem = _sharpened(problem, rest)
            break
    problem = (
        problem or walk.end(Anchor(header.last, header.head)) or _counted(header, whole, walk.seq)
    )
    sound_up_to = walk.seq if problem is None else min(walk.seq, problem.seq - 1)
    return Finding(
        chain=header.chain,
        sound_up_to=sound_up_to,
        head=walk.hash,
        whole=whole,
        stubs=stubs,
        anchored=walk.anchored,
        checkpoints=header.checkpoints,
        problem=problem,
    )


def _counted(header: Header, whole: int, seq: int) -> Problem | None:
    if whole == header.count:
        return None
    said = f"the header speaks of {header.count} events, the file shows {whole}"
    return Problem(seq + 1, "missing" if whole < header.count else "edited", said)


def _sharpened(problem: Problem, rest: Iterator[str]) -> Problem:
    """Tell an event that is gone from one that only stands elsewhere in the file."""
    if problem.kind == "missing" and any(_seq_of(text) == problem.seq for text in rest):
        return Problem(problem.seq, "reordered", problem.detail)
    return problem


def _read_header(text: str) -> Header:
    found = _object(text)
    if found is None or found.get("format") != FORMAT:
        raise NotAnExport(
            f'This is no audit log: its first line does not say "format": "{FORMAT}". '
            "Name a file made by `audit export` or by the audit page."
        )
    damaged = NotAnExport("The header of this audit log is damaged; export it again.")
    if found.keys() != _HEADER.keys():
        raise damaged
    if any(type(found[name]) is not kind for name, kind in _HEADER.items()):
        raise damaged
    try:
        made_at = datetime.fromisoformat(found["made_at"])
        checkpoints = tuple(Checkpoint.from_plain(item) for item in found["checkpoints"])
    except (ValueError, NoCheckpoint) as error:
        raise damaged from error
    del found["format"]
    return Header(**found | {"made_at": made_at, "checkpoints": checkpoints})


def _read_event(text: str) -> dict[str, Any] | None:
    """The event or the stub of a line.

    Written again it must read the same, or the line says more than its hashes cover.
    """
    found = _object(text)
    if found is None:
        return None
    if tuple(found) not in (FIELDS, LINK) or type(found["seq"]) is not int:
        return None
    if not all(isinstance(found[name], str) for name in _NOT_NONE):
        return None
    try:
        return found if line(found) == text and _known_schema(found) else None
    except (ValueError, RecursionError):
        return None


def _known_schema(event: Plain) -> bool:
    return "schema" not in event or (type(event["schema"]) is int and event["schema"] in (1, 2))


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _seq_of(text: str) -> Any:
    return (_object(text) or {}).get("seq")
