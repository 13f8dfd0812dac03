"""What happens to accounts as time passes: maker fills, triggers, liquidation, funding."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from app.practice.account import Account, rounded
from app.practice.engine import Engine
from app.practice.market import FUNDING_MS
from app.practice.orders import ZERO, AlgoStatus, Conditional, Income, Order, Side, Status
from app.practice.path import Trade

_HALT_MS = 60_000  # a gap longer than this was a halt, such as a sleeping machine


class Turn:
    """Moves all accounts from one moment to the next.

    While it does not run, trading halts: prints of a downtime fill nothing, triggers look at
    the first price after it, and funding times that passed are settled late, at the mark price
    of their moment.
    """

    def __init__(self, engine: Engine, ms: int):
        self.engine = engine
        self.clearing = engine.clearing
        self._reached = ms
        settled = self.clearing.store.meta("funding")
        if settled is None:
            self._note_funded(ms // FUNDING_MS * FUNDING_MS)
        else:
            self._funded = int(settled)

    def advance(self, ms: int) -> None:
        """Settle everything between the last call and ``ms``."""
        if ms <= self._reached:
            return
        since, self._reached = self._reached, ms
        if ms - since > _HALT_MS:
            since = ms
        self._fund(ms)
        tapes: dict[str, list[Trade]] = {}
        for account in list(self.clearing.accounts.values()):
            waiting = {one.symbol for one in account.orders.values()}
            waiting |= {one.symbol for one in account.conditionals.values()}
            for symbol in waiting:
                if symbol not in tapes:
                    tapes[symbol] = list(self.engine.markets[symbol].tape(since, ms))
                self._make(account, symbol, tapes[symbol])
            self._trigger(account, tapes, ms)
            if account.open_symbols():
                self._liquidate(account, ms)

    def _make(self, account: Account, symbol: str, tape: list[Trade]) -> None:
        """Let the prints of ``tape`` fill the account's resting orders, best price first."""
        instrument = self.engine.markets[symbol].instrument
        for trade in tape:
            price, left = instrument.price(trade.price), instrument.qty(trade.qty)
            reached = [one for one in account.resting(symbol) if reaches(one, trade, price)]
            if not reached:
                continue
            reached.sort(key=lambda one: (-one.side.sign * one.price, one.id))
            with self.clearing.change(account.id, trade.time):
                for order in reached:
                    if order.live:
                        left -= self._fill(account, order, price, left, trade)

    def _fill(
        self, account: Account, order: Order, price: Decimal, left: Decimal, trade: Trade
    ) -> Decimal:
        """Fill one resting order from a print; returns what that used up of the print."""
        touched = price == order.price and trade.seller == (order.side is Side.BUY)
        queued = min(order.queue, left) if touched else ZERO
        order.queue = order.queue - queued if touched else ZERO
        room = order.remaining
        if order.reduce_only:
            room = min(room, abs(account.position(order.symbol).qty))
        qty = min(room, left - queued)
        if qty > 0:
            self.clearing.fill(account, order, order.price, qty, trade.time, maker=True)
            self.engine.tidy(account, order.symbol, trade.time)
        else:
            self.clearing.keep(account, order)
        return max(qty, ZERO)

    def _trigger(self, account: Account, tapes: dict[str, list[Trade]], ms: int) -> None:
        for conditional in list(account.conditionals.values()):
            if conditional.live and self._hit(conditional, tapes[conditional.symbol], ms):
                with self.clearing.change(account.id, ms):
                    self.engine.trigger(account, conditional, ms)

    def _hit(self, conditional: Conditional, tape: list[Trade], ms: int) -> bool:
        """The price now, or any print since: a spike between two turns counts."""
        if conditional.hit(self.engine.watched(conditional, ms)):
            return True
        if conditional.working == "MARK_PRICE":
            return False
        instrument = self.engine.markets[conditional.symbol].instrument
        return any(
            trade.time > conditional.created and conditional.hit(instrument.price(trade.price))
            for trade in tape
        )

    def _marks(self, ms: int) -> Callable[[str], Decimal]:
        return lambda symbol: self.engine.mark(symbol, ms)

    def _liquidate(self, account: Account, ms: int) -> None:
        """Close isolated positions one by one, cross positions together, when margin is gone."""
        marks = self._marks(ms)
        crossed = [one for one in account.open_symbols() if not account.setting(one).isolated]
        for symbol in set(account.open_symbols()) - set(crossed):
            position, mark = account.position(symbol), marks(symbol)
            if position.isolated + position.unrealized(mark) <= account.maintenance(symbol, mark):
                with self.clearing.change(account.id, ms):
                    self._close_isolated(account, symbol, ms)
        margin = account.cross_wallet() + account.cross_unrealized(marks)
        if crossed and margin <= account.cross_maintenance(marks):
            with self.clearing.change(account.id, ms):
                self._close_crossed(account, crossed, ms)

    def _close_isolated(self, account: Account, symbol: str, ms: int) -> None:
        """A loss beyond the position's own margin falls to the insurance fund."""
        self._withdraw(account, {symbol}, ms)
        margin, before = account.position(symbol).isolated, account.wallet
        self.engine.take_over(account, symbol, ms)
        self.clearing.clear_deficit(account, symbol, before - account.wallet - margin, ms)

    def _close_crossed(self, account: Account, symbols: list[str], ms: int) -> None:
        """A loss beyond the cross wallet falls to the insurance fund."""
        self._withdraw(account, {order.symbol for order in account.orders.values()}, ms)
        for symbol in symbols:
            self._withdraw(account, {symbol}, ms)
            self.engine.take_over(account, symbol, ms)
        self.clearing.clear_deficit(account, "", -account.cross_wallet(), ms)

    def _withdraw(self, account: Account, symbols: set[str], ms: int) -> None:
        """Cancel what rests and waits, before a position is taken over."""
        for order in list(account.orders.values()):
            if order.symbol in symbols:
                self.clearing.close_order(account, order, Status.CANCELED, ms)
        for conditional in list(account.conditionals.values()):
            if conditional.symbol in symbols:
                self.engine.end_conditional(account, conditional, AlgoStatus.EXPIRED, ms)

    def _fund(self, ms: int) -> None:
        """Pay funding at every full eight hours that passed: longs to shorts when positive."""
        while self._funded + FUNDING_MS <= ms:
            due = self._funded + FUNDING_MS
            for account in list(self.clearing.accounts.values()):
                symbols = [s for s in account.open_symbols() if account.opened < due]
                if symbols:
                    with self.clearing.change(account.id, ms):
                        self._pay_funding(account, symbols, due)
            self._note_funded(due)

    def _note_funded(self, due: int) -> None:
        self._funded = due
        with self.clearing.store.transaction():
            self.clearing.store.set_meta("funding", str(due))

    def _pay_funding(self, account: Account, symbols: list[str], due: int) -> None:
        paid = self.clearing.store.incomes(account.id, kind=Income.FUNDING_FEE, start=due, end=due)
        # A crash in the middle of a settlement repeats it; who has paid is left alone.
        for symbol in set(symbols) - {one.symbol for one in paid}:
            market = self.engine.markets[symbol]
            rate = market.funding_rate(due - 1)
            amount = -rounded(account.position(symbol).qty * market.mark(due) * rate)
            self.clearing.pay(account, symbol, Income.FUNDING_FEE, amount, due)


def reaches(order: Order, trade: Trade, price: Decimal) -> bool:
    """Whether a print at ``price`` trades at or through a resting order."""
    if order.created >= trade.time:
        return False
    return price <= order.price if order.side is Side.BUY else price >= order.price
