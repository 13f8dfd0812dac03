"""How the money and the hours of a statement are spelt."""

from datetime import timedelta
from decimal import Decimal


def spell_hours(microseconds: int) -> str:
    """A length of a statement as a person reads it."""
    whole = timedelta(microseconds=microseconds)
    if whole < timedelta(hours=1):
        return f"{whole // timedelta(minutes=1)} min"
    return f"{whole / timedelta(hours=1):,.1f} h"


def hourly(rate: int | None) -> str:
    """A price of an hour, in 10^-12 dollars, with all its decimals."""
    return "\u2013" if rate is None else f"${plainly(rate)}"


def plainly(rate: int) -> str:
    """The same as a bare number of dollars."""
    return f"{Decimal(rate).scaleb(-12).normalize():f}"
