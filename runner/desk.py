"""From intent to settled order: the journal first, then the venue, then what the venue says."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

from runner.bench import Bench
from runner.books import Books
from runner.endings import conclude
from runner.errors import Operational, Temporary, UnknownOutcome
from runner.exchange.base import (
    Execution,
    OrderKind,
    OrderReport,
    VenuePosition,
    found_order,
    request_of,
)
from runner.journal import client_order_id, prefix_of
from runner.protocol import Checkpoint, EventKind, Order, OrderStatus, Side

_UNSURE = (OrderStatus.PLANNED, OrderStatus.SENT, OrderStatus.UNKNOWN)


@dataclass(frozen=True)
class Intent:
    """What was decided. ``decision`` and ``leg`` name it: the same names, the same order."""

    decision: str
    leg: str
    symbol: str
    side: Side
    kind: OrderKind
    quantity: Decimal
    purpose: str
    reason: str
    price: Decimal | None = None
    reduce_only: bool = False


class Desk:
    """Owns orders, fills and the view of positions of one account.

    ``elsewhere``: positions on symbols this bot has no business with, as far as it knows;
    ``searched``: whether it was looked whether one of them is its own after all.
    ``behind``: an order was sent since the positions were read, so they may be others now.
    ``blind``: the last look at the venue did not come to its end.
    ``passing``: the last refusal of the venue was none for good.
    """

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._broker = bench.broker
        self._journal = bench.journal
        self._clock = bench.clock
        self.positions: dict[str, VenuePosition] | None = None
        self.elsewhere: dict[str, VenuePosition] = {}
        self.searched = False
        self.behind = self.blind = self.passing = False
        self.books = Books(bench)
        self.foreign_trades: list[Execution] = []

    @property
    def symbols(self) -> tuple[str, ...]:
        """What is traded, then whatever else this bot holds or has orders on."""
        orders = (order.symbol for order in self.live())
        held = [*self._bench.memory.entries, *self.books.open_symbols, *orders]
        return tuple(dict.fromkeys((*self._bench.configuration.symbols, *held)))

    def order_id(self, decision: str, leg: str) -> str:
        return client_order_id(
            self._bench.bot, self._bench.configuration.run, decision, leg, self._bench.generation
        )

    def is_ours(self, client_id: str) -> bool:
        return client_id.startswith(prefix_of(self._bench.bot))

    def order(self, client_id: str) -> Order | None:
        return self._journal.order(client_id)

    def live(self, symbol: str | None = None) -> list[Order]:
        return [o for o in self._journal.live_orders() if symbol in (None, o.symbol)]

    def unsure(self, symbol: str | None = None) -> list[Order]:
        """Orders of which nobody knows yet whether they exist."""
        return [o for o in self.live(symbol) if o.status in _UNSURE]

    def in_doubt(self, symbol: str | None = None) -> bool:
        """Whether nobody knows what is held: nothing may be concluded from ``positions``."""
        if symbol is None and not self.searched:
            return True
        return self.positions is None or self.behind or bool(self.unsure(symbol))

    def holds_nothing(self) -> bool:
        """No position, and no order that is ours: the only state that may be called flat.

        A trade that could not be read may be that of a position the venue lists late.
        """
        return not (self.in_doubt() or self.blind or self.holds_something())

    def holds_something(self) -> bool:
        left = self.books.differs or self._bench.standing.unlisted
        return bool(self.positions or self.live() or left)

    def shows_nothing(self, symbol: str) -> bool:
        """Whether all was read that could speak of a position on it, and nothing did."""
        return not (self.in_doubt(symbol) or self.blind or self.quantity(symbol))

    def take_position(self, symbol: str) -> None:
        """Look after a position that was found elsewhere on the account."""
        assert self.positions is not None
        self.positions[symbol] = self.elsewhere.pop(symbol)

    def quantity(self, symbol: str) -> Decimal:
        position = (self.positions or {}).get(symbol)
        return position.quantity if position is not None else Decimal(0)

    def difference(self, symbol: str) -> Decimal:
        """What the venue holds beyond what the recorded fills add up to."""
        return self.quantity(symbol) - self.books.quantity(symbol)

    async def submit(self, intent: Intent) -> Order:
        """Journal, then send. Never raises for what the venue did: the order's status tells.

        What the limits refuse is neither journalled nor sent.
        """
        order = self._planned(intent)
        refusal = self._bench.guard.refusal(intent, self)
        if refusal is not None:
            refused = replace(order, status=OrderStatus.REJECTED, reason=refusal)
            return self._journal.order(order.client_id) or refused
        if not self._journal.plan(order, order.decided_at):
            return self._journal.order(order.client_id) or order
        order = self._journal.update(order, self._clock.now(), status=OrderStatus.SENT)
        # Reading them afterwards may fail; until it does not, what was read before is history.
        self.behind = self.behind or intent.kind is not OrderKind.STOP_MARKET
        try:
            report = await self._broker.place(request_of(order))
        except UnknownOutcome as error:
            return self.mark(order, OrderStatus.UNKNOWN, str(error))
        except (Temporary, Operational) as error:
            self.passing = isinstance(error, Temporary)
            return self.mark(order, OrderStatus.REJECTED, str(error))
        return self.apply(order, report)

    async def cancel(self, order: Order) -> Order:
        """Cancel at the venue; whatever happens, the next ``settle`` reads the truth."""
        try:
            report = await self._broker.cancel(request_of(order))
        except (UnknownOutcome, Temporary, Operational):
            return order
        return order if report is None else self.apply(order, report)

    async def cancel_entries(self) -> None:
        """Take back all resting orders that could open or enlarge a position."""
        for order in self.live():
            if not order.reduce_only:
                await self.cancel(order)

    async def settle(self) -> None:
        """Read every live order, then new fills, then positions. Raises ``Temporary``."""
        self.blind = True
        symbols = self.symbols  # before an order settles and its symbol is forgotten
        missing = await self._read_orders()
        trouble: Temporary | Operational | None = None
        for symbol in symbols:
            try:
                await self.collect(symbol)
            except Temporary as error:
                trouble = trouble or error
            except Operational as error:
                trouble = trouble or self._unless_left_behind(symbol, error)
        if trouble is None:
            for order in missing:
                await conclude(self._bench, self, order)
        # What is held must be known, and be looked after, whatever else the venue keeps back.
        found = await self._broker.positions()
        self.behind, self.blind = False, trouble is not None
        self.positions = {p.symbol: p for p in found if p.symbol in symbols}
        self.elsewhere = {p.symbol: p for p in found if p.symbol not in symbols}
        self.books.compare(self.positions, symbols)
        if trouble is not None:
            raise trouble

    async def _read_orders(self) -> list[Order]:
        """Those of which the venue knows nothing."""
        missing = []
        for order in self.live():
            # What was planned and not sent, no venue needs to be asked for.
            planned = order.status is OrderStatus.PLANNED
            try:
                report = None if planned else await self._broker.find(request_of(order))
            except Operational as error:
                if self._unless_left_behind(order.symbol, error):
                    raise
                continue
            if report is not None:
                self.apply(order, report)
            else:
                missing.append(order)
        return missing

    def _unless_left_behind(self, symbol: str, error: Operational) -> Operational | None:
        """A symbol that was delisted must not hide the others; ``reconcile`` names it."""
        return error if symbol in self._bench.configuration.symbols else None

    async def collect(self, symbol: str) -> None:
        """Record the venue's executions that are not in the journal yet."""
        trades, asked = self.books.of(symbol).trades, self._clock.now()
        found = await self._broker.executions(symbol, trades.since)
        for execution in sorted(found, key=lambda e: e.at):
            if self.books.knows(execution):
                trades.note(execution.trade_id, execution.at)
                continue
            order = await self.order_of(execution)
            if order is None:
                self._mark_foreign(execution)
            else:
                self.claim(execution, order)
        trades.finish(asked)

    @property
    def fill_count(self) -> int:
        """Fills recorded by this process so far."""
        return self.books.fill_count

    def apply(self, order: Order, report: OrderReport) -> Order:
        """Record what the venue says of an order.

        The paper account exists nowhere else, so the checkpoint that holds an execution is told
        with the order: a machine that goes on from what was told finds the fill in it.
        """
        now = self._clock.now()
        with self._journal.transaction():
            if report.filled != order.filled and not self._broker.protects:
                told = Checkpoint(self._bench.memory.plain())
                self._bench.outbox.append(EventKind.CHECKPOINT, told, now)
            return self._journal.update(
                order,
                now,
                fill_venue_id=report.fill_venue_id,
                status=report.status,
                venue_id=report.venue_id,
                filled=report.filled,
                average=report.average,
            )

    def adopt(self, report: OrderReport, now: datetime) -> Order:
        """Take over an order that carries our prefix but is not in this journal."""
        order = found_order(report, now)
        self._journal.plan(order, now)
        return self.apply(order, report)

    async def order_of(self, execution: Execution) -> Order | None:
        """The order of this bot that an execution belongs to."""
        order = self._journal.order_of_venue_id(execution.venue_id)
        if order is not None:
            return order
        if any(execution.trade_id == seen.trade_id for seen in self.foreign_trades):
            return None
        report = await self._broker.find_by_venue_id(execution.symbol, execution.venue_id)
        if report is None or not self.is_ours(report.client_id):
            return None
        known = self._journal.order(report.client_id)
        if known is None:
            return self.adopt(report, self._clock.now())
        return self.apply(known, report)

    def claim(self, execution: Execution, order: Order) -> None:
        """Record a trade that was taken for somebody else's until it was proven to be ours."""
        self.books.record(execution, order)
        kept = [t for t in self.foreign_trades if t.trade_id != execution.trade_id]
        self.foreign_trades = kept

    def mark(self, order: Order, status: OrderStatus, reason: str, **changes: Any) -> Order:
        return self._journal.update(
            order, self._clock.now(), status=status, reason=reason, **changes
        )

    def _planned(self, intent: Intent) -> Order:
        return Order(
            client_id=self.order_id(intent.decision, intent.leg),
            symbol=intent.symbol,
            side=intent.side,
            kind=intent.kind.value,
            quantity=intent.quantity,
            status=OrderStatus.PLANNED,
            purpose=intent.purpose,
            decided_at=self._clock.now(),
            price=intent.price,
            reduce_only=intent.reduce_only,
            reason=intent.reason,
        )

    def _mark_foreign(self, execution: Execution) -> None:
        if all(execution.trade_id != seen.trade_id for seen in self.foreign_trades):
            self.foreign_trades.append(execution)
