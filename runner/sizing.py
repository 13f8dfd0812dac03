"""How large an entry is: what the strategy asks for, and what the limits leave of it. Pure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, NamedTuple

from runner.exchange.base import Book, Instrument
from runner.protocol import Limits, Side
from runner.risk import Exposure, Stake
from runner.strategy.indicators import Atr
from runner.strategy.spec import Bar

ZERO = Decimal(0)

Room = Callable[[Decimal | None], tuple[Decimal, str] | None]
"""What the limits leave for an order that reaches this price (``None``: beyond the book); see
``room``."""


class Size(NamedTuple):
    """How much to enter with.

    ``cut``: words for what a limit made of it, empty where nothing; ``fault``: why the venue would
    not take it.
    """

    quantity: Decimal
    cut: str = ""
    fault: str | None = None


def size_entry(
    sizing: dict[str, Any],
    equity: Decimal,
    side: Side,
    book: Book,
    instrument: Instrument,
    risk_distance: Decimal | None,
    room: Room,
) -> Size:
    """What the strategy asks for, cut to what the limits leave of it."""
    if sizing["kind"] == "atr_risk" and not risk_distance:
        return Size(ZERO, fault="the ATR that sizes the position is not known yet")
    if sizing["kind"] != "fixed_notional" and equity <= 0:
        text = f"the account's equity is {equity:.2f} {instrument.quote}: there is no share of it"
        return Size(ZERO, fault=text)
    price = book.asks[0][0] if side is Side.BUY else book.bids[0][0]
    quantity = entry_quantity(sizing, equity, price, instrument, risk_distance)
    most = room(book.worst_price(side, quantity))
    if most is not None and most[0] < quantity:
        left = instrument.round_quantity(most[0])
        # Too little for the venue is no size: then the limit itself says why not.
        if instrument.fault(left, price, reduce_only=False) is None:
            return Size(left, f", cut to {left:f} by the limit {most[1]}")
    return Size(quantity, fault=instrument.fault(quantity, price, reduce_only=False))


def entry_quantity(
    sizing: dict[str, Any],
    equity: Decimal,
    price: Decimal,
    instrument: Instrument,
    risk_distance: Decimal | None = None,
) -> Decimal:
    """Base units for one entry, rounded down to the venue's lot size.

    ``risk_distance``: how far in quote currency the price may go against a position sized by ATR;
    where it is not known, nothing is entered.
    """
    value = Decimal(sizing["value"])
    if sizing["kind"] == "fixed_notional":
        return instrument.round_quantity(value / price)
    value = max(equity * value / 100, ZERO)
    if sizing["kind"] == "percent_equity":
        return instrument.round_quantity(value / price)
    return instrument.round_quantity(value / risk_distance) if risk_distance else ZERO


def room(limits: Limits, exposure: Exposure, symbol: str) -> tuple[Decimal, str] | None:
    """The most base units that can be entered, and the limit that leaves no more.

    ``None`` where no limit is about size, or the mark is not known, which the limits refuse anyway.
    """
    stake = exposure.stakes.get(symbol, Stake())
    if not stake.mark:
        return None
    others = exposure.reach - stake.reach
    equity = max(exposure.equity, ZERO)
    found = []
    if limits.max_order_notional is not None:
        price = max(stake.mark, stake.price or ZERO)
        found.append((limits.max_order_notional / price, "max_order_notional"))
    if limits.max_position_notional is not None:
        left = limits.max_position_notional - stake.reach
        found.append((left / stake.mark, "max_position_notional"))
    if limits.max_leverage is not None:
        left = equity * limits.max_leverage - others - stake.reach
        found.append((left / stake.mark, "max_leverage"))
    if limits.balance_reserve is not None:
        usable = max(equity - limits.balance_reserve, ZERO) * (limits.max_leverage or 1)
        found.append(((usable - others - stake.reach) / stake.mark, "balance_reserve"))
    if not found:
        return None
    quantity, name = min(found)
    return max(quantity, ZERO), name


class AtrDistance:
    """The distance that sizing by ATR risks, from candles of the strategy's time frame."""

    def __init__(self, sizing: dict[str, Any]) -> None:
        by_atr = sizing["kind"] == "atr_risk"
        self.atr = Atr(int(sizing["period"])) if by_atr else None
        self._multiple = Decimal(str(sizing["multiple"])) if by_atr else Decimal(0)

    def update(self, bar: Bar) -> None:
        assert self.atr is not None
        self.atr.update(bar.high, bar.low, bar.close)

    @property
    def distance(self) -> Decimal | None:
        if self.atr is None or self.atr.value is None:
            return None
        return self._multiple * Decimal(repr(self.atr.value))
