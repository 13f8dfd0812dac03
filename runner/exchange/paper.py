"""The paper broker: feeds a venue in memory from the real market; no order leaves the machine."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from runner.clock import Clock
from runner.errors import Operational, RunnerError
from runner.exchange.base import (
    DEPTH,
    TOP,
    Account,
    Execution,
    Market,
    OrderKind,
    OrderReport,
    OrderRequest,
    VenuePosition,
)
from runner.exchange.paper_state import PaperState
from runner.exchange.paper_terms import Terms, Trigger
from runner.exchange.paper_venue import PaperVenue
from runner.protocol import Check, Flow, OrderStatus, to_plain

_MARK_EVERY = timedelta(seconds=5)
_FUNDING_EVERY = timedelta(seconds=60)


class PaperBroker:
    """Everything the venue is told is as old as a request takes, as it would be for a real order.

    An order is sent to the paper venue when it is decided and arrives when the book that was asked
    for then has come: the line's own latency, measured each time.
    """

    protects = False  # a stop rests here, and works while this process does
    trims = True
    unseen_after = timedelta(0)

    def __init__(
        self,
        market: Market,
        clock: Clock,
        state: PaperState,
        save: Callable[[dict[str, Any]], None],
        terms: Terms | None = None,
    ) -> None:
        self._market = market
        self._clock = clock
        self._state = state
        self._save = save
        self._venue = PaperVenue(state, market.instrument, terms)
        self._read_at: dict[tuple[str, str], datetime] = {}

    def snapshot(self) -> dict[str, Any]:
        plain: dict[str, Any] = to_plain(self._state)
        return plain

    async def check(self, symbols: tuple[str, ...]) -> list[Check]:
        for symbol in symbols:
            self._market.instrument(symbol)
        return [Check("key", None, "paper needs no key"), Check("position mode", True, "one-way")]

    async def rights(self) -> None:
        """There is no key."""

    async def account(self) -> Account:
        for symbol in list(self._state.lots):
            self._venue.on_mark(symbol, await self._market.mark(symbol), self._clock.now())
        return Account(self._state.balance, self._venue.account.unrealised)

    async def positions(self) -> list[VenuePosition]:
        return [
            VenuePosition(symbol, lot.quantity, lot.entry_price)
            for symbol, lot in self._state.lots.items()
            if lot.entry_price is not None
        ]

    async def place(self, request: OrderRequest) -> OrderReport:
        if request.client_id not in self._state.orders:
            await self._send(request)
        report = self._state.orders[request.client_id]
        if report.status is OrderStatus.REJECTED:
            raise Operational(self._state.refusals[request.client_id])
        return report

    async def cancel(self, request: OrderRequest) -> OrderReport | None:
        report = self._venue.cancel(request.client_id, self._clock.now())
        self._save(self.snapshot())
        return report

    async def find(self, request: OrderRequest) -> OrderReport | None:
        return self._state.orders.get(request.client_id)

    async def find_by_venue_id(self, symbol: str, venue_id: str) -> OrderReport | None:
        orders = self._state.orders.values()
        return next((o for o in orders if o.symbol == symbol and o.venue_id == venue_id), None)

    async def open_orders(self, symbol: str) -> list[OrderReport]:
        return self._state.live(symbol)

    async def executions(self, symbol: str, since: datetime) -> list[Execution]:
        await self._look(symbol)
        return [e for e in self._state.executions if e.symbol == symbol and e.at >= since]

    async def flows(self, since: datetime) -> list[Flow]:
        """Funding, and what the venue's insurance took over; nobody can pay in or out."""
        return [flow for flow in self._state.flows if flow.at >= since]

    async def _send(self, request: OrderRequest) -> None:
        decided = self._clock.now()
        if request.kind is OrderKind.STOP_MARKET:
            await self._read_tape(request.symbol)  # whether it would fire at once
        book = await self._market.book(request.symbol, DEPTH)
        now = self._clock.now()
        self._venue.on_book(request.symbol, book, now)
        self._venue.place(request, decided, now - decided)
        self._save(self.snapshot())

    async def _look(self, symbol: str) -> None:
        """Let what happened since the last look meet what rests and what is held."""
        resting, held = self._state.live(symbol), symbol in self._state.lots
        if not resting and not held:
            return
        if resting:
            await self._read_tape(symbol)
        if held:
            await self._read_rates(symbol)
        depth = DEPTH if self._venue.wants_depth(symbol) else TOP
        book = await self._market.book(symbol, depth)
        self._venue.on_book(symbol, book, self._clock.now())
        self._save(self.snapshot())

    async def _read_tape(self, symbol: str) -> None:
        trades = await self._market.trades(symbol)
        self._venue.on_trades(symbol, trades, self._clock.now())

    async def _read_rates(self, symbol: str) -> None:
        """Mark and funding. What is not told now is asked for again; no fill waits for it."""
        on_mark = self._venue.terms.trigger is Trigger.MARK
        with contextlib.suppress(RunnerError):
            if on_mark or self._is_due("mark", symbol, _MARK_EVERY):
                mark = await self._market.mark(symbol)
                self._venue.on_mark(symbol, mark, self._clock.now())
        with contextlib.suppress(RunnerError):
            if self._is_due("funding", symbol, _FUNDING_EVERY):
                funding = await self._market.funding(symbol)
                self._venue.on_funding(symbol, funding, self._clock.now())

    def _is_due(self, what: str, symbol: str, every: timedelta) -> bool:
        now, read = self._clock.now(), self._read_at.get((what, symbol))
        if read is not None and now - read < every:
            return False
        self._read_at[what, symbol] = now
        return True
