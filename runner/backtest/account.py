"""The account of a backtest: the paper venue, and what it did folded into trades."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from itertools import takewhile
from typing import NamedTuple

from runner.backtest.limiting import Watch
from runner.backtest.request import Request
from runner.backtest.trades import Book as Trades
from runner.desk import Intent
from runner.exchange.base import Book, Execution, Instrument, OrderKind, OrderRequest
from runner.exchange.paper_state import LIVE, PaperState
from runner.exchange.paper_terms import Fees, Terms
from runner.exchange.paper_venue import PaperVenue
from runner.ledger import FLAT
from runner.protocol import OrderStatus, Side

ZERO = Decimal(0)


class Purpose(NamedTuple):
    """Why an order is sent, and the price at which it was decided."""

    name: str
    words: str
    expected: Decimal
    decided_at: datetime


class Mark(NamedTuple):
    """The account right after a fill: what is needed to know its equity at any price later on."""

    at: datetime
    symbol: str
    balance: Decimal
    quantity: Decimal
    cost: Decimal


class Account:
    """One simulated account. Whoever drives it feeds pictures of the market in their order."""

    def __init__(self, request: Request, instruments: dict[str, Instrument]) -> None:
        model = request.model
        self.instruments = instruments
        self.state = PaperState(request.balance)
        sample = next(iter(instruments.values()))
        fees = Fees(
            sample.taker_fee if model.taker_fee is None else model.taker_fee,
            sample.maker_fee if model.maker_fee is None else model.maker_fee,
        )
        terms = Terms(fees=None if model.taker_fee is model.maker_fee is None else fees)
        self.venue = PaperVenue(self.state, self._instrument, terms)
        self.watch = Watch(request, self.venue)
        self.doubt = ZERO
        """Half the width of a made-up book: by so much each price is a guess."""
        self.trades = Trades()
        self.fills: list[Execution] = []
        self.marks: list[Mark] = []
        self.refusals: list[tuple[datetime, str, str]] = []
        self.orders = 0
        self._purposes: dict[str, Purpose] = {}
        self._sent: set[str] = set()
        self.funding = ZERO
        self._paid = ""
        self._seen = 0

    def _instrument(self, symbol: str) -> Instrument:
        return self.instruments[symbol]

    @property
    def equity(self) -> Decimal:
        return self.venue.account.equity

    def held(self, symbol: str) -> Decimal:
        """Signed quantity."""
        return self.venue.account.held(symbol)

    def entry_price(self, symbol: str) -> Decimal | None:
        """What the open position cost on average."""
        lot = self.state.lots.get(symbol)
        return None if lot is None else lot.entry_price

    # -- orders ---------------------------------------------------------------------------------

    def send(self, intent: Intent, now: datetime, purpose: Purpose) -> str:
        """Place an order; it meets the next picture. Returns its id."""
        self.orders += 1
        name = f"{intent.leg}-{self.orders}"
        request = OrderRequest(
            name,
            intent.symbol,
            intent.side,
            intent.kind,
            intent.quantity,
            intent.price,
            reduce_only=intent.reduce_only,
        )
        self.watch.sent(now)
        self._sent.add(name)
        self._purposes[self.venue.place(request, now).venue_id] = purpose
        return name

    def leave(self, symbol: str, share: Decimal, now: datetime, purpose: Purpose) -> str | None:
        """Send a market order for a share of what is held; ``None`` where nothing is left of it."""
        held = self.held(symbol)
        quantity = abs(held)
        if share < 1:
            instrument = self.instruments[symbol]
            part = instrument.round_quantity(quantity * share)
            quantity = part if part >= instrument.min_quantity else ZERO
        if not quantity:
            return None
        side = Side.SELL if held > 0 else Side.BUY
        intent = Intent(
            decision="",
            leg="exit",
            symbol=symbol,
            side=side,
            kind=OrderKind.MARKET,
            quantity=quantity,
            purpose=purpose.name,
            reason=purpose.words,
            reduce_only=True,
        )
        return self.send(intent, now, purpose)

    def is_live(self, name: str) -> bool:
        """Whether an order may still be filled."""
        order = self.state.orders.get(name)
        return order is not None and order.status in LIVE

    # -- what the market does -------------------------------------------------------------------

    def on_book(self, symbol: str, book: Book, now: datetime, *, fresh: bool = False) -> None:
        """Feed a picture; what it filled is booked.

        ``fresh``: nobody has taken anything of this book before, whatever it shows.
        """
        if fresh:
            self.state.taken.pop(symbol, None)
        self.venue.on_book(symbol, book, now)
        self.collect(now)

    def on_mark(self, symbol: str, price: Decimal, now: datetime) -> None:
        """Feed what a position is worth by; funding that fell due until now is paid by it."""
        self.venue.on_mark(symbol, price, now)
        self._book_funding()

    def pay_funding(self, symbol: str, price: Decimal, rate: Decimal, due: datetime) -> None:
        """What falls due on a position, which is worth this price then."""
        self.venue.state.marks[symbol] = price
        self.venue.account.pay_funding(symbol, rate, due)
        self._book_funding()

    def collect(self, now: datetime) -> None:
        """Book what the venue did since the last look."""
        self._book_funding()
        fresh = list(takewhile(lambda e: _number(e) > self._seen, reversed(self.state.executions)))
        for fill in reversed(fresh):
            self._seen = _number(fill)
            self._book(fill)
        for name in list(self._sent):
            order = self.state.orders.get(name)
            if order is not None and order.status in LIVE:
                continue
            self._sent.discard(name)
            if order is not None and order.status is OrderStatus.REJECTED:
                self.watch.refused()
                why = self.state.refusals.get(name, "refused")
                self.refusals.append((now, order.symbol, why))

    def _book(self, fill: Execution) -> None:
        purpose = self._purposes.get(fill.venue_id)
        if purpose is None:
            purpose = Purpose("liquidation", fill.reason, fill.price, fill.at)
        if self.doubt:
            fill = self._doubted(fill)
        self.watch.filled()
        self.fills.append(fill)
        trade = self.trades.open.get(fill.symbol)
        if trade is None:
            trade = self.trades.begin(
                fill.symbol, fill.side, fill.at, purpose.decided_at, purpose.words
            )
        trade.add(fill, purpose.expected)
        lot = self.state.lots.get(fill.symbol, FLAT)
        self.marks.append(Mark(fill.at, fill.symbol, self.state.balance, lot.quantity, lot.cost))
        if not trade.quantity:
            closed = self.trades.end(fill.symbol, fill.at, purpose.name, purpose.words)
            if closed.closed.net < 0:
                self.watch.lost(fill.at)

    def _doubted(self, fill: Execution) -> Execution:
        """With the price there was without any spread, and with one twice as wide."""
        worse = self.doubt if fill.side is Side.BUY else -self.doubt
        middle = fill.price / (1 + worse)
        return replace(fill, optimistic=middle, pessimistic=middle * (1 + 2 * worse))

    def _book_funding(self) -> None:
        """Funding belongs to the position it was paid for."""
        fresh = takewhile(lambda flow: flow.id != self._paid, reversed(self.state.flows))
        for flow in reversed(list(fresh)):
            self._paid = flow.id
            self.funding += flow.amount
            trade = self.trades.open.get(flow.symbol or "")
            if trade is not None:
                trade.funding += flow.amount
                lot = self.state.lots[trade.symbol]
                self.marks.append(
                    Mark(flow.at, trade.symbol, self.state.balance, lot.quantity, lot.cost)
                )

    def liquidation_price(self, symbol: str) -> Decimal | None:
        """Where this position alone would use the margin up; ``None`` where no price does."""
        lot = self.state.lots[symbol]
        rest = self.equity - lot.unrealised(self.state.marks.get(symbol, lot.cost / lot.quantity))
        needed = lot.quantity - abs(lot.quantity) * self.venue.terms.maintenance
        price = (lot.cost - rest) / needed
        return price if price > 0 else None


def _number(execution: Execution) -> int:
    """Executions are numbered by the venue in the order they happened."""
    return int(execution.trade_id.rpartition(":")[2])
