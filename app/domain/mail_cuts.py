"""From where on it is somebody else's: repeated headers, rules with words, signatures, footers."""

import re

from app.domain.mail_attributions import ADDRESS, DATE
from app.domain.mail_lines import Kind, Line
from app.domain.mail_words import ABOVE, FOOTER, HEADERS, ORIGINAL

MARKER = "=== Write your answer above this line ==="
"""Stands at the top of our own letters."""

_DASHES = re.compile(r"\s*(?:--|—|–|__|- -)\s*")
_LONG_RULE = re.compile(r"\s*_{20,}\s*")
_LINK_ALONE = re.compile(r"\s*[<\[(]?(?:https?://|mailto:|www\.)\S+\s*")
_BLOCK = 14
"""Lines within which headers are repeated."""


def find(lines: list[Line]) -> None:
    """Mark the lines from which on nothing is new."""
    for number, it in enumerate(lines):
        if it.kind not in (Kind.TEXT, Kind.QUOTE) or not it.plain:
            continue
        if (
            MARKER in it.plain
            or ABOVE.fullmatch(it.plain)
            or (it.kind is Kind.TEXT and _begins_other(lines, number))
        ):
            it.kind = Kind.CUT


def _begins_other(lines: list[Line], number: int) -> bool:
    """Whether from here on it is another mail, a signature or a footer."""
    plain = lines[number].plain
    if ORIGINAL.fullmatch(plain) or FOOTER.match(plain):
        return True
    if _DASHES.fullmatch(plain):
        return _is_signature(lines, number, 20)
    if plain.strip() == "---":
        return _is_signature(lines, number, 4) and not _ruled_twice(lines, number)
    if _LONG_RULE.fullmatch(plain):
        rest = lines[number + 1 : number + 60]
        return len(rest) < 59 and sum(it.kind is Kind.TEXT for it in rest) <= 8
    return _headers_at(lines, number)


def _is_signature(lines: list[Line], number: int, most: int) -> bool:
    """A signature is short, up to whatever else follows it."""
    length = 0
    for it in lines[number + 1 : number + 40]:
        if it.kind in (Kind.QUOTE, Kind.BY):
            break
        length += it.kind is Kind.TEXT
    return length <= most


def _ruled_twice(lines: list[Line], number: int) -> bool:
    """Whether such rules part a text, as in tables and settings, rather than begin a signature."""
    near = lines[max(number - 20, 0) : number] + lines[number + 1 : number + 20]
    return any(it.plain.strip() == "---" for it in near)


def _headers_at(lines: list[Line], number: int) -> bool:
    """Whether the headers of another mail are repeated here."""
    first = header(lines[number].plain)
    if first is None or (
        first == "to" and not lines[number].plain.lstrip(" *").lower().startswith("to")
    ):
        return False
    kinds, address, others = {first}, "@" in lines[number].plain, 0
    second = lines[number + 1].plain if number + 1 < len(lines) else ""
    for it in lines[number + 1 : number + _BLOCK]:
        if it.kind is Kind.EMPTY and len(kinds) < 2:
            continue
        found = header(it.plain) if it.kind is not Kind.EMPTY else None
        others = 0 if found else others + 1
        if others > 1:
            break
        if found:
            kinds.add(found)
        address = address or "@" in it.plain
    if "from" not in kinds:
        return False
    if first == "from" and len(kinds) == 1:
        rest = lines[number + 1 : number + 11]
        mine = ADDRESS.search(lines[number].plain) is not None
        return (
            mine
            and len(rest) < 9
            and all(it.kind is Kind.EMPTY or _LINK_ALONE.fullmatch(it.text) for it in rest)
        )
    dated = kinds == {"from", "date"} and first == "from" and DATE.search(second) is not None
    return dated or len(kinds) >= 3 or (address and bool(kinds & {"date", "subject"}))


def header(plain: str) -> str | None:
    """Which header a line repeats, if any; settings have such names too, in small letters."""
    name, colon, _ = plain[:60].replace("：", ":").partition(":")
    name = name.strip(" *_>\t").replace("’", "'")
    return HEADERS.get(name.lower()) if colon and not name[:1].islower() else None
