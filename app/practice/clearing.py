"""The back office: accounts in memory, every change of them written to the store as it happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from itertools import count

from app.practice.account import OPENING_BALANCE, Account, rounded
from app.practice.instruments import MAKER_FEE, TAKER_FEE
from app.practice.notes import ConditionalNote, Note, OrderNote, paid
from app.practice.orders import (
    ZERO,
    AlgoStatus,
    Conditional,
    Fill,
    Income,
    IncomeEntry,
    Order,
    Status,
)
from app.practice.store import Store


class Clearing:
    """Books fills and incomes. Times are Unix milliseconds, passed in by the caller.

    ``publish`` is told of each change once it is on disk: the account, what happened, and when.
    """

    def __init__(self, store: Store):
        self.store = store
        self.accounts: dict[str, Account] = {}
        self.publish: Callable[[Account, list[Note], int], None] = lambda *_: None
        self._notes: list[Note] = []
        for account_id in store.account_ids():
            self._reload(account_id)
        self._ids = {
            table: count(store.last_id(table) + 1)
            for table in ("orders", "conditional", "fill", "income")
        }

    def next_id(self, table: str) -> int:
        return next(self._ids[table])

    def _reload(self, account_id: str) -> None:
        account = self.store.load_account(account_id)
        if account is None:
            self.accounts.pop(account_id, None)
        else:
            self.accounts[account_id] = account

    @contextmanager
    def change(self, account_id: str, ms: int) -> Iterator[Account]:
        """One indivisible change of one account, opened with its balance when it is new.

        Whatever leaves the block by an exception leaves no trace, in memory or on disk.
        """
        try:
            with self.store.transaction():
                account = self.accounts.get(account_id)
                if account is None:
                    account = self.accounts[account_id] = Account(account_id, ms)
                    self.pay(account, "", Income.TRANSFER, OPENING_BALANCE, ms)
                yield account
                self.store.save_account(account)
        except BaseException:
            self._notes.clear()
            self._reload(account_id)
            raise
        notes, self._notes = self._notes, []
        if notes:
            self.publish(account, notes, ms)

    def pay(
        self,
        account: Account,
        symbol: str,
        kind: Income,
        amount: Decimal,
        ms: int,
        *,
        trade_id: str = "",
    ) -> None:
        """Change the wallet and say why."""
        if not amount:
            return
        account.wallet += amount
        entry = IncomeEntry(self.next_id("income"), account.id, symbol, kind, amount, trade_id, ms)
        self.store.add_income(entry)
        self._notes.append(paid(kind, symbol, amount))

    def fill(
        self, account: Account, order: Order, price: Decimal, qty: Decimal, ms: int, *, maker: bool
    ) -> None:
        """Execute ``qty`` of ``order`` at ``price``: position, fee, profit, order."""
        position = account.position(order.symbol)
        before = position.qty
        realized = position.trade(order.side.sign * qty, price)
        position.updated = ms
        self._set_aside(account, order.symbol, before, price)
        fee = rounded(price * qty * (MAKER_FEE if maker else TAKER_FEE))
        fill_id = self.next_id("fill")
        fill = Fill(
            fill_id,
            account.id,
            order.symbol,
            order.id,
            order.side,
            price,
            qty,
            realized,
            fee,
            maker,
            ms,
        )
        self.store.add_fill(fill)
        self.pay(account, order.symbol, Income.REALIZED_PNL, realized, ms, trade_id=str(fill_id))
        self.pay(account, order.symbol, Income.COMMISSION, -fee, ms, trade_id=str(fill_id))
        order.executed += qty
        order.quote += price * qty
        order.updated = ms
        order.status = Status.PARTIALLY_FILLED if order.remaining else Status.FILLED
        self.keep(account, order)
        self.note(order, "CALCULATED" if order.is_liquidation else "TRADE", fill)

    def _set_aside(self, account: Account, symbol: str, before: Decimal, price: Decimal) -> None:
        """In isolated mode: margin grows with what was opened, shrinks with what was closed."""
        position, setting = account.position(symbol), account.setting(symbol)
        if not setting.isolated or not position.qty:
            position.isolated = ZERO
        elif before * position.qty < 0 or not before:
            position.isolated = rounded(abs(position.cost) / setting.leverage)
        elif abs(position.qty) > abs(before):
            opened = abs(position.qty) - abs(before)
            position.isolated += rounded(opened * price / setting.leverage)
        else:
            position.isolated = rounded(position.isolated * position.qty / before)

    def keep(self, account: Account, order: Order) -> None:
        """Write the order; live ones stay at hand."""
        self.store.save_order(order)
        if order.live:
            account.orders[order.id] = order
        else:
            account.orders.pop(order.id, None)

    def note(self, order: Order, what: str, fill: Fill | None = None) -> None:
        """Remember, for whoever listens, what just happened to an order."""
        self._notes.append(OrderNote(replace(order), what, fill))

    def note_conditional(self, conditional: Conditional, status: AlgoStatus | str) -> None:
        self._notes.append(ConditionalNote(replace(conditional), str(status)))

    def keep_conditional(self, account: Account, conditional: Conditional) -> None:
        self.note_conditional(conditional, conditional.status)
        self.store.save_conditional(conditional)
        if conditional.live:
            account.conditionals[conditional.id] = conditional
        else:
            account.conditionals.pop(conditional.id, None)

    def close_order(self, account: Account, order: Order, status: Status, ms: int) -> None:
        order.status, order.updated = status, ms
        self.keep(account, order)
        self.note(order, status.value)

    def clear_deficit(self, account: Account, symbol: str, owed: Decimal, ms: int) -> None:
        """The insurance fund bears what a liquidation lost beyond the margin."""
        if owed > 0:
            self.pay(account, symbol, Income.INSURANCE_CLEAR, owed, ms)
