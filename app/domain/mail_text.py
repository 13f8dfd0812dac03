"""What a person newly wrote in a mail, without what their program quoted and signed below it.

A line is judged once: empty, quoted (``>``), an attribution ("On …, X wrote:"), the point from
which all is somebody else's, a telephone's signature, or text. The kinds of the lines then say
what goes. In doubt a line stays: losing somebody's words is worse than showing a quote.

Work is bounded by the length of the text: long lines are text, and what spans lines spans few.
"""

import re

from app.domain import mail_attributions, mail_cuts, mail_lines
from app.domain.mail_cuts import MARKER
from app.domain.mail_from_html import text_of_html
from app.domain.mail_lines import Kind, Line

__all__ = ["MARKER", "text_of_html", "visible_reply"]

MOST = 6_000
"""Lines that are looked at; what is below them is taken for one more line."""

_ANY_RULE = re.compile(r"\s*(?:[-_=*—–]\s?){2,}\s*")
_NAME = re.compile(
    r"\s*(?:--? ?|[–—] ?)[A-ZÄÖÜÉÈÅØČŠŽ][\w.'’-]*(?: [A-ZÄÖÜÉÈÅØČŠŽ][\w.'’-]*){0,3}\s*"
)
_MUCH = 7
"""Lines of text below a quote that make it part of a conversation."""


def visible_reply(text: str) -> str:
    """What is new in a mail's plain text, stripped at both ends; all of it if nothing would be.

    Every line of the answer is one of the text, or the beginning of one.
    """
    whole = text.replace("\r\n", "\n").replace("\r", "\n")
    lines = mail_lines.read(whole.split("\n", MOST))
    mail_attributions.find(lines)
    mail_cuts.find(lines)
    kept = _unsigned(_kept(_until_cut(lines)))
    return "\n".join(it.text.rstrip() for it in kept).strip("\n").rstrip() or whole.strip()


def _until_cut(lines: list[Line]) -> list[Line]:
    """The lines before the first cut that has text before it; earlier cuts lose their headers."""
    seen = False
    kept: list[Line] = []
    for it in lines:
        if it.kind is Kind.CUT and seen:
            break
        if it.kind is Kind.CUT or (not seen and it.kind is Kind.TEXT and _goes_on(kept, it)):
            kept.append(Line(it.text, it.plain, Kind.CUT))
            continue
        seen = seen or it.kind is Kind.TEXT
        kept.append(it)
    return kept


def _goes_on(kept: list[Line], it: Line) -> bool:
    """Whether a line goes on with headers that began at the top."""
    return bool(kept) and kept[-1].kind is Kind.CUT and mail_cuts.header(it.plain) is not None


def _kept(lines: list[Line]) -> list[Line]:
    """Walk through the kinds and leave out what was quoted around the new words."""
    below = _Below(lines)
    found: list[Line] = []
    seen, number = False, 0
    while number < len(lines):
        it = lines[number]
        if it.kind is Kind.BY:
            after = _skip(lines, number, (Kind.BY, Kind.EMPTY))
            quoted = after < len(lines) and lines[after].kind is Kind.QUOTE
            end = _skip(lines, after, (Kind.QUOTE, Kind.EMPTY, Kind.BY)) if quoted else after
            if seen and (not quoted or end > below.last):
                break
            apart = lines[number + 1].kind is not Kind.QUOTE if quoted else False
            number = after if quoted and below.answers(end, apart=seen and apart) else end
            continue
        if it.kind is Kind.QUOTE and number > below.last and seen:
            break
        if it.kind in (Kind.TEXT, Kind.EMPTY, Kind.QUOTE):
            found.append(it)
            seen = seen or it.kind is Kind.TEXT
        number += 1
    return found


class _Below:
    """What stands below a line, counted once."""

    def __init__(self, lines: list[Line]) -> None:
        texts = [number for number, it in enumerate(lines) if it.kind is Kind.TEXT]
        self.last = texts[-1] if texts else -1
        self.much_until = texts[-_MUCH] if len(texts) >= _MUCH else -1
        quotes = (number for number in range(self.last, -1, -1) if lines[number].kind is Kind.QUOTE)
        self.last_quote = next(quotes, -1)

    def answers(self, end: int, *, apart: bool) -> bool:
        """Whether a quote that ends before ``end`` is part of what was written.

        It is if answers stand between it and further quotes, or if it is set apart, with text
        above it and much below.
        """
        return self.last_quote >= end or (apart and self.much_until >= end)


def _skip(lines: list[Line], number: int, kinds: tuple[Kind, ...]) -> int:
    while number < len(lines) and lines[number].kind in kinds:
        number += 1
    return number


def _unsigned(lines: list[Line]) -> list[Line]:
    """Without rules, blanks and a name behind a dash at the end."""
    kept = _without_rules(lines)
    if (
        len(kept) > 2
        and kept[-2].kind is Kind.EMPTY
        and kept[-1].plain
        and _NAME.fullmatch(kept[-1].plain)
    ):
        kept = _without_rules(kept[:-1])
    return kept


def _without_rules(lines: list[Line]) -> list[Line]:
    end = len(lines)
    while end and (lines[end - 1].kind is Kind.EMPTY or _ANY_RULE.fullmatch(lines[end - 1].plain)):
        end -= 1
    return lines[:end]
