"""An account: wallet, positions and leverage, with the margin arithmetic of one-way mode."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from app.practice.instruments import INSTRUMENTS
from app.practice.orders import ZERO, Conditional, Order, Side

OPENING_BALANCE = Decimal(10_000)
CENT = Decimal("0.00000001")  # the smallest amount a wallet knows
Marks = Callable[[str], Decimal]


def rounded(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_EVEN)


@dataclass
class Position:
    """Signed quantity and what it cost: keeping cost, not entry price, keeps the sums exact."""

    qty: Decimal = ZERO
    cost: Decimal = ZERO  # signed, quote currency
    isolated: Decimal = ZERO  # margin set aside in isolated mode, part of the wallet
    updated: int = 0

    @property
    def entry(self) -> Decimal:
        return self.cost / self.qty if self.qty else ZERO

    def unrealized(self, mark: Decimal) -> Decimal:
        return self.qty * mark - self.cost

    def trade(self, signed: Decimal, price: Decimal) -> Decimal:
        """Add a signed quantity at ``price``; returns the profit realized by what it closed."""
        realized = ZERO
        if self.qty * signed < 0:
            closing = min(abs(signed), abs(self.qty))
            part = (
                self.cost
                if closing == abs(self.qty)
                else rounded(self.cost * closing / abs(self.qty))
            )
            closed = closing if self.qty > 0 else -closing
            realized = closed * price - part
            self.cost -= part
            self.qty -= closed
            signed += closed
        self.qty += signed
        self.cost += signed * price
        return realized


@dataclass
class Settings:
    """Per symbol: leverage and margin type."""

    leverage: int = 20
    isolated: bool = False


@dataclass
class Account:
    """Everything the venue knows of one API key; amounts in quote currency."""

    id: str
    opened: int
    wallet: Decimal = ZERO
    positions: dict[str, Position] = field(default_factory=dict)
    settings: dict[str, Settings] = field(default_factory=dict)
    orders: dict[int, Order] = field(default_factory=dict)
    conditionals: dict[int, Conditional] = field(default_factory=dict)

    def position(self, symbol: str) -> Position:
        return self.positions.setdefault(symbol, Position())

    def setting(self, symbol: str) -> Settings:
        return self.settings.setdefault(symbol, Settings())

    def resting(self, symbol: str) -> list[Order]:
        return [order for order in self.orders.values() if order.symbol == symbol]

    def open_symbols(self) -> list[str]:
        return [symbol for symbol, position in self.positions.items() if position.qty]

    def _isolated(self, symbol: str) -> bool:
        return self.setting(symbol).isolated

    def initial_margin(self, symbol: str, mark: Decimal, extra: Iterable[Order] = ()) -> Decimal:
        """Margin for the position and the worse side of the resting orders plus ``extra``."""
        held = self.position(symbol).qty * mark
        sums = {Side.BUY: held, Side.SELL: held}
        for order in [*self.resting(symbol), *extra]:
            if not order.reduce_only:
                sums[order.side] += order.side.sign * order.remaining * (order.price or mark)
        worst = max(abs(sums[Side.BUY]), abs(sums[Side.SELL]), abs(held))
        return worst / self.setting(symbol).leverage

    def position_margin(self, symbol: str, mark: Decimal) -> Decimal:
        return abs(self.position(symbol).qty) * mark / self.setting(symbol).leverage

    def maintenance(self, symbol: str, mark: Decimal) -> Decimal:
        """Maintenance margin: notional times its tier's rate, less the tier's amount."""
        notional = abs(self.position(symbol).qty) * mark
        tier = INSTRUMENTS[symbol].bracket(notional)
        return notional * tier.rate - tier.cumulative

    def unrealized(self, marks: Marks) -> Decimal:
        return sum((p.unrealized(marks(s)) for s, p in self.positions.items() if p.qty), ZERO)

    def cross_wallet(self) -> Decimal:
        return self.wallet - sum((p.isolated for p in self.positions.values()), ZERO)

    def cross_unrealized(self, marks: Marks) -> Decimal:
        return sum(
            (
                self.positions[symbol].unrealized(marks(symbol))
                for symbol in self.open_symbols()
                if not self._isolated(symbol)
            ),
            ZERO,
        )

    def cross_maintenance(self, marks: Marks) -> Decimal:
        return sum(
            (
                self.maintenance(symbol, marks(symbol))
                for symbol in self.open_symbols()
                if not self._isolated(symbol)
            ),
            ZERO,
        )

    def used(self, marks: Marks) -> Decimal:
        """Initial margin of everything held and resting."""
        symbols = set(self.open_symbols()) | {order.symbol for order in self.orders.values()}
        return sum((self.initial_margin(symbol, marks(symbol)) for symbol in symbols), ZERO)

    def available(self, marks: Marks) -> Decimal:
        """What may be put at risk by new orders; never negative."""
        blocked = self.used(marks)
        for symbol in self.open_symbols():
            if self._isolated(symbol):  # already set aside from the cross wallet
                blocked -= self.position_margin(symbol, marks(symbol))
        return max(ZERO, self.cross_wallet() + self.cross_unrealized(marks) - blocked)

    def liquidation_price(self, symbol: str, marks: Marks) -> Decimal:
        """The mark price at which margin equals maintenance margin, others held still; 0 if none.

        Solves margin + qty * (p - entry) = |qty| * p * rate - cumulative for p.
        """
        position = self.position(symbol)
        if not position.qty:
            return ZERO
        mark = marks(symbol)
        if self._isolated(symbol):
            margin = position.isolated
        else:
            others = self.cross_unrealized(marks) - position.unrealized(mark)
            kept = self.cross_maintenance(marks) - self.maintenance(symbol, mark)
            margin = self.cross_wallet() + others - kept
        tier = INSTRUMENTS[symbol].bracket(abs(position.qty) * mark)
        slope = abs(position.qty) * tier.rate - position.qty
        price = (margin - position.cost + tier.cumulative) / slope
        return max(ZERO, price)
