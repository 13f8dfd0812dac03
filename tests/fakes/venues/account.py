"""One account on one symbol at one price: what both fakes have in common."""

from dataclasses import dataclass, field
from decimal import Decimal
from itertools import count


class Refused(Exception):
    """The venue's own word for why not: a name each fake has a code for."""


@dataclass
class Order:
    number: str
    client_id: str
    side: str
    kind: str
    quantity: Decimal
    price: Decimal | None
    reduce_only: bool
    state: str = "live"
    filled: Decimal = Decimal(0)
    average: Decimal | None = None
    fired: str = ""


@dataclass
class Fill:
    number: str
    order: Order
    price: Decimal
    quantity: Decimal
    at: int


@dataclass
class Account:
    """Fills at once and whole; ``fires_anew``: a stop trades as an order of its own.

    ``trims``: what only reduces and is for more than is held closes what is there; else all of it
    is refused. ``most_stops``: so many may rest.
    """

    clock: "callable"
    fires_anew: bool
    trims: bool = True
    most_stops: int = 10
    multiplier: Decimal = Decimal(1)
    price: Decimal = Decimal(60000)
    balance: Decimal = Decimal(10_000)
    fee: Decimal = Decimal("0.0005")
    position: Decimal = Decimal(0)
    entry: Decimal = Decimal(0)
    orders: dict[str, Order] = field(default_factory=dict)
    fills: list[Fill] = field(default_factory=list)
    bills: list[tuple] = field(default_factory=list)
    numbers: count = field(default_factory=lambda: count(1001))

    def number(self):
        return str(next(self.numbers))

    def by_client(self, client_id):
        return next((o for o in self.orders.values() if o.client_id == client_id), None)

    def open(self):
        return [o for o in self.orders.values() if o.state == "live"]

    def place(self, client_id, side, kind, quantity, price, reduce_only, posts=False):
        if self.by_client(client_id):
            raise Refused("duplicate")
        order = Order(self.number(), client_id, side, kind, quantity, price, reduce_only)
        if kind == "stop":
            below = side == "sell"
            if self.price <= price if below else self.price >= price:
                raise Refused("price")
            if sum(order.kind == "stop" for order in self.open()) >= self.most_stops:
                raise Refused("many")
            self.orders[order.number] = order
            return order
        if reduce_only and not (self._reduces(order) and self._fits(order)):
            raise Refused("reduce_only")
        notional = quantity * self.multiplier * self.price
        if not reduce_only and notional > 10 * self.balance:
            raise Refused("funds")
        self.orders[order.number] = order
        if posts and self._crosses(order):
            order.state = "cancelled"
        elif kind == "market" or self._crosses(order):
            self._fill(order)
        return order

    def cancel(self, client_id):
        order = self.by_client(client_id)
        if order is None or order.state != "live":
            raise Refused("gone")
        order.state = "cancelled"
        return order

    def move(self, price):
        """The market trades at ``price`` now: limits fill and stops fire."""
        self.price = Decimal(price)
        for order in self.open():
            if order.kind == "limit" and self._crosses(order):
                self._fill(order)
            elif order.kind == "stop" and self._fires(order):
                self._fire(order)

    def book(self, kind, change, at=None):
        """Money that comes or goes: ``kind`` is transfer, funding, trade or bonus."""
        self.balance += Decimal(change)
        self.bills.append((self.number(), kind, Decimal(change), at or self.clock()))

    def _fire(self, stop):
        if not self._reduces(stop):
            stop.state = "cancelled" if self.trims else "failed"
            return
        if not self._fits(stop):
            stop.state = "failed"
            return
        if not self.fires_anew:
            self._fill(stop)
            return
        made = Order(self.number(), "", stop.side, "market", stop.quantity, None, True)
        made.fired = stop.client_id
        self.orders[made.number] = made
        self._fill(made)
        stop.state, stop.fired = "fired", made.number

    def _fill(self, order):
        signed = order.quantity if order.side == "buy" else -order.quantity
        if order.reduce_only and abs(signed) > abs(self.position):
            signed = -self.position
        after = self.position + signed
        if self.position * signed < 0:
            self.balance += (self.price - self.entry) * -signed * self.multiplier
        elif after:
            worth = self.entry * self.position + self.price * signed
            self.entry = worth / after
        self.position = after
        self.balance -= abs(signed) * self.multiplier * self.price * self.fee
        order.filled, order.average, order.state = abs(signed), self.price, "filled"
        self.fills.append(Fill(self.number(), order, self.price, abs(signed), self.clock()))

    def _reduces(self, order):
        return self.position > 0 if order.side == "sell" else self.position < 0

    def _fits(self, order):
        """With what reduces before it, by price, no more than is held; a market order is first."""
        if self.trims:
            return True
        sign = 1 if order.side == "sell" else -1
        ahead = sum(
            other.quantity
            for other in self.open()
            if (other.kind, other.side, other.reduce_only) == ("limit", order.side, True)
            and order.kind == "limit"
            and sign * other.price <= sign * order.price
        )
        return order.quantity + ahead <= abs(self.position)

    def _crosses(self, order):
        return order.price >= self.price if order.side == "buy" else order.price <= self.price

    def _fires(self, order):
        return self.price <= order.price if order.side == "sell" else self.price >= order.price
