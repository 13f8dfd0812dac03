"""What an account may ask for: orders, cancellations, leverage, margin type, and its records."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from decimal import Decimal

from app.practice import errors, rules
from app.practice.account import Account
from app.practice.clearing import Clearing
from app.practice.engine import Engine
from app.practice.errors import Refusal
from app.practice.market import Market
from app.practice.orders import ZERO, AlgoStatus, Conditional, Income, Order, Status
from app.practice.params import Params
from app.practice.streams.listen_keys import ListenKeys
from app.practice.turn import Turn


class Desk:
    """One door to the venue. Every verb brings the market up to ``ms`` before it acts."""

    def __init__(self, clearing: Clearing, markets: Mapping[str, Market], ms: int):
        self.clearing = clearing
        self.store = clearing.store
        self.markets = markets
        self.engine = Engine(clearing, markets)
        self.turn = Turn(self.engine, ms)
        self.listen_keys = ListenKeys()

    def account(self, account_id: str, ms: int) -> Account:
        """The account as of ``ms``; opens it at its first appearance."""
        self.turn.advance(ms)
        if account_id not in self.clearing.accounts:
            with self.clearing.change(account_id, ms):
                pass
        return self.clearing.accounts[account_id]

    def mark(self, symbol: str, ms: int) -> Decimal:
        return self.markets[symbol].mark(ms)

    def open_interest(self, symbol: str, ms: int) -> Decimal:
        """Contracts that stand open, in base units: the public's own, and the accounts'.

        Of the latter there are as many as the larger side of all accounts holds: where the other
        side is smaller, the public stands opposite.
        """
        accounts = self.clearing.accounts.values()
        held = [one.positions[symbol].qty for one in accounts if symbol in one.positions]
        longs = sum((qty for qty in held if qty > 0), ZERO)
        return self.markets[symbol].public_interest(ms) + max(longs, longs - sum(held, ZERO))

    def place(self, account_id: str, params: Params, ms: int) -> Order:
        request = rules.order_request(params, params.instrument(), secrets.token_urlsafe(16))
        self.turn.advance(ms)
        with self.clearing.change(account_id, ms) as account:
            return self.engine.place(account, request, ms)

    def place_conditional(self, account_id: str, params: Params, ms: int) -> Conditional:
        request = rules.conditional_request(params, params.instrument(), secrets.token_urlsafe(16))
        self.turn.advance(ms)
        with self.clearing.change(account_id, ms) as account:
            return self.engine.place_conditional(account, request, ms)

    def find_order(self, account_id: str, params: Params) -> Order:
        """The order named by ``orderId`` or ``origClientOrderId``; the latest of several."""
        order_id = params.optional_whole("orderId")
        client_id = params.text("origClientOrderId", "") or None
        if order_id is None and client_id is None:
            raise errors.missing("orderId")
        wanted = {"id": order_id} if order_id is not None else {"client_id": client_id}
        symbol = params.instrument().symbol
        found = self.store.orders(account_id, symbol=symbol, limit=1, **wanted)
        if not found:
            raise errors.unknown_order()
        return self.clearing.accounts[account_id].orders.get(found[0].id, found[0])

    def find_conditional(self, account_id: str, params: Params) -> Conditional:
        """The conditional order named by ``algoId`` or ``clientAlgoId``."""
        algo_id = params.optional_whole("algoId")
        client_id = params.text("clientAlgoId", "") or None
        if algo_id is None and client_id is None:
            raise errors.missing("algoId")
        wanted = {"id": algo_id} if algo_id is not None else {"client_id": client_id}
        found = self.store.conditionals(account_id, limit=1, **wanted)
        if not found:
            raise errors.unknown_order()
        return found[0]

    def cancel(self, account_id: str, params: Params, ms: int) -> Order:
        self.account(account_id, ms)
        try:
            order_id = self.find_order(account_id, params).id
        except Refusal as refusal:
            raise errors.unknown_cancel() if refusal.code == -2013 else refusal from None
        with self.clearing.change(account_id, ms) as account:
            order = account.orders.get(order_id)
            if order is None:
                raise errors.unknown_cancel()
            self.clearing.close_order(account, order, Status.CANCELED, ms)
            return order

    def cancel_conditional(self, account_id: str, params: Params, ms: int) -> Conditional:
        self.account(account_id, ms)
        try:
            algo_id = self.find_conditional(account_id, params).id
        except Refusal as refusal:
            raise errors.unknown_cancel() if refusal.code == -2013 else refusal from None
        with self.clearing.change(account_id, ms) as account:
            conditional = account.conditionals.get(algo_id)
            if conditional is None:
                raise errors.unknown_cancel()
            self.engine.end_conditional(account, conditional, AlgoStatus.CANCELED, ms)
            return conditional

    def cancel_all(self, account_id: str, symbol: str, ms: int) -> None:
        self.turn.advance(ms)
        with self.clearing.change(account_id, ms) as account:
            for order in account.resting(symbol):
                self.clearing.close_order(account, order, Status.CANCELED, ms)

    def cancel_all_conditionals(self, account_id: str, symbol: str, ms: int) -> None:
        self.turn.advance(ms)
        with self.clearing.change(account_id, ms) as account:
            for one in list(account.conditionals.values()):
                if one.symbol == symbol:
                    self.engine.end_conditional(account, one, AlgoStatus.CANCELED, ms)

    def transfer(self, account_id: str, amount: Decimal, ms: int) -> Decimal:
        """Pay money in, or out where ``amount`` is negative; returns what the wallet holds then.

        Raises ``Refusal`` when positions or resting orders need what is asked for.
        """
        free = self.account(account_id, ms).available(lambda symbol: self.mark(symbol, ms))
        if -amount > free:
            raise Refusal(-5013, f"Asset transfer failed: {free:f} may be taken out.")
        with self.clearing.change(account_id, ms) as account:
            self.clearing.pay(account, "", Income.TRANSFER, amount, ms)
            return account.wallet

    def set_leverage(self, account_id: str, symbol: str, leverage: int, ms: int) -> Decimal:
        """Change the leverage; returns the largest notional allowed with it."""
        instrument = self.markets[symbol].instrument
        if not 1 <= leverage <= instrument.brackets[0].leverage:
            raise Refusal(-4028, f"Leverage {leverage} is not valid")
        self.turn.advance(ms)
        with self.clearing.change(account_id, ms) as account:
            setting, position = account.setting(symbol), account.position(symbol)
            if setting.isolated and position.qty and leverage < setting.leverage:
                raise Refusal(
                    -4161,
                    "Leverage reduction is not supported in Isolated Margin Mode "
                    "with open positions",
                )
            setting.leverage = leverage
            cap = instrument.max_notional(leverage)
            used = account.initial_margin(symbol, self.mark(symbol, ms))
            if used * leverage > cap:
                raise errors.above_leverage_cap()
            if account.used(lambda one: self.mark(one, ms)) > account.wallet:
                raise errors.margin_insufficient()
            return cap

    def set_margin_type(self, account_id: str, symbol: str, *, isolated: bool, ms: int) -> None:
        self.turn.advance(ms)
        with self.clearing.change(account_id, ms) as account:
            setting = account.setting(symbol)
            if setting.isolated == isolated:
                raise Refusal(-4046, "No need to change margin type.")
            if account.resting(symbol):
                raise Refusal(-4047, "Margin type cannot be changed if there exists open orders.")
            if account.position(symbol).qty:
                raise Refusal(-4048, "Margin type cannot be changed if there exists position.")
            setting.isolated = isolated
