"""A linear-contract account in exact decimals: cash, fees and open lots."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from runner.protocol import Fill, Side

ZERO = Decimal(0)


@dataclass(frozen=True)
class Lot:
    """An open position; ``cost`` is the signed sum of price times quantity paid for it."""

    quantity: Decimal = ZERO
    cost: Decimal = ZERO

    @property
    def entry_price(self) -> Decimal | None:
        return self.cost / self.quantity if self.quantity else None

    def unrealised(self, mark: Decimal) -> Decimal:
        return self.quantity * mark - self.cost


FLAT = Lot()
"""No position."""


def signed(side: Side, quantity: Decimal) -> Decimal:
    """Quantity as the change it makes to a position."""
    return quantity if side is Side.BUY else -quantity


def apply(lot: Lot, change: Decimal, price: Decimal) -> tuple[Lot, Decimal]:
    """Apply one execution; returns the new lot and the profit it realised (before fees).

    The cost is split, never recomputed from an average, so that balance + unrealised equals the
    cash that moved plus the position's value, to the last digit.
    """
    if lot.quantity * change >= 0:
        return Lot(lot.quantity + change, lot.cost + change * price), ZERO
    closing = min(abs(change), abs(lot.quantity))
    whole = closing == abs(lot.quantity)
    share = lot.cost if whole else lot.cost * closing / abs(lot.quantity)
    closed = closing.copy_sign(change)
    realised = -closed * price - share
    opening = change - closed
    quantity, cost = lot.quantity + closed + opening, lot.cost - share + opening * price
    return Lot(quantity, cost), realised


def folded(fills: Iterable[Fill]) -> Lot:
    """What a row of fills, oldest first, leaves open."""
    lot = Lot()
    for fill in fills:
        lot, _ = apply(lot, signed(fill.side, fill.quantity), fill.price)
    return lot


def opening(fills: Sequence[Fill], quantity: Decimal) -> Fill | None:
    """The fill that began a position of ``quantity``, the newest of ``fills`` being the last."""
    rest = quantity
    for fill in reversed(fills):
        rest -= signed(fill.side, fill.quantity)
        if not rest or rest * quantity < 0:
            return fill
    return None
