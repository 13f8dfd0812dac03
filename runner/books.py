"""What the recorded fills add up to, symbol by symbol, and where the venue holds something else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal

from runner.bench import Bench
from runner.exchange.base import Execution, VenuePosition
from runner.ledger import folded
from runner.memory import Booked
from runner.protocol import Fill, Order
from runner.reading import Reading


class Books:
    """``differs``: symbols whose books are not what the venue holds, by how much, since when."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self.differs: dict[str, tuple[Decimal, datetime]] = {}
        self.fill_count = 0

    @property
    def open_symbols(self) -> list[str]:
        return [s for s, booked in self._bench.memory.booked.items() if booked.lot.quantity]

    def of(self, symbol: str) -> Booked:
        """The books of a symbol, opened at the first use."""
        memory = self._bench.memory
        if symbol not in memory.booked:
            fills = self._bench.journal.fills_on(symbol) if memory.before_books else []
            memory.booked[symbol] = Booked(Reading(memory.fills_since), folded(fills))
        return memory.booked[symbol]

    def quantity(self, symbol: str) -> Decimal:
        return self.of(symbol).lot.quantity

    def knows(self, execution: Execution) -> bool:
        """Whether it was recorded: here, or by the machine whose memory this one took over."""
        known = execution.trade_id in self.of(execution.symbol).trades.ids
        return known or self._bench.journal.knows_fill(execution.trade_id)

    def record(self, execution: Execution, order: Order, reason: str = "") -> None:
        """Write a fill, book it and tell it: all of that or nothing."""
        self.of(execution.symbol)
        memory = self._bench.memory
        with memory.whole(execution.symbol), self._bench.journal.transaction():
            if not self._bench.journal.add_fill(_fill(execution, order, reason)):
                return
            memory.book(_fill(execution, order, reason))
        self.fill_count += 1

    def compare(self, positions: Mapping[str, VenuePosition], symbols: Iterable[str]) -> None:
        """A difference is a moment's or lasts: note since when the same one is seen."""
        before, self.differs = self.differs, {}
        now = self._bench.clock.now()
        for symbol in symbols:
            held = positions[symbol].quantity if symbol in positions else Decimal(0)
            difference = held - self.quantity(symbol)
            if difference:
                was, since = before.get(symbol, (None, now))
                self.differs[symbol] = (difference, since if was == difference else now)

    def lasting(self, symbol: str) -> bool:
        """Whether a difference was seen for longer than a venue takes to show a trade."""
        if symbol not in self.differs:
            return False
        seen_for = self._bench.clock.now() - self.differs[symbol][1]
        return seen_for >= self._bench.broker.unseen_after


def _fill(execution: Execution, order: Order, reason: str) -> Fill:
    return Fill(
        trade_id=execution.trade_id,
        client_id=order.client_id,
        symbol=execution.symbol,
        side=execution.side,
        price=execution.price,
        quantity=execution.quantity,
        fee=execution.fee,
        fee_currency=execution.fee_currency,
        liquidity=execution.liquidity,
        at=execution.at,
        reason=reason or execution.reason,
        optimistic=execution.optimistic,
        pessimistic=execution.pessimistic,
    )
