"""Orders, conditional orders, fills and income entries as the venue keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

ZERO = Decimal(0)


class Side(StrEnum):
    BUY = "BUY"
    SELL = "SELL"

    @property
    def sign(self) -> int:
        return 1 if self is Side.BUY else -1


class Status(StrEnum):
    """Life of an order in the matching engine."""

    NEW = "NEW"
    PARTIALLY_FILLED = "PARTIALLY_FILLED"
    FILLED = "FILLED"
    CANCELED = "CANCELED"
    EXPIRED = "EXPIRED"


class AlgoStatus(StrEnum):
    """Life of a conditional order until it becomes, or fails to become, an order."""

    NEW = "NEW"
    CANCELED = "CANCELED"
    FINISHED = "FINISHED"
    REJECTED = "REJECTED"
    EXPIRED = "EXPIRED"


class Income(StrEnum):
    """Why a wallet changed; a wallet is the sum of its incomes."""

    TRANSFER = "TRANSFER"
    REALIZED_PNL = "REALIZED_PNL"
    COMMISSION = "COMMISSION"
    FUNDING_FEE = "FUNDING_FEE"
    INSURANCE_CLEAR = "INSURANCE_CLEAR"


@dataclass
class Order:
    """One order; ``queue`` is the quantity displayed ahead of it at its price."""

    id: int
    account: str
    symbol: str
    client_id: str
    side: Side
    type: str
    tif: str
    qty: Decimal
    price: Decimal
    reduce_only: bool
    created: int
    updated: int
    status: Status = Status.NEW
    executed: Decimal = ZERO
    quote: Decimal = ZERO
    queue: Decimal = ZERO
    orig_type: str = ""
    close_position: bool = False

    @property
    def remaining(self) -> Decimal:
        return self.qty - self.executed

    @property
    def live(self) -> bool:
        return self.status in (Status.NEW, Status.PARTIALLY_FILLED)

    @property
    def is_liquidation(self) -> bool:
        return self.client_id.startswith("autoclose-")

    @property
    def average(self) -> Decimal:
        return self.quote / self.executed if self.executed else ZERO


@dataclass
class Conditional:
    """An order waiting for ``trigger``; ``working`` says which price is watched."""

    id: int
    account: str
    symbol: str
    client_id: str
    side: Side
    type: str
    tif: str
    qty: Decimal
    price: Decimal
    trigger: Decimal
    working: str
    reduce_only: bool
    close_position: bool
    created: int
    updated: int
    status: AlgoStatus = AlgoStatus.NEW
    triggered: int = 0
    order_id: int = 0

    @property
    def live(self) -> bool:
        return self.status is AlgoStatus.NEW

    @property
    def rises(self) -> bool:
        """Whether it triggers at or above its price, rather than at or below."""
        return self.type.startswith("STOP") == (self.side is Side.BUY)

    def hit(self, price: Decimal) -> bool:
        return price >= self.trigger if self.rises else price <= self.trigger


@dataclass(frozen=True)
class Fill:
    """One execution; ``realized`` and ``fee`` in quote currency."""

    id: int
    account: str
    symbol: str
    order_id: int
    side: Side
    price: Decimal
    qty: Decimal
    realized: Decimal
    fee: Decimal
    maker: bool
    time: int


@dataclass(frozen=True)
class IncomeEntry:
    """One change of a wallet, in quote currency."""

    id: int
    account: str
    symbol: str
    kind: Income
    amount: Decimal
    trade_id: str  # the fill behind it, or empty
    time: int
