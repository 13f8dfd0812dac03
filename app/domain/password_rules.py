"""What a password must be: long enough, in no list of common ones, not made of what is known.

Length follows NIST SP 800-63B and OWASP ASVS 5.0 §6.2; there are no rules of composition, because
they make passwords worse. A common password stays common with digits around it, letters swapped
for look-alikes, or written twice, so those are undone before the list is asked.
"""

import hashlib
import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path

from app.domain.errors import Invalid
from app.domain.venues import VENUES

SHORTEST, LONGEST = 10, 256
_LIST = Path(__file__).parent / "data" / "common_passwords.bin"
_MARK = 6
_AFFIX = 6
"""Digits and signs around a common password: so many of them do not make it a good one."""

_REST = 8
"""What must be left of a password when all that others know of its owner is taken out."""

_LOOK_ALIKES = str.maketrans("0134578@$!|", "oleastbasil")
_HOUSE = ("plutarc", "password", "trading", "exchange", "bitcoin", "ethereum", "tradingbot")
_EXCHANGES = (
    *("binance", "bybit", "kraken", "okx", "kucoin", "deribit", "gemini", "phemex", "woox"),
    *("gate", "hyperliquid", "bitmex", *VENUES),
)
LENGTH = f"Use {SHORTEST} to {LONGEST} characters; a few words do well."
COMMON = "That is one of the first passwords others would try; use a few words of your own."
KNOWN = (
    "That is mostly your name, your address or a word of this place; "
    "use words that others would not put together."
)


def check(password: str, about: Iterable[str] = ()) -> None:
    """Refuse what is too short or easy to guess.

    Args:
        password: as typed; every character counts, none is required.
        about: what others may know of its owner: address, name, workspaces.

    Raises:
        Invalid: with the rule that it breaks.
    """
    if not SHORTEST <= len(password) <= LONGEST:
        raise Invalid(LENGTH, "password")
    plain = unicodedata.normalize("NFKC", password).casefold()
    if _is_pattern(plain) or any(map(is_common, _stems(plain))):
        raise Invalid(COMMON, "password")
    if _rest(plain, about) < _REST:
        raise Invalid(KNOWN, "password")


def is_common(word: str) -> bool:
    """Whether a word in lower case is in the list."""
    marks, mark = _marks(), hashlib.sha256(word.encode()).digest()[:_MARK]
    place = bisect_left(marks, mark)
    return place < len(marks) and marks[place] == mark


def _stems(plain: str) -> Iterator[str]:
    """The password, and what it was made from."""
    letters = [place for place, letter in enumerate(plain) if letter.isalpha()]
    inner = plain[letters[0] : letters[-1] + 1] if letters else ""
    found = [plain, re.sub(r"[\W_]", "", plain)]
    if len(plain) - len(inner) <= _AFFIX:
        found.append(inner)
    for word in found:
        yield word
        yield word.translate(_LOOK_ALIKES)
        half, odd = divmod(len(word), 2)
        if not odd and word[:half] == word[half:]:
            yield word[:half]


def _is_pattern(plain: str) -> bool:
    """Few different characters, a short piece again and again, or a run such as 3456789abc."""
    steps = {ord(after) - ord(before) for before, after in pairwise(plain)}
    repeated = any(plain[size:] == plain[:-size] for size in range(1, 6))
    return len(set(plain)) < 5 or repeated or (len(steps) == 1 and steps <= {1, -1})


def _rest(plain: str, about: Iterable[str]) -> int:
    """How much is left without the words others know, and without digits and signs."""
    known = {*_HOUSE, *_EXCHANGES}
    for text in about:
        parts = re.split(r"[\W\d_]+", unicodedata.normalize("NFKC", text).casefold())
        known |= {part for part in parts if len(part) > 2}
        known.add(re.sub(r"[\W\d_]", "", text.casefold()))
    rest = plain
    for word in sorted(filter(None, known), key=len, reverse=True):
        rest = rest.replace(word, "")
    if rest == plain:
        return len(plain)
    return len(re.sub(r"[\W\d_]", "", rest))


@cache
def _marks() -> list[bytes]:
    content = _LIST.read_bytes()
    return [content[place : place + _MARK] for place in range(0, len(content), _MARK)]
