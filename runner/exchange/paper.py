"""The paper broker: real book, real rules, no order ever leaves the machine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from runner.clock import Clock
from runner.errors import Operational
from runner.exchange.base import (
    DEPTH,
    TOP,
    Account,
    Book,
    Execution,
    Instrument,
    Level,
    Market,
    OrderKind,
    OrderReport,
    OrderRequest,
    VenuePosition,
)
from runner.exchange.paper_state import PaperState
from runner.ledger import Lot, apply, signed
from runner.protocol import Check, Flow, OrderStatus, Side, to_plain

LEVERAGE = 20
_KEEP_FINISHED = 10
_LIVE = (OrderStatus.OPEN, OrderStatus.PARTIAL)


class PaperBroker:
    """Fills against the venue's public book at the moment of the order.

    Takers walk the depth; what the book cannot fill of a market order is cancelled. Resting limits
    fill whole at their price once the market trades through it, never on a touch. Stops are the
    runner's: they pay the price that is there, however far beyond the stop.
    """

    protects = False
    trims = True
    unseen_after = timedelta(0)

    def __init__(
        self,
        market: Market,
        clock: Clock,
        state: PaperState,
        save: Callable[[dict[str, Any]], None],
    ) -> None:
        self._market = market
        self._clock = clock
        self._state = state
        self._save = save
        self._marks: dict[str, Decimal] = {}

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
        open_profit = Decimal(0)
        for symbol, lot in self._state.lots.items():
            open_profit += lot.unrealised((await self._book(symbol, TOP)).middle)
        return Account(self._state.balance, open_profit)

    async def positions(self) -> list[VenuePosition]:
        return [
            VenuePosition(symbol, lot.quantity, lot.entry_price)
            for symbol, lot in self._state.lots.items()
            if lot.entry_price is not None
        ]

    async def place(self, request: OrderRequest) -> OrderReport:
        if request.client_id in self._state.orders:
            return self._state.orders[request.client_id]
        instrument = self._market.instrument(request.symbol)
        book = await self._book(request.symbol)
        self._refuse(request, instrument, book)
        self._state.number += 1
        report = OrderReport(
            client_id=request.client_id,
            venue_id=f"paper-{self._state.number}",
            symbol=request.symbol,
            side=request.side,
            kind=request.kind,
            quantity=request.quantity,
            status=OrderStatus.OPEN,
            filled=Decimal(0),
            average=None,
            price=request.price,
            reduce_only=request.reduce_only,
            fill_venue_id=f"paper-{self._state.number}",
        )
        report = self._take(report, instrument, book)
        if report.kind is OrderKind.MARKET and report.status in _LIVE:
            report = replace(report, status=OrderStatus.CANCELLED)
        self._keep(report)
        self._state.seen.setdefault(request.symbol, self._clock.now())
        self._save(self.snapshot())
        return report

    async def cancel(self, request: OrderRequest) -> OrderReport | None:
        report = self._state.orders.get(request.client_id)
        if report is None or report.status not in _LIVE:
            return None
        report = replace(report, status=OrderStatus.CANCELLED)
        self._keep(report)
        self._save(self.snapshot())
        return report

    async def find(self, request: OrderRequest) -> OrderReport | None:
        return self._state.orders.get(request.client_id)

    async def find_by_venue_id(self, symbol: str, venue_id: str) -> OrderReport | None:
        orders = self._state.orders.values()
        return next((o for o in orders if o.symbol == symbol and o.venue_id == venue_id), None)

    async def open_orders(self, symbol: str) -> list[OrderReport]:
        return [o for o in self._state.orders.values() if o.symbol == symbol and o.status in _LIVE]

    async def executions(self, symbol: str, since: datetime) -> list[Execution]:
        await self._match_resting(symbol)
        return [e for e in self._state.executions if e.symbol == symbol and e.at >= since]

    async def flows(self, since: datetime) -> list[Flow]:  # noqa: ARG002 - as brokers are asked
        """None: nobody can pay in or out, and paper positions are charged no funding."""
        return []

    async def _match_resting(self, symbol: str) -> None:
        """Fill resting limits the tape or the book has traded through since the last look."""
        resting = await self.open_orders(symbol)
        if not resting:
            self._state.seen.pop(symbol, None)
            return
        since = self._state.seen.setdefault(symbol, self._clock.now())
        fresh = [t for t in await self._market.trades(symbol) if t.at > since]
        prices = [trade.price for trade in fresh]
        book = await self._book(symbol, TOP)
        lowest, highest = min([book.asks[0][0], *prices]), max([book.bids[0][0], *prices])
        instrument = self._market.instrument(symbol)
        for order in resting:
            assert order.price is not None
            through = lowest < order.price if order.side is Side.BUY else highest > order.price
            if through:
                rest = order.quantity - order.filled
                self._keep(self._fill(order, instrument, [(order.price, rest)], "maker"))
        self._state.seen[symbol] = max([since, *(trade.at for trade in fresh)])
        self._save(self.snapshot())

    async def _book(self, symbol: str, depth: int = DEPTH) -> Book:
        book = await self._market.book(symbol, depth)
        self._marks[symbol] = book.middle
        return book

    def _refuse(self, request: OrderRequest, instrument: Instrument, book: Book) -> None:
        """The venue's own rules; raises ``Operational`` as the venue would refuse."""
        if request.kind is OrderKind.STOP_MARKET:
            raise Operational("paper stops are watched by the runner, not placed")
        price = request.price or book.middle
        fault = instrument.fault(request.quantity, price, reduce_only=request.reduce_only)
        if fault is not None:
            raise Operational(fault)
        held = self._state.lots.get(request.symbol, Lot()).quantity
        change = signed(request.side, request.quantity)
        if request.reduce_only and (held * change >= 0 or abs(change) > abs(held)):
            raise Operational("reduce-only order is rejected: it would open or turn a position")
        if not request.reduce_only and abs(held + change) * price > self._equity() * LEVERAGE:
            raise Operational("margin is insufficient")

    def _equity(self) -> Decimal:
        return self._state.balance + sum(
            (
                lot.unrealised(self._marks[s])
                for s, lot in self._state.lots.items()
                if s in self._marks
            ),
            Decimal(0),
        )

    def _take(self, order: OrderReport, instrument: Instrument, book: Book) -> OrderReport:
        """Walk the opposite side of the book, up to the limit price where there is one."""
        buying = order.side is Side.BUY
        rest, taken = order.quantity, list[Level]()
        for price, quantity in book.asks if buying else book.bids:
            beyond = order.price is not None and (
                price > order.price if buying else price < order.price
            )
            if rest <= 0 or beyond:
                break
            taken.append((price, min(rest, quantity)))
            rest -= taken[-1][1]
        return self._fill(order, instrument, taken, "taker") if taken else order

    def _fill(
        self, order: OrderReport, instrument: Instrument, levels: list[Level], liquidity: str
    ) -> OrderReport:
        rate = instrument.taker_fee if liquidity == "taker" else instrument.maker_fee
        paid = (order.average or Decimal(0)) * order.filled
        for price, quantity in levels:
            fee = price * quantity * rate
            change = signed(order.side, quantity)
            lot, realised = apply(self._state.lots.get(order.symbol, Lot()), change, price)
            self._state.balance += realised - fee
            self._state.lots[order.symbol] = lot
            if not lot.quantity:
                del self._state.lots[order.symbol]
            self._state.number += 1
            self._state.executions.append(
                Execution(
                    trade_id=f"paper:{self._clock.now():%Y%m%d%H%M%S}:{self._state.number}",
                    venue_id=order.venue_id,
                    symbol=order.symbol,
                    side=order.side,
                    price=price,
                    quantity=quantity,
                    fee=fee,
                    fee_currency=instrument.quote,
                    liquidity=liquidity,
                    at=self._clock.now(),
                    reason=_WHY[liquidity],
                )
            )
            paid += price * quantity
        filled = order.filled + sum((q for _, q in levels), Decimal(0))
        status = OrderStatus.FILLED if filled == order.quantity else OrderStatus.PARTIAL
        return replace(order, filled=filled, average=paid / filled, status=status)

    def _keep(self, report: OrderReport) -> None:
        """Remember the order; let go of all but the last finished ones and their fills.

        The state travels in every checkpoint, and the runner reads fills right after the order.
        """
        self._state.orders[report.client_id] = report
        finished = [i for i, o in self._state.orders.items() if o.status not in _LIVE]
        for old in finished[:-_KEEP_FINISHED]:
            del self._state.orders[old]
        known = {order.venue_id for order in self._state.orders.values()}
        self._state.executions = [e for e in self._state.executions if e.venue_id in known]


_WHY = {
    "taker": "walked the venue's book at the moment of the order",
    "maker": "the market traded through the limit price",
}
