"""A venue without a network, whose clock is moved by hand."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Self

from app.practice.account import Account
from app.practice.clearing import Clearing
from app.practice.desk import Desk
from app.practice.instruments import INSTRUMENTS
from app.practice.market import Market
from app.practice.orders import Conditional, Order
from app.practice.params import Params
from app.practice.store import Store

START = 1_790_259_200_000  # the price dips and rises within minutes from here
ME = "me"


class Floor:
    """One desk, one account, and a moment in ``ms`` that ``wait`` moves."""

    def __init__(self, folder: Path, ms: int = START, seed: int = 7):
        self.ms = ms
        self.folder = folder
        self.store = Store(folder)
        self.markets = {one.symbol: Market(one, seed) for one in INSTRUMENTS.values()}
        self.desk = Desk(Clearing(self.store), self.markets, ms)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.store.close()

    def wait(self, ms: int) -> None:
        self.ms += ms
        self.desk.turn.advance(self.ms)

    @property
    def me(self) -> Account:
        return self.desk.account(ME, self.ms)

    def quotes(self, symbol: str = "BTCUSDT") -> tuple[Decimal, Decimal]:
        """Best bid and best ask."""
        market = self.markets[symbol]
        bid, ask = market.book.best(market.last(self.ms))
        return market.instrument.price(bid), market.instrument.price(ask)

    def mark(self, symbol: str = "BTCUSDT") -> Decimal:
        return self.markets[symbol].mark(self.ms)

    def order(self, side: str, qty: object, price: object = None, **more: object) -> Order:
        """A market order, or a limit order at ``price``."""
        wish = {"symbol": "BTCUSDT", "side": side, "quantity": qty, "type": "MARKET"}
        if price is not None:
            wish |= {"type": "LIMIT", "price": price, "timeInForce": "GTC"}
        wish |= more
        return self.desk.place(ME, Params({k: str(v) for k, v in wish.items()}), self.ms)

    def conditional(self, side: str, kind: str, trigger: object, **more: object) -> Conditional:
        wish = {"symbol": "BTCUSDT", "side": side, "type": kind, "triggerPrice": trigger}
        wish |= {"algoType": "CONDITIONAL", **more}
        params = Params({k: str(v) for k, v in wish.items()})
        return self.desk.place_conditional(ME, params, self.ms)

    def found(self, order: Order) -> Order:
        return self.store.orders(ME, id=order.id)[0]
