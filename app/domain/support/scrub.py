"""The second net under a diagnostic bundle: what looks like a secret is taken out of any text.

The first net is that a bundle is made from a list of allowed fields. This one is for the few texts
in it that a venue, a runner or a person wrote, and it would rather take too much than too little.
"""

import re
from functools import lru_cache
from typing import Any
from zoneinfo import available_timezones

GONE = "[removed]"
LONGEST = 200
"""Characters kept of one text."""

OWN_ID = re.compile(r"[a-z]{2,5}_[a-z2-7]{26}")
"""A public id of ours; nothing secret is made of it."""

_SYMBOL = re.compile(r"[A-Z0-9]{1,20}/[A-Z]{2,6}(?::[A-Z]{2,6})?")
_PEM = re.compile(r"-----BEGIN [A-Z0-9 ]*(?:-----)?.*?(?:-----END [A-Z0-9 ]*-----|\Z)", re.DOTALL)
_ADDRESS = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
_JWT = re.compile(r"\beyJ[\w-]{6,}(?:\.[\w-]*){1,4}")
_MAILBOX = re.compile(r"[^\s<>@\"']+@[^\s<>@\"']+")
_NAMED = re.compile(
    r"\b([\w-]*(?:api[_-]?key|secret|token|passw(?:or)?d|passphrase|pwd|authorization|bearer|cookie|"
    r"private[_-]?key|signature|mnemonic|dsn|credentials?)\w*)(\"?'?\s*[:=]\s*|\s+(?=bearer\s|basic\s))"
    r"(?:(?:bearer|basic)\s+)?(\"[^\"]*\"|'[^']*'|[^\s,;}]+)",
    re.IGNORECASE,
)
_BEARER = re.compile(r"\b(bearer|basic)\s+[\w.~+/=-]{8,}", re.IGNORECASE)
_TELEGRAM = re.compile(r"\b\d{6,12}:[\w-]{30,}")
_PATH = re.compile(r"\b(?:[\w-]+\.)+[a-z]{2,}/\S+", re.IGNORECASE)
_LONG = re.compile(r"[A-Za-z0-9+/=_-]{16,}")
_WORD = re.compile(r"[^\W\d_]+")
_BETWEEN = re.compile(r"[\s,;.:)(\d\"'-]{1,12}")

_SMALL = frozenset(
    (
        *("the", "and", "for", "not", "are", "was", "its", "has", "had", "but", "from", "our"),
        *("out", "per", "too", "yet", "nor", "with", "into", "been", "were", "does", "did", "than"),
    )
)
"""Words of ordinary sentences that no list of seed words holds."""

_SEED = 8
"""Words in a row that are taken for a seed phrase; the shortest has twelve, a cut one fewer."""


def scrubbed(value: Any) -> Any:
    """The same value with every text in it, at any depth, cleaned; keys of objects are ours."""
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {key: scrubbed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [scrubbed(item) for item in value]
    return value


def clean(text: str) -> str:
    """One text without what looks like a key, a token, an address or a seed phrase."""
    if OWN_ID.fullmatch(text) or _SYMBOL.fullmatch(text) or text in _zones():
        return text
    for pattern in (_PEM, _ADDRESS, _JWT, _MAILBOX, _TELEGRAM):
        text = pattern.sub(GONE, text)
    text = _NAMED.sub(rf"\1\2{GONE}", text)
    text = _BEARER.sub(rf"\1 {GONE}", text)
    text = _PATH.sub(GONE, text)
    text = _LONG.sub(_unless_harmless, _without_seeds(text))
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _unless_harmless(found: re.Match[str]) -> str:
    """Keys mix digits and letters, or are long; a word or an id of ours is neither."""
    text = found[0]
    if OWN_ID.fullmatch(text):
        return text
    mixed = any(it.isdigit() for it in text) and any(it.isalpha() for it in text)
    plain_words = "_" in text or "-" in text
    long = len(text) >= 24 and not (plain_words and text.islower() and not mixed)
    return GONE if (mixed and not _is_moment(text)) or long else text


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _is_moment(text: str) -> bool:
    return re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d(?:\d\d)*Z?", text) is not None


def _without_seeds(text: str) -> str:
    """Words in a row, each of three to eight letters and none a small word."""
    runs: list[tuple[int, int, int]] = []
    start = end = count = 0
    for word in _WORD.finditer(text):
        fits = 3 <= len(word[0]) <= 8 and word[0].isascii() and word[0].lower() not in _SMALL
        joined = count and _BETWEEN.fullmatch(text, end, word.start())
        if count and not (fits and joined):
            runs.append((start, end, count))
            count = 0
        if fits:
            start, end, count = (start if count else word.start()), word.end(), count + 1
    runs.append((start, end, count))
    for first, last, words in reversed(runs):
        if words >= _SEED:
            text = text[:first] + GONE + text[last:]
    return text
