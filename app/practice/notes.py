"""What happened to an account, noted as it is booked, for whoever listens to it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from app.practice.orders import ZERO, Conditional, Fill, Income, Order

_REASONS = {Income.FUNDING_FEE: "FUNDING_FEE", Income.INSURANCE_CLEAR: "INSURANCE_CLEAR"}


@dataclass(frozen=True)
class OrderNote:
    """An order as it was at that moment; ``what`` is the venue's execution type."""

    order: Order
    what: str
    fill: Fill | None = None


@dataclass(frozen=True)
class ConditionalNote:
    """A conditional order as it was at that moment, and the status it had then."""

    conditional: Conditional
    status: str


@dataclass(frozen=True)
class MoneyNote:
    """The wallet changed; ``change`` leaves out profit and fees, ``symbol`` may be empty."""

    reason: str
    symbol: str
    change: Decimal


Note = OrderNote | ConditionalNote | MoneyNote


def paid(kind: Income, symbol: str, amount: Decimal) -> MoneyNote:
    """One change of a wallet in the words of its event."""
    if kind is Income.TRANSFER:
        return MoneyNote("DEPOSIT" if amount > 0 else "WITHDRAW", symbol, amount)
    if kind in _REASONS:
        return MoneyNote(_REASONS[kind], symbol, amount)
    return MoneyNote("ORDER", symbol, ZERO)
