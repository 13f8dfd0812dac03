"""What the runner asks of a venue, whichever it is; prices in quote, quantities in base units."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import ROUND_DOWN, Decimal
from enum import StrEnum
from typing import Any, Protocol

from runner.protocol import Candle, Check, Flow, Order, OrderStatus, Side

DEPTH = 100
"""Levels of the book read where an order walks it."""
TOP = 5
"""Levels read where the best price is enough: the fewest a venue sends, and cheap for both."""


class OrderKind(StrEnum):
    """Order kinds the runner sends; each is proven on the wire for each venue."""

    MARKET = "market"
    LIMIT = "limit"
    STOP_MARKET = "stop_market"


@dataclass(frozen=True)
class Instrument:
    """The venue's rules for one symbol; fees as a share of notional."""

    symbol: str
    quote: str
    tick: Decimal
    step: Decimal
    min_quantity: Decimal
    min_notional: Decimal
    taker_fee: Decimal
    maker_fee: Decimal

    def round_quantity(self, quantity: Decimal) -> Decimal:
        """Down to the lot size, never up: rounding must not add risk."""
        return (quantity / self.step).to_integral_value(ROUND_DOWN) * self.step

    def round_price(self, price: Decimal, rounding: str) -> Decimal:
        return (price / self.tick).to_integral_value(rounding) * self.tick

    def fault(self, quantity: Decimal, price: Decimal, *, reduce_only: bool) -> str | None:
        """Why the venue would refuse this size, or ``None``. Reducing has no minimum notional."""
        if quantity <= 0 or quantity < self.min_quantity:
            return f"quantity {quantity:f} is below the venue's minimum {self.min_quantity:f}"
        if not reduce_only and quantity * price < self.min_notional:
            return (
                f"order value {quantity * price:.2f} is below the venue's minimum "
                f"{self.min_notional:f} {self.quote}"
            )
        return None


Level = tuple[Decimal, Decimal]


@dataclass(frozen=True)
class Book:
    """Order book at one moment, best level first: (price, quantity)."""

    bids: tuple[Level, ...]
    asks: tuple[Level, ...]

    def closing_price(self, quantity: Decimal) -> Decimal:
        """The best price at which a position of this sign could be left."""
        return self.bids[0][0] if quantity > 0 else self.asks[0][0]

    def worst_price(self, side: Side, quantity: Decimal) -> Decimal | None:
        """The last level a market order would reach, or ``None`` where the book ends before."""
        left = quantity
        for price, there in self.asks if side is Side.BUY else self.bids:
            left -= there
            if left <= 0:
                return price
        return None

    @property
    def middle(self) -> Decimal:
        return (self.bids[0][0] + self.asks[0][0]) / 2


@dataclass(frozen=True)
class PublicTrade:
    """One print of the tape; ``side`` is the taker's, ``None`` where the venue does not tell."""

    at: datetime
    price: Decimal
    quantity: Decimal
    side: Side | None = None


@dataclass(frozen=True)
class Funding:
    """What longs pay shorts at ``next_at`` as a share of the position's value at the mark.

    A negative rate is paid by shorts. Then again every ``hours``.
    """

    rate: Decimal
    next_at: datetime
    hours: int = 8


@dataclass(frozen=True)
class OrderRequest:
    """An order as decided; ``price`` is the limit or, for a stop, the trigger.

    ``post_only``: a limit that would take at once is refused instead.
    """

    client_id: str
    symbol: str
    side: Side
    kind: OrderKind
    quantity: Decimal
    price: Decimal | None = None
    reduce_only: bool = False
    post_only: bool = False


def request_of(order: Order) -> OrderRequest:
    """The order as the venue is asked for it."""
    return OrderRequest(
        client_id=order.client_id,
        symbol=order.symbol,
        side=order.side,
        kind=OrderKind(order.kind),
        quantity=order.quantity,
        price=order.price,
        reduce_only=order.reduce_only,
    )


@dataclass(frozen=True)
class OrderReport:
    """What the venue says about one order.

    ``fill_venue_id`` is the id its trades carry, empty while it cannot have any.
    """

    client_id: str
    venue_id: str
    symbol: str
    side: Side
    kind: OrderKind
    quantity: Decimal
    status: OrderStatus
    filled: Decimal
    average: Decimal | None
    price: Decimal | None
    reduce_only: bool
    fill_venue_id: str


def found_order(report: OrderReport, now: datetime) -> Order:
    """A record for an order that carries our mark and has none."""
    return Order(
        client_id=report.client_id,
        symbol=report.symbol,
        side=report.side,
        kind=report.kind.value,
        quantity=report.quantity,
        status=report.status,
        purpose="adopted",
        decided_at=now,
        price=report.price,
        reduce_only=report.reduce_only,
        venue_id=report.venue_id,
        filled=report.filled,
        average=report.average,
        reason="found at the venue with this bot's mark and no record here",
    )


@dataclass(frozen=True)
class Execution:
    """One fill as the venue reports it; ``venue_id`` is the order it belongs to.

    ``optimistic``, ``pessimistic``: the same fill at the touch and as bad as it may well have been.
    Only a simulated venue knows them, as only there the price is a guess.
    """

    trade_id: str
    venue_id: str
    symbol: str
    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    fee_currency: str
    liquidity: str
    at: datetime
    reason: str = ""
    optimistic: Decimal | None = None
    pessimistic: Decimal | None = None


@dataclass(frozen=True)
class VenuePosition:
    """Signed quantity; short is negative."""

    symbol: str
    quantity: Decimal
    entry_price: Decimal


@dataclass(frozen=True)
class Account:
    """Wallet balance without open profit, and the open profit beside it."""

    balance: Decimal
    unrealised: Decimal


@dataclass(frozen=True)
class Rights:
    """What a key may do, as the venue tells; ``None`` is what it does not tell.

    ``bound_addresses``: the only ones it works from, empty where it works from everywhere.
    ``account``: the venue's own number of the account, the same for each of its keys.
    """

    trade: bool | None = None
    withdraw: bool | None = None
    bound_addresses: tuple[str, ...] | None = None
    expires_at: datetime | None = None
    account: str | None = None


class Market(Protocol):
    """Public data. Raises ``Temporary`` or ``Operational``."""

    async def open(self, wanted: Collection[str] = ()) -> None: ...
    async def close(self) -> None: ...
    def instrument(self, symbol: str) -> Instrument: ...
    async def time(self) -> datetime: ...
    async def address(self) -> str | None:
        """The source address the venue sees, where it tells."""

    async def candles(self, symbol: str, timeframe: str, limit: int) -> list[Candle]:
        """Oldest first; the last one may still be open."""

    async def book(self, symbol: str, depth: int = DEPTH) -> Book: ...
    async def trades(self, symbol: str) -> list[PublicTrade]: ...
    async def mark(self, symbol: str) -> Decimal:
        """The venue's mark price, which a thin book does not move."""

    async def funding(self, symbol: str) -> Funding:
        """What is paid next, and when."""

    async def open_interest(self, symbol: str) -> Decimal:
        """Contracts that stand open, in base units; each has a long and a short side."""


class Broker(Protocol):
    """Orders and positions. ``place`` and ``cancel`` may also raise ``UnknownOutcome``."""

    protects: bool
    """Whether stops rest at the venue, so that they work while the runner does not."""
    trims: bool
    """Whether a stop that fires for more than is held closes what is there; else it is refused."""
    unseen_after: timedelta
    """Age from which an order the venue does not know can be said never to have arrived."""

    async def check(self, symbols: tuple[str, ...]) -> list[Check]: ...
    async def rights(self) -> Rights | None:
        """What the key may do; ``None`` where there is no key."""

    async def account(self) -> Account: ...
    async def positions(self) -> list[VenuePosition]: ...
    async def place(self, request: OrderRequest) -> OrderReport: ...
    async def cancel(self, request: OrderRequest) -> OrderReport | None: ...
    async def find(self, request: OrderRequest) -> OrderReport | None:
        """The order with this client id, or ``None`` if the venue has never seen it."""

    async def find_by_venue_id(self, symbol: str, venue_id: str) -> OrderReport | None:
        """The order a trade belongs to."""

    async def open_orders(self, symbol: str) -> list[OrderReport]: ...
    async def executions(self, symbol: str, since: datetime) -> list[Execution]:
        """All since then, however many and however long ago."""

    async def flows(self, since: datetime) -> list[Flow]:
        """Transfers, funding and whatever else changed the wallet, but no trade or its fee."""

    def snapshot(self) -> dict[str, Any]:
        """What the next machine needs to go on; empty where the venue keeps it."""
