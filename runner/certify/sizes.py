"""How much is sent and at which price: little, and where it cannot trade by mistake."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_UP, Decimal

from runner.certify.stand import Stand
from runner.exchange.base import TOP, Book

_ABOVE_MINIMUM = Decimal("1.5")
_FAR = Decimal("0.02")
_BEYOND = Decimal("0.005")


async def smallest(stand: Stand) -> tuple[Decimal, Decimal]:
    """A quantity well above the venue's minimum, and the price it was reckoned at."""
    book = await stand.market.book(stand.symbol, TOP)
    return least(stand, book), book.middle


def least(stand: Stand, book: Book) -> Decimal:
    rules = stand.market.instrument(stand.symbol)
    wanted = max(rules.min_notional * _ABOVE_MINIMUM / book.middle, rules.min_quantity, rules.step)
    return (wanted / rules.step).to_integral_value(ROUND_UP) * rules.step


def far_below(stand: Stand, book: Book, *, steps: int = 1) -> Decimal:
    """A bid that rests: two percent below the middle for each of ``steps``."""
    rules = stand.market.instrument(stand.symbol)
    return rules.round_price(book.middle * (1 - _FAR * steps), ROUND_DOWN)


def above(stand: Stand, book: Book) -> Decimal:
    """A bid that takes, also when the book moves up meanwhile: half a percent above the middle."""
    rules = stand.market.instrument(stand.symbol)
    return rules.round_price(book.middle * (1 + _BEYOND), ROUND_UP)
