"""Who wrote what follows: "On …, X wrote:", in many languages, on one line or over several."""

import re

from app.domain.mail_lines import LONGEST, Kind, Line
from app.domain.mail_words import STARTER, VERB, VERB_AT_END

ADDRESS = re.compile(r"[^\s<>@]{1,80}@[\w-]{1,80}\.[\w.-]{2,80}")
DATE = re.compile(
    r"\b(?:19|20)\d\d\b|\d{1,2}[./-]\d{1,2}[./-]\d{2,4}|\d{4}[./-]\d{1,2}[./-]\d{1,2}|"
    r"\b\d{1,2}[:.h]\d\d\b|\b\d{1,2}\s?[ap]\.?m\b|\d\s?[年月日년월일]",
    re.IGNORECASE,
)
_ENCLOSED = re.compile(r"[<(\[][^\s<>@]{1,80}@[\w-]{1,80}\.[\w.-]{2,80}")
_DATE_FIRST = re.compile(
    r"[\s*>]*(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4}|\d{4}年|\d{4}년)"
)
_WITH_OFFSET = re.compile(
    r"\s*\d{4}-\d\d-\d\d,? \d{1,2}:\d\d(?::\d\d)? (?:GMT|UTC)[+-]\d\d:?\d\d "
    r"[^\W\d][\w .'-]{1,60}:?\s*"
)
_TO_ADDRESS = re.compile(r"[<(\[\"].{0,20}@[^\s]{1,200}[>)\]\"]+\s*[:：]\s*")
_OF_ADDRESS = re.compile(
    r"\s*(?:\* .{1,80}<[^\s<>]{3,200}>\s*\[.{6,60}\]|missatge de .{1,80}<[^\s<>]{3,200}>.{6,80})"
    r"\s*:\s*",
    re.IGNORECASE,
)
_QUOTING = re.compile(
    r"[\s*]*(?:quoting|zitat von|citando(?: a)?|citation de|citerar|citaat van)\b.{1,150}[:：]\s*",
    re.IGNORECASE,
)
_WRAPPED = re.compile(r"\s*>\s*[\w ()/]{2,20}\s*[:：]\s*")
_FRAMED = re.compile(r"\s*-{3,}.{1,160}?-{3,}\s*")
_INSIDE = re.compile(
    r"(?<=\S )On (?:(?:mon|tue|wed|thu|fri|sat|sun)\w*,? |\d|(?:jan|feb|mar|apr|may|jun|jul|aug|"
    r"sep|oct|nov|dec)\w* \d)",
    re.IGNORECASE,
)
_OWN = re.compile(r"\b(?:I(?!\.)|we|ich|wir|j'ai|j’ai|nous|ik|wij|yo|jag|jeg)\b")
"""Whoever speaks of themselves says so in a sentence of their own."""

_RUN_ON = re.compile(r"[\s>*]*On .{6,160}@.{3,160} wrote: .*", re.IGNORECASE)
_SPAN, _ATTEMPTS = 7, 800
"""Lines of one attribution, and how many are looked for at all."""


def find(lines: list[Line]) -> None:
    """Mark the lines of attributions."""
    attempts = 0
    for number, it in enumerate(lines):
        wrapped = it.kind is Kind.QUOTE and _WRAPPED.fullmatch(it.plain) is not None
        if not (it.kind is Kind.TEXT or wrapped) or not it.plain:
            continue
        if attempts > _ATTEMPTS:
            return
        ends = it.plain.rstrip(" *_-")[-1:] in (":", "：") or VERB.search(it.plain) is not None
        if ends or _DATE_FIRST.match(it.plain) or _FRAMED.fullmatch(it.plain):
            attempts += 1
            start = _attribution(lines, number)
            for line in lines[start : number + 1] if start is not None else ():
                line.kind = Kind.BY


def _attribution(lines: list[Line], end: int) -> int | None:
    """The line on which an attribution that ends on line ``end`` begins."""
    quoted = _next_is_quote(lines, end)
    if _alone(lines, end, quoted):
        return end
    joined, maybe, blanks = "", None, 0
    for number in range(end, max(end - _SPAN, -1), -1):
        line = lines[number]
        joined = f"{line.plain.strip()} {joined}".strip()
        blanks += line.kind is Kind.EMPTY
        if blanks > 1 or not _joins(line, settled=maybe is not None) or len(joined) > LONGEST:
            break
        starts = STARTER.match(line.plain) is not None
        if (line.kind is Kind.TEXT or starts) and _attributes(joined, quoted):
            if starts:
                return number
            if maybe is None and DATE.search(joined):
                maybe = number
    if maybe is None and _attributes(lines[end].plain, quoted):
        return end
    return maybe


def _joins(line: Line, *, settled: bool) -> bool:
    """Whether a line may be part of an attribution; code and long lines are not.

    ``settled``: enough was read for one, so that a blank ends it.
    """
    if line.kind is Kind.EMPTY:
        return not settled
    return line.kind is Kind.QUOTE or (line.kind is Kind.TEXT and bool(line.plain))


def _alone(lines: list[Line], number: int, quoted: bool) -> bool:
    """Attributions without a verb, and those with something before them on their line."""
    plain = lines[number].plain
    if _split_off(lines, number):
        return False
    if _RUN_ON.fullmatch(plain) and DATE.search(plain[:80]):
        return True
    if _FRAMED.fullmatch(plain):
        return VERB.search(plain) is not None
    if _QUOTING.fullmatch(plain):
        return quoted or ADDRESS.search(plain) is not None
    if _DATE_FIRST.match(plain) and _ENCLOSED.search(plain) and plain.rstrip()[-1] in ">:：":
        return quoted or plain.rstrip()[-1] in ":："
    if _OF_ADDRESS.fullmatch(plain) and DATE.search(plain):
        return True
    if _TO_ADDRESS.search(plain[-200:]) and plain.rstrip()[-1] in ":：" and DATE.search(plain):
        return True
    around = {
        it.kind for it in (*lines[max(number - 1, 0) : number], *lines[number + 1 : number + 2])
    }
    return around <= {Kind.EMPTY} and _WITH_OFFSET.fullmatch(plain) is not None


def _split_off(lines: list[Line], number: int) -> bool:
    """Part words from an attribution that follows them on their line."""
    line = lines[number]
    inside = _INSIDE.search(line.plain)
    tail = line.plain[inside.start() :] if inside else ""
    if inside is None or not (VERB_AT_END.search(tail) and DATE.search(tail)):
        return False
    line.text = line.plain = line.plain[: inside.start()].rstrip()
    lines.insert(number + 1, Line("", "", Kind.BY))
    return True


def _attributes(joined: str, quoted: bool) -> bool:
    """Whether a joined line says who wrote what follows."""
    if not quoted and _OWN.search(joined):
        return False
    if VERB.search(joined) is None:
        sent = joined.lower().rstrip(" :").endswith(" sent") and joined.lower().startswith("on ")
        return sent and DATE.search(joined) is not None and (quoted or "@" in joined)
    at_end = VERB_AT_END.search(joined) is not None
    if not at_end and joined.rstrip(" *_-")[-1:] not in (":", "："):
        return quoted and len(joined) < 120 and _dated(joined)
    if STARTER.match(joined):
        colon = joined.rstrip(" *_-")[-1:] in (":", "：")
        return DATE.search(joined) is not None or (
            any(map(str.isdigit, joined)) and colon and quoted
        )
    if ADDRESS.search(joined):
        return True
    return quoted and (at_end or DATE.search(joined) is not None) and len(joined) < 120


def _dated(joined: str) -> bool:
    return STARTER.match(joined) is not None and DATE.search(joined) is not None


def _next_is_quote(lines: list[Line], number: int) -> bool:
    following = (it for it in lines[number + 1 : number + 5] if it.kind is not Kind.EMPTY)
    found = next(following, None)
    return found is not None and found.kind is Kind.QUOTE
