"""Numbers and texts of many candles, small: column by column, as differences, byte by byte.

A text is a pattern and the numbers in it. Patterns are few, and a number is near the one before; so
every word of every candle is kept, at a byte or two for each number in it.
"""

from __future__ import annotations

import re
import sys
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import accumulate
from operator import sub

_NUMBER = re.compile(r"(?<![\w.])[+-]?\d{1,15}(?:\.\d{1,12})?(?![\w])")
_PLAIN, _SIGNED = "\x01", "\x02"
"""Where a number stood in a text; the second one with its plus sign."""
_HOLES = re.compile(f"[{_PLAIN}{_SIGNED}]")
_LARGEST = 2**61
_EVEN, _RAW, _STEPS = 0, 1, 2
"""How a column is written: as its first number and one step, its numbers, its first and steps."""

Head = list[int]


@dataclass
class Pages:
    """The bytes of columns, one after the other; ``heads`` say how each of them is to be read."""

    heads: list[Head] = field(default_factory=list)
    parts: list[bytes] = field(default_factory=list)

    def add(self, numbers: list[int]) -> None:
        """One more column, in the shortest of the ways."""
        steps = list(map(sub, numbers[1:], numbers))
        first, count = numbers[0] if numbers else 0, len(numbers)
        if len(set(steps)) < 2:
            self.heads.append([_EVEN, count, first, steps[0] if steps else 0])
            return
        raw, folded = _folded(numbers), _folded(steps)
        if sum(folded) < sum(raw):
            way, best, start = _STEPS, folded, first
        else:
            way, best, start = _RAW, raw, 0
        width = (max(best).bit_length() + 7) // 8
        data = _swapped(array("Q", best)).tobytes()
        self.heads.append([way, count, start, width])
        self.parts.append(b"".join(data[place::8] for place in range(width)))

    def body(self) -> bytes:
        """All columns."""
        return b"".join(self.parts)


def read_columns(heads: list[Head], data: bytes) -> Iterator[list[int]]:
    """The columns again, in their order."""
    at = 0
    for way, count, first, more in heads:
        if way == _EVEN:
            yield [first + more * place for place in range(count)]
            continue
        length = count - 1 if way == _STEPS else count
        planes = bytearray(8 * length)
        for place in range(more):
            planes[place::8] = data[at : at + length]
            at += length
        folded = _swapped(array("Q", bytes(planes)))
        numbers = [(n >> 1) ^ -(n & 1) for n in folded]
        yield list(accumulate(numbers, initial=first)) if way == _STEPS else numbers


def _swapped(numbers: array[int]) -> array[int]:
    """Little-endian, whatever the machine's own order of bytes."""
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _folded(numbers: Iterable[int]) -> list[int]:
    """Small numbers of either sign as small numbers: 0, -1, 1, -2 become 0, 1, 2, 3."""
    return [(n << 1) ^ (n >> 63) for n in numbers]


def add_texts(pages: Pages, texts: list[str]) -> list[str]:
    """Write texts as columns: which pattern each has, then the numbers of each place in turn.

    Returns the patterns.
    """
    patterns: dict[str, int] = {}
    chosen: list[int] = []
    places: list[list[tuple[int, int]]] = []
    for text in texts:
        pattern, found = _split(text)
        chosen.append(patterns.setdefault(pattern, len(patterns)))
        places += [[] for _ in range(len(found) - len(places))]
        for place, number in zip(places, found, strict=False):
            place.append(number)
    pages.add(chosen)
    for place in places:
        decimals = [number[1] for number in place]
        most = max(decimals)
        numbers = [value * 10 ** (most - own) for value, own in place]
        if max(map(abs, numbers)) > _LARGEST:
            most, numbers = -1, [value for value, _ in place]
        pages.add(decimals)
        pages.add([most])
        pages.add(numbers)
    return list(patterns)


def read_texts(columns: Iterator[list[int]], patterns: list[str]) -> list[str]:
    """What ``add_texts`` wrote."""
    chosen = next(columns)
    pieces = [(_HOLES.split(one), _HOLES.findall(one)) for one in patterns]
    places = []
    for _ in range(max((len(holes) for _, holes in pieces), default=0)):
        decimals, (most,), numbers = next(columns), next(columns), next(columns)
        places.append(iter(_spelt(decimals, most, numbers)))
    told = []
    for pattern in chosen:
        words, holes = pieces[pattern]
        text = words[0]
        for place, hole, word in zip(places, holes, words[1:], strict=False):
            number = next(place)
            text += ("+" if hole == _SIGNED else "") + number + word
        told.append(text)
    return told


def _split(text: str) -> tuple[str, list[tuple[int, int]]]:
    """A text's pattern, and its numbers as (digits, decimals); oddly written ones stay words."""
    found: list[tuple[int, int]] = []

    def taken(match: re.Match[str]) -> str:
        word = match.group()
        plain = word.removeprefix("+")
        whole, _, part = plain.partition(".")
        number = (int(whole + part), len(part))
        if _spell(*number) != plain:
            return word
        found.append(number)
        return _PLAIN if plain == word else _SIGNED

    return _NUMBER.sub(taken, text), found


def _spelt(decimals: list[int], most: int, numbers: list[int]) -> list[str]:
    if most < 0:
        return [_spell(n, own) for n, own in zip(numbers, decimals, strict=True)]
    return [_spell(n // 10 ** (most - own), own) for n, own in zip(numbers, decimals, strict=True)]


def _spell(number: int, decimals: int) -> str:
    if not decimals:
        return str(number)
    digits = f"{abs(number):0{decimals + 1}d}"
    return f"{'-' if number < 0 else ''}{digits[:-decimals]}.{digits[-decimals:]}"
