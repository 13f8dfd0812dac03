"""Orders at a venue through ccxt's async class: the venue's mapping, our sorting of failures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from runner.errors import Operational
from runner.exchange.base import (
    Account,
    Execution,
    OrderKind,
    OrderReport,
    OrderRequest,
    Rights,
    VenuePosition,
)
from runner.exchange.causes import UNPROVEN
from runner.exchange.failures import Failures, Gone
from runner.exchange.lending import MarginTerms
from runner.exchange.quirks.venue import Venue
from runner.protocol import Check, Flow, OrderStatus

_AT_WORK = (OrderStatus.OPEN, OrderStatus.PARTIAL)


class CcxtBroker:
    """Trades one account with its key."""

    protects = True
    unseen_after: timedelta = Venue.unseen_after

    def __init__(self, exchange: Any, venue: Venue, quote: str) -> None:
        self._exchange = exchange
        self._venue = venue
        self._quote = quote
        self._failures = Failures(exchange, venue.codes)
        self.trims = venue.facts.trims
        self.unseen_after = max(self.unseen_after, venue.unseen_after)

    def snapshot(self) -> dict[str, Any]:
        return {}

    async def check(self, symbols: tuple[str, ...]) -> list[Check]:
        """Whether the key is accepted, and the account is in one-way mode and has money."""
        try:
            with self._failures.reading("check the key"):
                hedged = await self._venue.hedged(self._exchange, symbols[0])
        except Operational as error:
            return [Check("key", False, str(error))]
        mode = "switch the account to one-way mode" if hedged else "one-way"
        checks = [
            Check("key", True, "the venue accepts the key"),
            Check("position mode", not hedged, mode),
        ]
        with self._failures.reading("read the kind of account"):
            fault = await self._venue.fault(self._exchange)
        if fault is not None:
            checks.append(Check("account mode", False, fault))
        try:
            await self.account()
        except Operational as error:
            checks.append(Check("balance", False, str(error)))
        return checks

    async def rights(self) -> Rights:
        with self._failures.reading("read what the key may do"):
            return await self._venue.rights(self._exchange)

    async def terms(self, symbol: str) -> MarginTerms:
        with self._failures.reading(f"read the leverage of {symbol}"):
            return await self._venue.terms(self._exchange, symbol)

    async def set_leverage(self, symbol: str, leverage: int) -> None:
        with self._failures.writing(f"set the leverage of {symbol}"):
            await self._venue.set_leverage(self._exchange, symbol, leverage)

    async def account(self) -> Account:
        with self._failures.reading("read the balance"):
            return await self._venue.account(self._exchange, self._quote)

    async def positions(self) -> list[VenuePosition]:
        with self._failures.reading("read positions"):
            found = await self._venue.positions(self._exchange, self._quote)
        return [position for position in found if position.quantity]

    async def place(self, request: OrderRequest) -> OrderReport:
        if request.kind not in self._venue.proven:
            raise Operational(UNPROVEN.format(venue=self._venue.exchange, kind=request.kind))
        if request.post_only and not self._venue.facts.post_only:  # without its flag it would take
            raise Operational(UNPROVEN.format(venue=self._venue.exchange, kind="post-only"))
        with self._failures.writing(f"place {request.kind} order"):
            return await self._venue.place(self._exchange, request)

    async def cancel(self, request: OrderRequest) -> OrderReport | None:
        """``None`` when the venue says there is nothing left to cancel; read the order then."""
        with self._failures.writing(f"cancel {request.kind} order"):
            try:
                await self._venue.cancel(self._exchange, request)
            except Gone:
                return None
        return await self.find(request)

    async def find(self, request: OrderRequest) -> OrderReport | None:
        report = await self._look(request)
        if report is None or request.kind is not OrderKind.STOP_MARKET:
            return report
        if not report.fill_venue_id or report.fill_venue_id == report.venue_id:
            return report
        # The stop fired as an order of its own: what became of that is what became of the stop.
        traded = await self.find_by_venue_id(request.symbol, report.fill_venue_id)
        if traded is None:
            # Forgotten. What fired is at work no more, whatever the stop's own record says.
            return None if report.status in _AT_WORK else report
        return replace(report, status=traded.status, filled=traded.filled, average=traded.average)

    async def find_by_venue_id(self, symbol: str, venue_id: str) -> OrderReport | None:
        try:
            with self._failures.reading(f"look for the order of a trade of {symbol}"):
                return await self._venue.find_by_venue_id(self._exchange, symbol, venue_id)
        except Gone:
            return None

    async def open_orders(self, symbol: str) -> list[OrderReport]:
        with self._failures.reading(f"list open orders of {symbol}"):
            return await self._venue.open_orders(self._exchange, symbol)

    async def executions(self, symbol: str, since: datetime) -> list[Execution]:
        with self._failures.reading(f"read own trades of {symbol}"):
            found = await self._venue.executions(self._exchange, symbol, since, datetime.now(UTC))
        once = {execution.trade_id: execution for execution in found}
        return sorted(once.values(), key=lambda execution: execution.at)

    async def flows(self, since: datetime) -> list[Flow]:
        with self._failures.reading("read what came to the account and left it"):
            found = await self._venue.flows(self._exchange, self._quote, since, datetime.now(UTC))
        once = {flow.id: flow for flow in found}
        return sorted(once.values(), key=lambda flow: flow.at)

    async def _look(self, request: OrderRequest) -> OrderReport | None:
        try:
            with self._failures.reading(f"look for {request.kind} order"):
                return await self._venue.find(self._exchange, request)
        except Gone:
            return None
