"""The one conversion point between what venues send and exact decimals."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

from runner.errors import Temporary

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", re.ASCII)


class NoNumber(Temporary):
    """Something else stands where the venue should have sent a number, or an impossible one.

    Nothing may be concluded from such an answer. A broken reading passes; a broken answer to an
    order leaves it unknown (``failures.writing``).
    """


def exact(value: Any, what: str = "a value") -> Decimal:
    """A decimal with the digits the venue wrote; a float's shortest form has them all.

    Raises:
        NoNumber: nothing, an empty text, NaN, an infinity, or no number at all.
    """
    if isinstance(value, Decimal) and value.is_finite():
        return value
    said = str(value)
    if isinstance(value, bool) or not _NUMBER.fullmatch(said):
        raise NoNumber(f"the venue sent no number for {what}, but {said[:40]!r}")
    return Decimal(said)


def amount(value: Any, what: str = "an amount") -> Decimal:
    """As ``exact``, refusing what is below zero."""
    number = exact(value, what)
    if number < 0:
        raise NoNumber(f"the venue sent a negative number for {what}: {number}")
    return number


def price(value: Any, what: str = "a price") -> Decimal:
    """As ``exact``, refusing zero and what is below it."""
    number = exact(value, what)
    if number <= 0:
        raise NoNumber(f"the venue sent an impossible number for {what}: {number}")
    return number


def exact_or_none(value: Any, what: str = "a value") -> Decimal | None:
    """As ``exact``, with ``None`` for nothing, empty and zero."""
    return (exact(value, what) or None) if value else None


def text(value: Decimal | None) -> str | None:
    """Plain digits, never an exponent."""
    return None if value is None else format(value, "f")
