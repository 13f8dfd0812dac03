"""The venue's book without what this account took of it: displayed size is there once."""

from __future__ import annotations

from decimal import Decimal

from runner.exchange.base import Book, Level
from runner.exchange.paper_state import Taken
from runner.protocol import Side

ZERO = Decimal(0)
_KEEP_TAKEN = 40


class Depth:
    """One picture of a book, and what is left of it.

    What was taken of a level stays taken as long as the level shows the same size: the venue knows
    nothing of it. A newer picture that shows another size there has refreshed the level.
    """

    def __init__(self, book: Book, taken: list[Taken]) -> None:
        self._book = book
        self._sizes: dict[Side, dict[Decimal, Decimal]] = {}
        self._taken = {
            (one.side, one.price): one
            for one in taken
            if self._size(one.side, one.price) in (one.shown, None)
        }

    @property
    def taken(self) -> list[Taken]:
        return list(self._taken.values())[-_KEEP_TAKEN:]

    def touch(self, side: Side) -> Decimal:
        """The best price there is for who takes on ``side``."""
        return self._levels(side)[0][0]

    def walk(self, side: Side, quantity: Decimal, limit: Decimal | None = None) -> list[Level]:
        """What a taker of ``quantity`` would meet, no further than ``limit`` and the book."""
        rest, met, taken = quantity, list[Level](), self._taken
        for price, shown in self._levels(side):
            if rest <= 0 or (limit is not None and is_beyond(side, price, limit)):
                break
            gone = taken.get((side, price)) if taken else None
            there = min(rest, shown if gone is None else shown - gone.quantity)
            if there > 0:
                met.append((price, there))
                rest -= there
        return met

    def take(self, side: Side, levels: list[Level]) -> None:
        for price, quantity in levels:
            before = self._taken.get((side, price))
            gone = quantity if before is None else before.quantity + quantity
            self._taken[side, price] = Taken(side, price, self._shown(side)[price], gone)

    def worst(
        self, side: Side, quantity: Decimal, limit: Decimal | None, withdrawn: Decimal
    ) -> Decimal:
        """Where ``quantity`` would end with this share of the shown size gone.

        Ask before taking: it is about the book the order meets.
        """
        met = self.walk(side, quantity / (1 - withdrawn), limit)
        return met[-1][0]

    def displayed(self, side: Side, price: Decimal) -> Decimal | None:
        """Size shown on the side of a resting order; ``None`` where the picture ends before."""
        return self._size(other(side), price)

    def _size(self, side: Side, price: Decimal) -> Decimal | None:
        """Size that takers on ``side`` are shown at this price, ``None`` out of sight."""
        if is_beyond(side, price, self._levels(side)[-1][0]):
            return None
        return self._shown(side).get(price, ZERO)

    def _levels(self, side: Side) -> tuple[Level, ...]:
        """What takers on ``side`` meet, best price first."""
        return self._book.asks if side is Side.BUY else self._book.bids

    def _shown(self, side: Side) -> dict[Decimal, Decimal]:
        """Sizes by price, worked out once somebody asks."""
        if side not in self._sizes:
            self._sizes[side] = dict(self._levels(side))
        return self._sizes[side]


def other(side: Side) -> Side:
    return Side.SELL if side is Side.BUY else Side.BUY


def is_beyond(side: Side, price: Decimal, limit: Decimal) -> bool:
    """Whether ``price`` is worse than ``limit`` for who trades on ``side``."""
    return price > limit if side is Side.BUY else price < limit
