"""Looks after one symbol's open position: price exits, its protection, the way out."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from runner import leaving
from runner.bench import Bench
from runner.desk import Desk, Intent
from runner.engine import Engine
from runner.exchange.base import TOP, Book, OrderKind
from runner.memory import Entry
from runner.protection import AGAIN_AFTER, Protector, next_leg
from runner.protocol import Order, OrderStatus, Position, Side
from runner.step import ExitCall
from runner.strategy.spec import Holding

# A venue may list a position a moment after the order that made it was filled.
_POSITION_LAG = timedelta(seconds=10)
STILL_FOR = timedelta(seconds=120)
"""A book of which nothing moves for so long is a picture of the past."""
LEAST_PATIENCE = timedelta(seconds=60)
"""How long the next candle may be overdue, at least."""


class Custodian:
    """Every method may raise ``Temporary`` or ``Operational``; the next tick tries again."""

    def __init__(self, symbol: str, bench: Bench, desk: Desk, engine: Engine) -> None:
        self.symbol = symbol
        self._bench = bench
        self._desk = desk
        self._engine = engine
        self._span = timedelta(seconds=engine.candle_seconds)
        self.mark: Decimal | None = None
        self._book: Book | None = None
        self._moved_at: datetime | None = None
        self._refused_at: datetime | None = None
        self.protector = Protector(symbol, bench, desk, engine)

    @property
    def entry(self) -> Entry | None:
        return self._bench.memory.entries.get(self.symbol)

    def keep(self, entry: Entry) -> None:
        self._bench.memory.entries[self.symbol] = entry
        self._bench.memory.save()

    def holding(self, at: datetime) -> Holding | None:
        """The open position as exits see it; age counts from the candle that decided the entry."""
        entry = self.entry
        if entry is None or not self._desk.quantity(self.symbol):
            return None
        age = int((at - entry.candle_at - self._span) / self._span)
        known = Holding(
            entry.side,
            entry.entry_price,
            max(age, 0),
            entry.best,
            entry.candle_at + self._span,
            entry.steps,
            {kind: Decimal(number) for kind, number in entry.anchors.items()},
        )
        return known._replace(anchors=self._engine.anchors(known))

    def position(self) -> Position | None:
        """The open position as the platform is told of it."""
        quantity, entry = self._desk.quantity(self.symbol), self.entry
        if not quantity or entry is None or self.mark is None:
            return None
        profit = quantity * (self.mark - entry.entry_price)
        return Position(self.symbol, quantity, entry.entry_price, self.mark, profit)

    async def watch(self) -> None:
        """Between candles: compare the price with the levels of exits and stop."""
        self.compare()
        holding = self.holding(self._bench.clock.now())
        if holding is None:
            self._book = self._moved_at = None
            await self._clean_up()
            return
        why = self._bench.standing.way_out(self._bench.clock.now())
        if why is not None:  # needs no price
            await self.leave("flatten", why)
            return
        if self._leaves_all():  # refused before, or cut off
            await self.leave_as_decided()
            return
        book = await self._bench.market.book(self.symbol, TOP)
        self.mark = book.closing_price(self._desk.quantity(self.symbol))
        if book != self._book:
            self._book, self._moved_at = book, self._bench.clock.now()
        holding = self._follow(holding, self.mark)
        call = self._engine.on_price(holding, self.mark)
        level = self.protector.level(holding)
        if call is None and level is not None and (self.mark - level) * holding.side <= 0:
            call = ExitCall("stop", f"price {self.mark:f} reached the stop {level:f}")
        if call is not None:
            self.decide_exit(call)
        await self.leave_as_decided()

    async def protect(self, *, at_once: bool = False) -> None:
        """Keep the stop at the venue, whatever became of ``watch``; what stands is told."""
        holding = self.holding(self._bench.clock.now())
        await self.protector.keep(holding, self.entry, at_once=at_once)

    def silence(self, now: datetime) -> str | None:
        """Why this symbol's data cannot be of the present, or ``None``."""
        last = self._engine.last
        patience = max(self._span, LEAST_PATIENCE)
        if last is not None and now > last + 2 * self._span + patience:
            return f"{self.symbol}: no candle since the one of {last:%d %b %H:%M:%S} UTC"
        if self._moved_at is not None and now - self._moved_at > STILL_FOR:
            return f"{self.symbol}: nothing in the venue's book moves"
        return None

    def decide_exit(self, call: ExitCall) -> None:
        """From now on this much is to go, whatever its price or the next candle say.

        It is on the disk with whatever is saved next; that is soon, and never waited for here.
        """
        if self.entry is not None:
            held = abs(self._desk.quantity(self.symbol))
            leg = next_leg(self._desk, self.entry, "exit")
            market = self._bench.market
            leaving.decide(self.entry, call, held, lambda: market.instrument(self.symbol), leg)

    async def leave_as_decided(self) -> None:
        """Close what a decided exit has not closed yet."""
        entry = self.entry
        if entry is None or not entry.exit_purpose:
            return
        known = entry.exit_quantity is not None and not self._desk.in_doubt(self.symbol)
        if known and not leaving.rest(entry, self._desk, self.symbol):
            leaving.finish(entry)
            self._bench.memory.save()
            return
        await self.leave(entry.exit_purpose, entry.exit_reason, part=True)

    def _leaves_all(self) -> bool:
        entry = self.entry
        return entry is not None and bool(entry.exit_purpose) and entry.exit_quantity is None

    def _follow(self, holding: Holding, mark: Decimal) -> Holding:
        """Note the best price; on the disk at once only where a level moves by it."""
        entry = self.entry
        assert entry is not None
        better = holding.best is None or (mark - holding.best) * holding.side > 0
        now = holding._replace(best=mark) if better else holding
        now = now._replace(anchors=self._engine.anchors(now))
        kept = {kind: str(number) for kind, number in now.anchors.items()}
        moves = self._engine.stop_price(now) != self._engine.stop_price(holding)
        if kept != entry.anchors or moves:
            entry.best, entry.anchors = now.best, kept
            self._bench.memory.save()
        entry.best = now.best
        return now

    async def leave(self, purpose: str, reason: str, *, part: bool = False) -> None:
        """Close the position at the market, unless an exit is already under way.

        ``part``: only as much of it as was decided.
        """
        await self._make_way()
        if self._desk.behind:
            await self._desk.settle()
        entry, quantity = self.entry, self._desk.quantity(self.symbol)
        if entry is None or not quantity:
            return
        much = leaving.rest(entry, self._desk, self.symbol) if part else abs(quantity)
        exits = [o for o in self._desk.live(self.symbol) if o.reduce_only]
        if (
            not much
            or any(order.kind != OrderKind.STOP_MARKET for order in exits)
            or self._must_wait()
        ):
            return
        order = await self._desk.submit(
            Intent(
                decision=entry.client_id,
                leg=next_leg(self._desk, entry, "exit"),
                symbol=self.symbol,
                side=Side.SELL if quantity > 0 else Side.BUY,
                kind=OrderKind.MARKET,
                quantity=much,
                purpose=purpose,
                reason=reason,
                reduce_only=True,
            )
        )
        refused = order.status is OrderStatus.REJECTED
        self._refused_at = self._bench.clock.now() if refused else None
        await self.finish(order)
        await self._clean_up()

    async def _make_way(self) -> None:
        """Take back limits that only reduce: beside them the venue refuses to close the whole.

        What one of them closed meanwhile must be read before the rest is sent.
        """
        for order in self._desk.live(self.symbol):
            if order.reduce_only and order.kind == OrderKind.LIMIT:
                self._desk.behind = True
                await self._desk.cancel(order)

    def _must_wait(self) -> bool:
        """Whether the venue refused an exit so lately that it would refuse the next one, too."""
        now = self._bench.clock.now()
        return self._refused_at is not None and now - self._refused_at < AGAIN_AFTER

    async def finish(self, order: Order) -> None:
        """Read what an order did to fills and position."""
        if order.status is OrderStatus.REJECTED:
            text = f"{self.symbol}: {order.purpose} refused: {order.reason}"
            self._bench.notice("warning", "order_refused", text)
        await self._desk.settle()
        self.compare()

    def compare(self) -> None:
        """Bring the entry's context in line with the position the venue reports."""
        if self._desk.positions is None or self._desk.in_doubt(self.symbol):
            return
        position, entry = self._desk.positions.get(self.symbol), self.entry
        if entry is None:
            return
        explained = not self._desk.difference(self.symbol)
        gone = explained and self._desk.shows_nothing(self.symbol)
        if gone and not self._may_lag(entry):
            with self._bench.journal.transaction():
                self._bench.guard.closed(self.symbol, entry)
                self.protector.forget(entry)
                del self._bench.memory.entries[self.symbol]
                self._bench.memory.save()
        elif position is not None and entry.entry_price != position.entry_price:
            entry.entry_price = position.entry_price
            self._bench.memory.save()

    async def _clean_up(self) -> None:
        """Without a position nothing reduce-only may stay at the venue."""
        if self._desk.positions is None or self._desk.quantity(self.symbol):
            return
        if self._desk.difference(self.symbol):
            return  # the fills say that something is held: one empty list proves nothing
        resting = (OrderStatus.OPEN, OrderStatus.PARTIAL)
        exits = [o for o in self._desk.live(self.symbol) if o.reduce_only and o.status in resting]
        for order in exits:
            await self._desk.cancel(order)
        if exits:
            # One of them may be what closed the position: an order is read before the fills it
            # makes are, and until it is read again it stands against the next entry.
            await self._desk.settle()
            self.compare()

    def _may_lag(self, entry: Entry) -> bool:
        """Whether the entry was filled so recently that the venue may not list it yet."""
        order = self._desk.order(entry.client_id)
        if order is None or not order.filled or next_leg(self._desk, entry, "exit") != "exit1":
            return False
        stop = self._desk.order(entry.stop_id) if entry.stop_id else None
        if stop is not None and stop.status is OrderStatus.FILLED:
            return False
        return self._bench.clock.now() - order.decided_at < _POSITION_LAG
