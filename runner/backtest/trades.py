"""Fills of a simulated account folded into trades, from flat to flat."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from runner.exchange.base import Execution
from runner.ledger import signed
from runner.metrics import ClosedTrade
from runner.protocol import Side

ZERO = Decimal(0)


@dataclass
class Open:
    """A position from its first fill on. ``band``: its result at the other two prices, so far.

    ``decided_at``: the candle whose close decided the entry; ``expected``: the price then.
    """

    symbol: str
    side: Side
    opened_at: datetime
    decided_at: datetime
    reason: str
    quantity: Decimal = ZERO
    largest: Decimal = ZERO
    bought: Decimal = ZERO
    sold: Decimal = ZERO
    fees: Decimal = ZERO
    funding: Decimal = ZERO
    slippage: Decimal = ZERO
    optimistic: Decimal = ZERO
    pessimistic: Decimal = ZERO

    def add(self, fill: Execution, expected: Decimal) -> None:
        """One fill more; ``expected`` is the price the decision was made at."""
        buying = fill.side is Side.BUY
        notional = fill.price * fill.quantity
        if buying:
            self.bought += notional
        else:
            self.sold += notional
        worse = fill.price - expected if buying else expected - fill.price
        self.slippage += worse * fill.quantity
        sign = -1 if buying else 1
        for name in ("optimistic", "pessimistic"):
            price = getattr(fill, name)
            price = fill.price if price is None else price
            setattr(self, name, getattr(self, name) + sign * price * fill.quantity)
        self.fees += fill.fee
        self.quantity += signed(fill.side, fill.quantity)
        self.largest = max(self.largest, abs(self.quantity))


@dataclass(frozen=True)
class Trade:
    """A closed trade with what only a simulation knows.

    ``optimistic``, ``pessimistic``: its result had each fill been at that price. ``reason`` is why
    it was entered, ``exit_words`` why it was left.
    """

    closed: ClosedTrade
    decided_at: datetime
    reason: str
    exit_words: str
    optimistic: Decimal
    pessimistic: Decimal


@dataclass
class Book:
    """All trades of an account, and those that are open."""

    open: dict[str, Open] = field(default_factory=dict)
    closed: list[Trade] = field(default_factory=list)

    def begin(self, symbol: str, side: Side, at: datetime, decided_at: datetime, why: str) -> Open:
        """A position is about to be opened."""
        self.open[symbol] = Open(symbol, side, at, decided_at, why)
        return self.open[symbol]

    def end(self, symbol: str, at: datetime, exit_reason: str, words: str) -> Trade:
        """The position is flat again."""
        it = self.open.pop(symbol)
        long = it.side is Side.BUY
        trade = Trade(
            ClosedTrade(
                opened_at=it.opened_at,
                closed_at=at,
                side=it.side,
                symbol=symbol,
                quantity=it.largest,
                entry_notional=it.bought if long else it.sold,
                exit_notional=it.sold if long else it.bought,
                fees=it.fees,
                funding=it.funding,
                exit_reason=exit_reason,
                slippage=it.slippage,
            ),
            it.decided_at,
            it.reason,
            words,
            it.optimistic - it.fees + it.funding,
            it.pessimistic - it.fees + it.funding,
        )
        self.closed.append(trade)
        return trade
