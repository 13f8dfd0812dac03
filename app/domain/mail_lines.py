"""The lines of a mail: each as it came, as it is compared, and what it is."""

import re
from dataclasses import dataclass
from enum import Enum, auto

from app.domain.mail_words import MOBILE_OTHER, MOBILE_SHORT, MOBILE_SIGNED

LONGEST = 500
"""Characters of a line that is looked at closely; longer ones are text."""

_INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\u200e\u200f\u202a\u202c\ufeff\u00ad"))
_SPACES = dict.fromkeys(map(ord, "\u00a0\u2007\u202f\u3000\u2002\u2003\u2009"), " ")
_QUOTED = re.compile(r"\s{0,3}>")
_DECORATION = re.compile(r"[-_=~—–*#|+.>\s]{40,}")
_FENCE = re.compile(r"\s{0,3}(?:```|~~~)")


class Kind(Enum):
    """Text, nothing, quoted, who wrote what follows, somebody else's from here, a telephone's."""

    TEXT = auto()
    EMPTY = auto()
    QUOTE = auto()
    BY = auto()
    CUT = auto()
    SIGNED = auto()


@dataclass
class Line:
    """``text`` as it came; ``plain`` as it is compared, empty if it is not to be looked at."""

    text: str
    plain: str
    kind: Kind


def read(texts: list[str]) -> list[Line]:
    """Each line by itself; code and what stands amid a paragraph are text, whatever they say."""
    lines = [_line(it) for it in texts]
    _protect_code(lines)
    _keep_amid_text(lines)
    return lines


def _line(text: str) -> Line:
    if len(text) > LONGEST:
        return Line(text, "", Kind.QUOTE if text.lstrip()[:1] == ">" else Kind.TEXT)
    plain = text if text.isascii() else text.translate(_INVISIBLE).translate(_SPACES)
    if not plain.strip():
        return Line(text, "", Kind.EMPTY)
    plain = _DECORATION.sub(lambda run: run[0][:40], plain)  # expressions retry at each sign of it
    if _QUOTED.match(plain):
        return Line(text, plain, Kind.QUOTE)
    return Line(text, plain, Kind.SIGNED if _by_a_phone(plain) else Kind.TEXT)


def _by_a_phone(plain: str) -> bool:
    if len(plain) > 250:
        return False
    return any(it.fullmatch(plain) for it in (MOBILE_SHORT, MOBILE_SIGNED, MOBILE_OTHER))


def _protect_code(lines: list[Line]) -> None:
    """What stands between fences is text, whatever it looks like."""
    fences = [number for number, it in enumerate(lines) if _FENCE.match(it.plain)]
    for start, end in zip(fences[::2], fences[1::2], strict=False):
        for it in lines[start : end + 1]:
            it.kind, it.plain = (Kind.TEXT if it.text.strip() else Kind.EMPTY), ""


def _keep_amid_text(lines: list[Line]) -> None:
    """A telephone signs below a paragraph, not within one."""
    for before, it, after in zip(lines, lines[1:], lines[2:], strict=False):
        if it.kind is Kind.SIGNED and before.kind is after.kind is Kind.TEXT:
            it.kind = Kind.TEXT
