"""The one conversion point between ccxt's numbers and exact decimals."""

from __future__ import annotations

from decimal import Decimal
from typing import Any


def exact(value: Any) -> Decimal:
    """A decimal with the digits the venue wrote; a float's shortest form has them all."""
    return value if isinstance(value, Decimal) else Decimal(str(value))


def exact_or_none(value: Any) -> Decimal | None:
    """As ``exact``, with ``None`` for nothing, empty and zero."""
    return (exact(value) or None) if value else None


def text(value: Decimal | None) -> str | None:
    """Plain digits, never an exponent."""
    return None if value is None else format(value, "f")
