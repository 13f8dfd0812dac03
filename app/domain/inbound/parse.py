"""Takes a mail apart. Whatever it holds, this ends soon, raises nothing, and says what is odd.

The standard library's parser calls itself for each level of nesting, reads addresses for seconds,
and raises on headers that anybody can send. So a mail is split here by hand, level by level, with
limits; of the library remain the decoders of single values, each of them short.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.domain.inbound import decoding
from app.domain.inbound.decoding import Kind

MOST_PARTS, DEEPEST = 100, 20
LONGEST_HEADER = 8_192
MOST_HEADERS = 2_000
LONGEST_BLOCK = 2_000_000
"""The most parts, levels, characters of a header, headers, and bytes of all headers together."""

_BLOCK_END = re.compile(rb"\r?\n\r?\n")
_LINE_END = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_CONTROL = re.compile(rb"\x00|\r(?!\n)")
_NAME = re.compile(rb"[!-9;-~]+")
_ADDRESS = r"([A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9.-]{1,189})"
_PHRASE = r'(?:"(?:[^"\\]|\\.)*"|[^<>@,;:"()\[\]\\])*'
_FROM = re.compile(rf"\s*(?:{_PHRASE}<\s*{_ADDRESS}\s*>|{_ADDRESS})\s*", re.ASCII)
_MESSAGE_ID = re.compile(r"\s*(<[^<>\s]{1,250}>)\s*", re.ASCII)

Headers = list[tuple[str, str]]


@dataclass(frozen=True)
class Part:
    """A leaf of the mail: its kind, the name its sender gave it, and what it holds."""

    kind: Kind
    content: bytes = field(repr=False)

    @property
    def is_body(self) -> bool:
        """Whether it is meant to be read with the mail rather than kept beside it."""
        text = self.kind.type in ("text/plain", "text/html")
        return text and not self.kind.attached and not self.kind.name


@dataclass(frozen=True)
class Letter:
    """A mail taken apart. ``odd`` says why nobody should act on it; empty if nothing is wrong."""

    headers: Headers = field(repr=False)
    parts: Sequence[Part] = field(repr=False)
    report: bool = False
    odd: str = ""

    def all(self, name: str) -> list[str]:
        """The values of a header, topmost first."""
        return [value for known, value in self.headers if known == name]

    def first(self, name: str) -> str:
        """The topmost value of a header, or nothing."""
        return next(iter(self.all(name)), "")

    @property
    def sender(self) -> str:
        """The one address in the one From header; empty if there is not exactly one."""
        values = self.all("from")
        if len(values) != 1 or len(values[0]) >= LONGEST_HEADER:
            return ""
        found = _FROM.fullmatch(values[0])
        return (found[1] or found[2]).casefold() if found else ""

    @property
    def message_id(self) -> str:
        """Its own id; empty if there is not exactly one in good form."""
        values = self.all("message-id")
        found = _MESSAGE_ID.fullmatch(values[0]) if len(values) == 1 else None
        return found[1] if found else ""

    @property
    def subject(self) -> str:
        """One line, decoded."""
        return decoding.words(self.first("subject"))

    @property
    def text(self) -> str:
        """What it says: its plain parts, or else nothing."""
        plain = [it for it in self.parts if it.is_body and it.kind.type == "text/plain"]
        return "\n\n".join(filter(str.strip, _texts(plain)))

    @property
    def html(self) -> str:
        """Its HTML parts, as they came."""
        found = [it for it in self.parts if it.is_body and it.kind.type == "text/html"]
        return "\n".join(_texts(found))

    @property
    def files(self) -> list[Part]:
        """What came beside the text."""
        return [it for it in self.parts if not it.is_body]


def _texts(parts: list[Part]) -> Iterator[str]:
    """Their texts, as far as they are read together."""
    left = decoding.LONGEST_TEXT
    for part in parts:
        text = decoding.text(part.content[:left], part.kind)
        left -= min(len(part.content), left)
        yield text


def take_apart(raw: bytes) -> Letter:
    """A mail's headers and leaves; what lies beyond the limits is left out and called odd."""
    headers, rest, odd = split(raw)
    parts: list[Part] = []
    report = decoding.kind_of(headers).report
    waiting = [(headers, rest, 0)]
    while waiting and not odd:
        own, content, depth = waiting.pop()
        kind = decoding.kind_of(own)
        if not kind.boundary:
            parts.append(Part(kind, decoding.unwrapped(content, own)))
        elif depth >= DEEPEST:
            odd = f"It is nested more than {DEEPEST} levels deep."
        else:
            children = list(_children(content, kind.boundary, MOST_PARTS + 1 - len(parts)))
            waiting += [(*split(it)[:2], depth + 1) for it in reversed(children)]
        if len(parts) + len(waiting) > MOST_PARTS:
            odd = f"It has more than {MOST_PARTS} parts."
    return Letter(headers, parts, report, odd)


def split(raw: bytes) -> tuple[Headers, bytes, str]:
    """Headers, topmost first with names in lower case, what follows them, and what is odd."""
    if raw.startswith((b"\r\n", b"\n")):
        return [], raw.lstrip(b"\r\n"), ""
    end = _BLOCK_END.search(raw)
    block, rest = (raw[: end.start()], raw[end.end() :]) if end else (raw, b"")
    if len(block) > LONGEST_BLOCK:
        return [], b"", "Its headers are too long to be read."
    lines = block.split(b"\n")
    if lines[0].startswith(b"From "):
        lines = lines[1:]  # the line in which a mailbox file keeps the envelope
    headers: list[tuple[str, list[bytes]]] = []
    strange = 0
    for whole in lines:
        line = whole.removesuffix(b"\r")
        if headers and line[:1] in (b" ", b"\t"):
            headers[-1][1].append(line)
            continue
        name, colon, value = line.partition(b":")
        name = name.rstrip()
        if colon and _NAME.fullmatch(name):
            headers.append((name.decode("ascii").lower(), [value]))
        else:
            strange += 1
        if len(headers) + strange > MOST_HEADERS:
            return [], b"", f"It has more than {MOST_HEADERS:,} headers."
    odd = "It has a line among its headers that is none." if strange else ""
    if _CONTROL.search(block.removesuffix(b"\r")):
        odd = "It has control characters in a header."
    return [(name, _value(lines)) for name, lines in headers], rest, odd


def _value(lines: list[bytes]) -> str:
    joined = b"".join(lines)[: 4 * LONGEST_HEADER]
    return decoding.readable(joined).strip()[:LONGEST_HEADER]


def _children(content: bytes, boundary: bytes, most: int) -> Iterator[bytes]:
    """The parts between the lines that part them, at most so many."""
    mark, begun, at = b"--" + boundary, -1, content.find(b"--" + boundary)
    while at >= 0:
        end = _LINE_END.match(content, at + len(mark))
        if end and (at == 0 or content[at - 1 : at] == b"\n"):
            if begun >= 0:
                yield content[begun:at].removesuffix(b"\n").removesuffix(b"\r")
                most -= 1
            if end[1] or not most:
                return
            begun = end.end()
        at = content.find(mark, at + len(mark))
    if begun >= 0:
        yield content[begun:]
