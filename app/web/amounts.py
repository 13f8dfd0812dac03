"""How the money and the hours of a statement are spelt."""

from datetime import timedelta
from decimal import Decimal

from app.domain import statements

CENT = Decimal("0.01")
MINUS = "\u2212"


def spell_hours(microseconds: int) -> str:
    """A length of a statement as a person reads it."""
    whole = timedelta(microseconds=microseconds)
    if whole < timedelta(hours=1):
        return f"{whole // timedelta(minutes=1)} min"
    return f"{whole / timedelta(hours=1):,.1f} h"


def dollars(millionths: int | None) -> str:
    """An amount of a statement as it is shown: in cents, and less than one said so."""
    amount = statements.dollars(millionths)
    if amount is None:
        return "no price"
    if 0 < abs(amount) < CENT:
        return "< $0.01" if amount > 0 else f"> {MINUS}$0.01"
    return f"{MINUS if amount < 0 else ''}${abs(amount):,.2f}"


def hourly(rate: int | None) -> str:
    """A price of an hour, in 10^-12 dollars, with all its decimals."""
    return "\u2013" if rate is None else f"${plainly(rate)}"


def plainly(rate: int) -> str:
    """The same as a bare number of dollars."""
    return f"{Decimal(rate).scaleb(-12).normalize():f}"
