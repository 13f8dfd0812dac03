"""What Telegram shows: plain text in which nothing a person typed becomes a link or a command.

Nothing is sent with a markup mode. What Telegram itself would turn into something to press (names
with @, addresses, /commands, #words) is kept from it by an invisible joiner, so that the words
read as they were written. Lengths are counted as Telegram counts: in UTF-16 units.
"""

import re
import unicodedata
from collections.abc import Sequence

LONGEST = 4096
"""Units of one message."""

TOPIC_NAME = 128
CALLBACK_TEXT = 200
JOINER = "\u2060"
"""Invisible, no place to break a line, and part of no name or address."""

_ROOM = LONGEST - 96
"""What is left beside "(12/13)" and "(sent again)"."""

_HIDDEN = re.compile("[\u00ad\u034f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
_LONELY = re.compile("(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])")
_PRESSABLE = re.compile(r"[@#$/\\:.+](?=\w|/)|(?<=[\w/])@")
_NUMBER = re.compile(r"\d{5}(?=\d)")


def clean(text: str) -> str:
    """Drop what hides or turns text around; scripts that need joiners between letters keep them."""
    kept = _LONELY.sub("", _HIDDEN.sub("", text.replace("\r\n", "\n").replace("\r", "\n")))
    return "".join(
        char for char in kept if char in "\n\t" or unicodedata.category(char) not in ("Cc", "Cs")
    ).strip()


def defused(text: str) -> str:
    """Somebody's words, to be read and not to be pressed."""
    plain = _PRESSABLE.sub(lambda found: found[0] + JOINER, clean(text))
    return _NUMBER.sub(lambda found: found[0] + JOINER, plain)


def units(text: str) -> int:
    """The length of a text as Telegram counts it."""
    return len(text.encode("utf-16-le")) // 2


def split(text: str, room: int = _ROOM) -> list[str]:
    """Cut a text into parts that fit, at line ends or blanks where there are any."""
    parts: list[str] = []
    rest = text
    while units(rest) > room:
        cut = _cut(rest, room)
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    parts.append(rest)
    kept = [part for part in parts if part.strip(JOINER + " \n\t")]
    if len(kept) < 2:
        return kept or [text[:1]]
    return [f"({number}/{len(kept)})\n{part}" for number, part in enumerate(kept, 1)]


def shortened(text: str, most: int) -> str:
    """One line of at most so many units."""
    line = " ".join(text.split())
    if units(line) <= most:
        return line
    return line[: _fitting(line, most - 1)].rstrip() + "…"


def listed(lines: Sequence[str]) -> str:
    """Lines that say something."""
    return "\n".join(line for line in lines if line)


def _cut(text: str, room: int) -> int:
    """Where to cut: in the last quarter at a line's end, else at a blank, else between letters."""
    most = _fitting(text, room)
    for mark in ("\n", " "):
        found = text.rfind(mark, most * 3 // 4, most)
        if found > 0:
            return found + 1
    while most > 1 and unicodedata.combining(text[most]):
        most -= 1
    return most


def _fitting(text: str, room: int) -> int:
    """How many code points fit into so many units."""
    used = 0
    for number, char in enumerate(text):
        used += 2 if ord(char) > 0xFFFF else 1
        if used > room:
            return number
    return len(text)
