"""The account of a backtest: the paper venue, what it did, and the limits that stand above it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import inf
from typing import NamedTuple

from runner.backtest.request import Request
from runner.backtest.trades import Book as Trades
from runner.backtest.trades import Trade
from runner.capital import Capital
from runner.desk import Intent
from runner.entries import Standing
from runner.exchange.base import Book, Execution, Instrument, OrderKind, OrderRequest
from runner.exchange.paper_state import PaperState
from runner.exchange.paper_terms import Fees, Terms
from runner.exchange.paper_venue import PaperVenue
from runner.guard import UNTIL_MIDNIGHT
from runner.protocol import Breach, Limits, OnBreach, OrderStatus, Side, Window
from runner.risk import Exposure, Stake, judge, judge_account

ZERO = Decimal(0)
_RUN = "backtest"
_ALWAYS = Window(datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


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


@dataclass(frozen=True)
class Halted:
    """A limit that was passed, and when."""

    at: datetime
    breach: Breach


class Account:
    """One simulated account. Whoever drives it feeds pictures of the market in their order."""

    def __init__(self, request: Request, instruments: dict[str, Instrument]) -> None:
        model = request.model
        self.instruments = instruments
        self.limits = request.limits
        self.state = PaperState(request.balance)
        sample = next(iter(instruments.values()))
        fees = Fees(
            sample.taker_fee if model.taker_fee is None else model.taker_fee,
            sample.maker_fee if model.maker_fee is None else model.maker_fee,
        )
        terms = Terms(fees=None if model.taker_fee is model.maker_fee is None else fees)
        self.venue = PaperVenue(self.state, self._instrument, terms)
        self.standing = Standing(
            windows=(_ALWAYS,) if request.windows is None else request.windows,
            lease_deadline=inf,
            grace_seconds=0.0,
            preflight_passed=True,
            end_policy=request.end_policy,
            quiet_minutes=request.quiet_minutes,
        )
        self.trades = Trades()
        self.fills: list[Execution] = []
        self.marks: list[Mark] = []
        self.halted: list[Halted] = []
        self.refusals: list[tuple[datetime, str, str]] = []
        self.orders = 0
        self._purposes: dict[str, Purpose] = {}
        self._names: dict[str, str] = {}
        self._sent: list[datetime] = []
        self._capital = Capital()
        self._standing_breaches: list[Halted] = []
        self._lost_at: datetime | None = None
        self._refused_in_a_row = 0
        self.funding = ZERO
        self._paid: set[str] = set()
        self._seen = 0
        self._unlimited = request.limits == Limits(on_breach=request.limits.on_breach)

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

    def objection(self, intent: Intent, now: datetime, worst: Decimal | None) -> str | None:
        """Why an entry must not be sent, as the runner's guard would say it."""
        self._end_the_day(now)
        if self.standing.breach is not None:
            return self.standing.breach
        if self._unlimited:
            return None
        breach = judge(intent, self.limits, self._exposure(now, intent.symbol, worst))
        return None if breach is None else f"limit: {breach.text}"

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
        self._purposes[name] = purpose
        if not self._unlimited:
            self._sent.append(now)
        report = self.venue.place(request, now)
        self._names[report.venue_id] = name
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

    # -- what the market does -------------------------------------------------------------------

    def on_book(self, symbol: str, book: Book, now: datetime) -> list[Trade]:
        """Feed a picture; what it filled is booked. Returns the trades it closed."""
        self.venue.on_book(symbol, book, now)
        return self.collect(now)

    def on_mark(self, symbol: str, price: Decimal, now: datetime) -> None:
        """Feed what a position is worth by; funding that fell due until now is paid by it."""
        self.venue.on_mark(symbol, price, now)
        self._book_funding()

    def collect(self, now: datetime) -> list[Trade]:
        """Book what the venue did since the last look."""
        self._book_funding()
        closed = list[Trade]()
        fresh = [e for e in self.state.executions if _number(e) > self._seen]
        for fill in fresh:
            self._seen = _number(fill)
            trade = self._book(fill)
            if trade is not None:
                closed.append(trade)
        for order in list(self.state.orders.values()):
            if order.status is OrderStatus.REJECTED and order.client_id in self._purposes:
                del self._purposes[order.client_id]
                self._refused_in_a_row += 1
                why = self.state.refusals.get(order.client_id, "refused")
                self.refusals.append((now, order.symbol, why))
        return closed

    def _book(self, fill: Execution) -> Trade | None:
        name = self._names.get(fill.venue_id, "")
        purpose = self._purposes.get(name)
        if purpose is None:
            purpose = Purpose("liquidation", fill.reason, fill.price, fill.at)
        self._refused_in_a_row = 0
        self.fills.append(fill)
        trade = self.trades.open.get(fill.symbol)
        if trade is None:
            trade = self.trades.begin(
                fill.symbol, fill.side, fill.at, purpose.decided_at, purpose.words
            )
        trade.add(fill, purpose.expected)
        lot = self.state.lots.get(fill.symbol)
        quantity, cost = (lot.quantity, lot.cost) if lot is not None else (ZERO, ZERO)
        if trade.quantity:
            self._note(fill, quantity, cost)
            return None
        closed = self.trades.end(fill.symbol, fill.at, purpose.name, purpose.words)
        self._note(fill, quantity, cost)
        if closed.closed.net < 0:
            self._lost_at = fill.at
        return closed

    def _book_funding(self) -> None:
        """Funding belongs to the position it was paid for."""
        for flow in self.state.flows:
            if flow.id in self._paid:
                continue
            self._paid.add(flow.id)
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

    def _note(self, fill: Execution, quantity: Decimal, cost: Decimal) -> None:
        self.marks.append(Mark(fill.at, fill.symbol, self.state.balance, quantity, cost))

    # -- limits ---------------------------------------------------------------------------------

    @property
    def watches(self) -> bool:
        """Whether a limit asks for what the account is worth between entries."""
        asked = self.limits
        money = (asked.max_daily_loss, asked.max_drawdown, asked.max_leverage)
        return any(limit is not None for limit in money)

    def look(self, now: datetime) -> str | None:
        """Judge the account as it stands; why everything must be closed now, if so."""
        self._end_the_day(now)
        equity = self.equity
        self._capital.weigh(now, _RUN, equity)
        if not self._unlimited:
            standing = {halt.breach.limit for halt in self._standing_breaches}
            for breach in judge_account(self.limits, self._exposure(now, None, None)):
                if breach.limit not in standing:
                    halt = Halted(now, breach)
                    self._standing_breaches.append(halt)
                    self.halted.append(halt)
            self._stand()
        return self.standing.way_out(now)

    def _end_the_day(self, now: datetime) -> None:
        kept = [
            halt
            for halt in self._standing_breaches
            if halt.breach.limit != UNTIL_MIDNIGHT or halt.at.date() == now.date()
        ]
        if len(kept) != len(self._standing_breaches):
            self._standing_breaches = kept
            self._stand()

    def _stand(self) -> None:
        halts = self._standing_breaches
        closing = [halt for halt in halts if halt.breach.policy is not OnBreach.PAUSE]
        first = next(iter((*closing, *halts)), None)
        self.standing.breach = None if first is None else f"limit: {first.breach.text}"
        self.standing.breach_closes = bool(closing)

    def _exposure(self, now: datetime, symbol: str | None, worst: Decimal | None) -> Exposure:
        equity, marks = self.equity, self.state.marks
        names = [*self.state.lots, *([] if symbol is None else [symbol])]
        self._sent = [at for at in self._sent if now - at <= timedelta(minutes=1)]
        return Exposure(
            equity=equity,
            day_result=self._capital.day_result(equity),
            drawdown=self._capital.drawdown(equity),
            stakes={
                name: Stake(
                    self.held(name),
                    ZERO,
                    ZERO,
                    marks.get(name, ZERO),
                    worst if name == symbol else None,
                )
                for name in dict.fromkeys(names)
            },
            orders_last_minute=len(self._sent),
            refused_in_a_row=self._refused_in_a_row,
            lost_ago=None if self._lost_at is None else now - self._lost_at,
        )


def _number(execution: Execution) -> int:
    """Executions are numbered by the venue in the order they happened."""
    return int(execution.trade_id.rpartition(":")[2])
