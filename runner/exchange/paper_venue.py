"""A venue in memory: orders against the book and tape it is fed. No IO, no clock, no chance.

Feed it in the order things happened. What trades where is decided by these rules and no others:

* An order meets the first picture of the book that is no older than its arrival.
* A taker walks the levels and uses them up; what the book cannot fill of it is cancelled.
* A resting limit waits behind the size shown at its price. Prints against it there serve that queue
  first and fill what goes beyond it; prints and levels through its price fill as much as they have.
* A stop rests, fires on a print or the mark, then walks the next picture as any taker.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal

from runner.exchange.base import (
    Book,
    Funding,
    OrderKind,
    OrderReport,
    OrderRequest,
    PublicTrade,
)
from runner.exchange.paper_account import PaperAccount, Priced, Rules
from runner.exchange.paper_depth import Depth, is_beyond, other
from runner.exchange.paper_queue import serve
from runner.exchange.paper_state import LIVE, PaperState, Wait
from runner.exchange.paper_terms import Terms, Trigger
from runner.protocol import OrderStatus, Side

ZERO = Decimal(0)
AT_ONCE = timedelta(0)
_WALKED = "walked the venue's book at the moment of the order"
_STOPPED = "the stop fired and walked the venue's book"
_PASSED = "the market went through the limit price"
_LIQUIDATED = "liquidated: the margin did not carry the position any longer"


class PaperVenue:
    """One account. ``account`` tells its money, ``state`` everything it remembers."""

    def __init__(self, state: PaperState, rules: Rules, terms: Terms | None = None) -> None:
        self.state = state
        self.terms = terms or Terms()
        self.account = PaperAccount(state, rules, self.terms)
        self._rules = rules
        self._depths: dict[str, Depth] = {}

    # -- orders ---------------------------------------------------------------------------------

    def place(
        self, request: OrderRequest, now: datetime, latency: timedelta = AT_ONCE
    ) -> OrderReport:
        """Take an order that is sent now and arrives after ``latency``; the same id is one order.

        One that is refused is REJECTED, ``state.refusals`` says why.
        """
        if request.client_id in self.state.orders:
            return self.state.orders[request.client_id]
        self._rules(request.symbol)
        self.account.settle_funding(now)
        due = now + latency
        self.state.keep(self._report(request), Wait(due, due, post_only=request.post_only))
        self._arrive(request.symbol)
        return self.state.orders[request.client_id]

    def cancel(self, client_id: str, now: datetime) -> OrderReport | None:
        """``None`` where nothing is left to cancel."""
        self.account.settle_funding(now)
        report = self.state.orders.get(client_id)
        if report is None or report.status not in LIVE:
            return None
        self._end(report, OrderStatus.CANCELLED)
        return self.state.orders[client_id]

    def wants_depth(self, symbol: str) -> bool:
        """Whether something is about to walk the book, so that its top is not enough."""
        pending = any(wait.due is not None for _, wait in self.state.waiting(symbol))
        return pending or symbol in self.account.doomed()

    # -- what the market does -------------------------------------------------------------------

    def on_book(self, symbol: str, book: Book, now: datetime) -> None:
        """A picture of the book, taken now. One told again is looked at, and liquidates nothing."""
        self.account.settle_funding(now)
        told_before = symbol in self.state.booked and now <= self.state.booked[symbol]
        depth = Depth(book, self.state.taken.get(symbol, []))
        self._depths[symbol] = depth
        self.state.booked[symbol] = now
        if symbol not in self.state.marked:
            self.state.marks[symbol] = book.middle
        for order, wait in self.state.waiting(symbol):
            if wait.due is None and order.kind is OrderKind.LIMIT:
                self._meet(order, wait, depth, now)
        self._arrive(symbol)
        if symbol in self.account.doomed() and not told_before:
            self._liquidate(symbol, depth, now)
        self._remember(symbol, depth)

    def on_trades(self, symbol: str, trades: list[PublicTrade], now: datetime) -> None:
        """Prints of the tape; what was used before is passed over."""
        self.account.settle_funding(now)
        state, depth = self.state, self._depths.get(symbol)
        for trade in sorted(trades, key=lambda trade: trade.at):
            if symbol in state.seen and trade.at <= state.seen[symbol]:
                continue
            state.last[symbol] = trade.price
            if self.terms.trigger is Trigger.LAST:
                self._fire(symbol, trade.price, trade.at)
            serve(state, self.account, symbol, trade, depth)
        if trades:
            newest = max(trade.at for trade in trades)
            state.seen[symbol] = max(newest, state.seen.get(symbol, newest))

    def on_mark(self, symbol: str, mark: Decimal, now: datetime) -> None:
        """The venue's mark price. A position it dooms is liquidated at the next picture."""
        self.account.settle_funding(now)
        if symbol not in self.state.marked:
            self.state.marked.append(symbol)
        self.state.marks[symbol] = mark
        if self.terms.trigger is Trigger.MARK:
            self._fire(symbol, mark, now)

    def on_funding(self, symbol: str, funding: Funding, now: datetime) -> None:
        """What the venue says is paid next; right after a payment it may still name the last."""
        self.account.settle_funding(now)
        if funding.next_at > now:
            self.state.funding[symbol] = funding

    # -- what follows ---------------------------------------------------------------------------

    def _arrive(self, symbol: str) -> None:
        """Let the orders that are due meet the picture, those that came first before the others."""
        depth, at = self._depths.get(symbol), self.state.booked.get(symbol)
        if depth is None or at is None:
            return
        due = [(o, w) for o, w in self.state.waiting(symbol) if w.due is not None and w.due <= at]
        if not due:
            return
        for order, wait in sorted(due, key=lambda pair: pair[1].due or at):
            why = None if wait.triggered else self._objection(order, wait, depth)
            if why is not None:
                self._end(order, OrderStatus.REJECTED)
                self.state.refusals[order.client_id] = why
            elif order.kind is OrderKind.STOP_MARKET and not wait.triggered:
                self.state.keep(order, replace(wait, due=None, since=at))
            else:
                self._take(order, wait, depth, at)
        self._remember(symbol, depth)

    def _take(self, order: OrderReport, wait: Wait, depth: Depth, at: datetime) -> None:
        limit = order.price if order.kind is OrderKind.LIMIT else None
        wanted = order.quantity - order.filled
        if order.reduce_only:
            wanted = min(wanted, self.account.reducible(order))
        order = self._walk(order, wanted, limit, depth, _STOPPED if wait.triggered else _WALKED, at)
        if limit is not None and order.status in LIVE:
            self._meet(order, replace(wait, due=None, since=at), depth, at)
        elif order.filled and order.filled == wanted:
            self._end(order, OrderStatus.FILLED)
        else:
            self._end(order, OrderStatus.CANCELLED)

    def _walk(
        self,
        order: OrderReport,
        wanted: Decimal,
        limit: Decimal | None,
        depth: Depth,
        why: str,
        at: datetime,
    ) -> OrderReport:
        side, levels = order.side, depth.walk(order.side, wanted, limit)
        if not levels:
            return order
        worst = depth.worst(side, wanted, limit, self.terms.withdrawn)
        touch = depth.touch(side)
        parts = [Priced(price, quantity, touch, worst) for price, quantity in levels]
        depth.take(side, levels)
        return self.account.fill(order, parts, "taker", why, at)

    def _meet(self, order: OrderReport, wait: Wait, depth: Depth, now: datetime) -> None:
        """A resting limit sees a picture: levels through it fill it, its queue cannot be longer."""
        price, rest = order.price, order.quantity - order.filled
        assert price is not None
        if order.reduce_only:
            rest = min(rest, self.account.reducible(order))
        through = [met for met in depth.walk(order.side, rest, price) if met[0] != price]
        if through:
            depth.take(order.side, through)
            parts = [Priced(price, quantity, price, price) for _, quantity in through]
            order = self.account.fill(order, parts, "maker", _PASSED, now)
        shown, ahead = depth.displayed(order.side, price), wait.ahead
        if shown is not None:
            ahead = shown if ahead is None else min(ahead, shown)
        self.state.keep(order, replace(wait, ahead=ahead))

    def _fire(self, symbol: str, price: Decimal, at: datetime) -> None:
        for order, wait in self.state.waiting(symbol):
            if order.kind is not OrderKind.STOP_MARKET or wait.due is not None or at <= wait.since:
                continue
            if _reaches(order, price):
                self.state.keep(order, replace(wait, due=at, triggered=True))

    def _objection(self, order: OrderReport, wait: Wait, depth: Depth) -> str | None:
        """Why the venue refuses an order on its arrival, or ``None``."""
        touch = depth.touch(order.side)
        price = order.price or touch
        fault = self.account.fault(order, price)
        if fault is not None:
            return fault
        if self.terms.rejects(order.client_id):
            return "the venue refused it by chance, as these paper terms want it"
        if order.reduce_only:
            held = self.account.reducible(order)
            if not held or (order.quantity > held and order.kind is not OrderKind.STOP_MARKET):
                return "reduce-only order is rejected: it would open or turn a position"
        elif self.account.lacks_margin(order, price):
            return "margin is insufficient"
        if order.kind is OrderKind.STOP_MARKET and _reaches(order, self._trigger_price(order)):
            return "the stop would fire at once"
        if wait.post_only and not is_beyond(order.side, touch, price):
            return "post-only order is rejected: it would take at once"
        return None

    def _trigger_price(self, order: OrderReport) -> Decimal:
        """What the stop is compared with: as configured, else where one would trade now."""
        state = self.state
        told = state.marks if self.terms.trigger is Trigger.MARK else state.last
        return told.get(order.symbol) or self._depths[order.symbol].touch(order.side)

    def _liquidate(self, symbol: str, depth: Depth, now: datetime) -> None:
        """Take back what rests on the symbol and close its position at whatever price there is."""
        for order in self.state.live(symbol):
            self._end(order, OrderStatus.CANCELLED)
        held = self.account.held(symbol)
        side = Side.SELL if held > 0 else Side.BUY
        if not depth.walk(side, abs(held)):
            return  # nothing is left of what the picture shows; the next one may show more
        name = f"liquidation-{self.state.number + 1}"
        request = OrderRequest(name, symbol, side, OrderKind.MARKET, abs(held), reduce_only=True)
        order = self._walk(self._report(request), abs(held), None, depth, _LIQUIDATED, now)
        self._end(order, OrderStatus.FILLED if order.filled == abs(held) else OrderStatus.CANCELLED)

    def _report(self, request: OrderRequest) -> OrderReport:
        """A new order as the venue numbers it."""
        self.state.number += 1
        name = f"paper-{self.state.number}"
        return OrderReport(
            client_id=request.client_id,
            venue_id=name,
            symbol=request.symbol,
            side=request.side,
            kind=request.kind,
            quantity=request.quantity,
            status=OrderStatus.OPEN,
            filled=ZERO,
            average=None,
            price=request.price,
            reduce_only=request.reduce_only,
            fill_venue_id=name,
        )

    def _end(self, order: OrderReport, status: OrderStatus) -> None:
        ended = order if order.status is status else replace(order, status=status)
        self.state.keep(ended, None)

    def _remember(self, symbol: str, depth: Depth) -> None:
        self.state.taken[symbol] = depth.taken


def _reaches(stop: OrderReport, price: Decimal) -> bool:
    """Whether a price fires a stop."""
    assert stop.price is not None
    return not is_beyond(other(stop.side), price, stop.price)
