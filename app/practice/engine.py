"""The matching engine: takes orders in, crosses them with the book, and ends them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from app.practice import errors, rules
from app.practice.account import Account
from app.practice.book import Level
from app.practice.clearing import Clearing
from app.practice.instruments import TAKER_FEE
from app.practice.market import Market
from app.practice.orders import ZERO, AlgoStatus, Conditional, Order, Side, Status
from app.practice.rules import Request

MAX_ORDERS = 200  # resting orders per symbol
MAX_CONDITIONALS = 100


class Engine:
    """Accounts trade with the simulated crowd, never with each other."""

    def __init__(self, clearing: Clearing, markets: Mapping[str, Market]):
        self.clearing = clearing
        self.markets = markets

    def mark(self, symbol: str, ms: int) -> Decimal:
        return self.markets[symbol].mark(ms)

    def place(self, account: Account, request: Request, ms: int) -> Order:
        """Check, execute what crosses, rest or expire the remainder.

        Raises ``Refusal`` in the exchange's words; then nothing has happened.
        """
        symbol = request.instrument.symbol
        if any(order.client_id == request.client_id for order in account.orders.values()):
            raise errors.duplicate_client_id()
        if len(account.resting(symbol)) >= MAX_ORDERS:
            raise errors.Refusal(-2025, "Reach max open order limit.")
        mark = self.mark(symbol, ms)
        qty = self._allowed_qty(account, request)
        rules.check_notional(request, qty, mark)
        if not request.market:
            rules.check_band(request, mark)
        order = Order(
            id=self.clearing.next_id("orders"),
            account=account.id,
            symbol=symbol,
            client_id=request.client_id,
            side=request.side,
            type="MARKET" if request.market else "LIMIT",
            orig_type=request.type,
            tif=request.tif,
            qty=qty,
            price=request.price,
            reduce_only=request.reduce_only,
            close_position=request.close_position,
            created=ms,
            updated=ms,
        )
        crossing = self._crossing(order, ms)
        self._check_style(order, crossing)
        self._check_margin(account, order, crossing, ms)
        self._execute(account, order, crossing, ms)
        return order

    def _allowed_qty(self, account: Account, request: Request) -> Decimal:
        """The wished quantity, cut to the position when it may only reduce."""
        if not request.reduce_only:
            return request.qty
        held = account.position(request.instrument.symbol).qty
        if held * request.side.sign >= 0:
            raise errors.reduce_only_rejected()
        return abs(held) if request.close_position else min(request.qty, abs(held))

    def _crossing(self, order: Order, ms: int) -> list[Level]:
        market = self.markets[order.symbol]
        instrument = market.instrument
        limit = None if order.type == "MARKET" else instrument.ticks(order.price)
        return market.book.walk(
            market.last(ms),
            ms,
            instrument.steps(order.remaining),
            asks=order.side is Side.BUY,
            limit=limit,
        )

    def _check_style(self, order: Order, crossing: list[Level]) -> None:
        """GTX must not take at all, FOK must take all."""
        if order.tif == "GTX" and crossing:
            raise errors.not_maker()
        instrument = self.markets[order.symbol].instrument
        got = instrument.qty(sum(level.qty for level in crossing))
        if order.tif == "FOK" and got < order.qty:
            raise errors.not_fillable()

    def _check_margin(self, account: Account, order: Order, crossing: list[Level], ms: int) -> None:
        if order.reduce_only:
            return

        def marks(symbol: str) -> Decimal:
            return self.mark(symbol, ms)

        symbol, mark = order.symbol, marks(order.symbol)
        before = account.initial_margin(symbol, mark)
        added = account.initial_margin(symbol, mark, [order]) - before
        if added <= 0:
            return
        instrument = self.markets[symbol].instrument
        leverage = account.setting(symbol).leverage
        if (before + added) * leverage > instrument.max_notional(leverage):
            raise errors.above_leverage_cap()
        taken = sum(
            (instrument.price(level.price) * instrument.qty(level.qty) for level in crossing), ZERO
        )
        if added + taken * TAKER_FEE > account.available(marks):
            raise errors.margin_insufficient()

    def _execute(self, account: Account, order: Order, crossing: list[Level], ms: int) -> None:
        market = self.markets[order.symbol]
        instrument = market.instrument
        asks = order.side is Side.BUY
        self.clearing.note(order, "NEW")
        for level in crossing:
            market.book.take(level.price, level.qty, ms, asks=asks)
            price, qty = instrument.price(level.price), instrument.qty(level.qty)
            self.clearing.fill(account, order, price, qty, ms, maker=False)
        if order.remaining and (order.type == "MARKET" or order.tif in ("IOC", "FOK")):
            order.status = Status.EXPIRED
            self.clearing.note(order, "EXPIRED")
        elif order.remaining:
            at = instrument.ticks(order.price)
            ahead = market.book.on_offer(at, market.last(ms), ms, asks=not asks)
            order.queue = instrument.qty(ahead)
        self.clearing.keep(account, order)
        if order.executed:
            self.tidy(account, order.symbol, ms)

    def take_over(self, account: Account, symbol: str, ms: int) -> None:
        """Liquidation: close the whole position at the market, asking nobody."""
        held = account.position(symbol).qty
        order = Order(
            id=self.clearing.next_id("orders"),
            account=account.id,
            symbol=symbol,
            client_id=f"autoclose-{ms}",
            side=Side.SELL if held > 0 else Side.BUY,
            type="MARKET",
            orig_type="MARKET",
            tif="IOC",
            qty=abs(held),
            price=ZERO,
            reduce_only=True,
            created=ms,
            updated=ms,
        )
        self._execute(account, order, self._crossing(order, ms), ms)

    def tidy(self, account: Account, symbol: str, ms: int) -> None:
        """End what may only reduce a position that is no longer there."""
        held = account.position(symbol).qty
        for order in account.resting(symbol):
            if order.reduce_only and held * order.side.sign >= 0:
                self.clearing.close_order(account, order, Status.EXPIRED, ms)
        for conditional in list(account.conditionals.values()):
            waits = conditional.close_position and not conditional.triggered
            useless = waits and held * conditional.side.sign >= 0
            if conditional.symbol == symbol and useless:
                self.end_conditional(account, conditional, AlgoStatus.EXPIRED, ms)

    def place_conditional(self, account: Account, request: Request, ms: int) -> Conditional:
        """Accept an order that waits for its trigger."""
        waiting = account.conditionals.values()
        if any(one.client_id == request.client_id for one in waiting):
            raise errors.duplicate_client_id()
        if len(account.conditionals) >= MAX_CONDITIONALS:
            raise errors.Refusal(-4045, "Reach max stop order limit.")
        conditional = Conditional(
            id=self.clearing.next_id("conditional"),
            account=account.id,
            symbol=request.instrument.symbol,
            client_id=request.client_id,
            side=request.side,
            type=request.type,
            tif=request.tif,
            qty=request.qty,
            price=request.price,
            trigger=request.trigger,
            working=request.working,
            reduce_only=request.reduce_only,
            close_position=request.close_position,
            created=ms,
            updated=ms,
        )
        if conditional.hit(self.watched(conditional, ms)):
            raise errors.would_trigger()
        self.clearing.keep_conditional(account, conditional)
        return conditional

    def watched(self, conditional: Conditional, ms: int) -> Decimal:
        market = self.markets[conditional.symbol]
        if conditional.working == "MARK_PRICE":
            return market.mark(ms)
        return market.instrument.price(market.last(ms).price)

    def end_conditional(
        self, account: Account, conditional: Conditional, status: AlgoStatus, ms: int
    ) -> None:
        conditional.status, conditional.updated = status, ms
        self.clearing.keep_conditional(account, conditional)

    def trigger(self, account: Account, conditional: Conditional, ms: int) -> None:
        """Turn a conditional order into an order; what the engine refuses ends as rejected."""
        conditional.triggered = ms
        self.clearing.note_conditional(conditional, "TRIGGERING")
        request = Request(
            instrument=self.markets[conditional.symbol].instrument,
            side=conditional.side,
            type=conditional.type,
            tif=conditional.tif,
            qty=conditional.qty,
            price=conditional.price,
            reduce_only=conditional.reduce_only,
            client_id=conditional.client_id,
            close_position=conditional.close_position,
        )
        try:
            order = self.place(account, request, ms)
        except errors.Refusal:
            self.end_conditional(account, conditional, AlgoStatus.REJECTED, ms)
            return
        conditional.order_id = order.id
        self.clearing.note_conditional(conditional, "TRIGGERED")
        self.end_conditional(account, conditional, AlgoStatus.FINISHED, ms)
