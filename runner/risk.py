"""Sizing and limits: how large an entry is, and whether the limits accept it. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from runner.exchange.base import Instrument
from runner.protocol import Limits


@dataclass(frozen=True)
class Exposure:
    """Where the account stands when an entry is considered; amounts in quote currency."""

    equity: Decimal
    day_start_equity: Decimal
    open_positions: int
    orders_last_minute: int


def entry_quantity(
    sizing: dict[str, Any], equity: Decimal, price: Decimal, instrument: Instrument
) -> Decimal:
    """Base units for one entry, rounded down to the venue's lot size."""
    value = Decimal(sizing["value"])
    if sizing["kind"] == "percent_equity":
        value = equity * value / 100
    return instrument.round_quantity(max(value, Decimal(0)) / price)


def refuse(notional: Decimal, limits: Limits, exposure: Exposure) -> str | None:
    """Why the limits refuse an entry of ``notional``, or ``None``. Exits are never limited."""
    loss = exposure.day_start_equity - exposure.equity
    checks = (
        (limits.max_order_notional, notional, "order value"),
        (limits.max_position_notional, notional, "position value"),
    )
    for limit, value, name in checks:
        if limit is not None and value > limit:
            return f"limit: {name} {value:.2f} would exceed {limit:f}"
    if limits.max_open_positions is not None and (
        exposure.open_positions >= limits.max_open_positions
    ):
        return f"limit: {exposure.open_positions} of {limits.max_open_positions} positions open"
    if limits.max_orders_per_minute is not None and (
        exposure.orders_last_minute >= limits.max_orders_per_minute
    ):
        return f"limit: {limits.max_orders_per_minute} orders per minute reached"
    if limits.max_daily_loss is not None and loss >= limits.max_daily_loss:
        return f"limit: daily loss {loss:.2f} reached {limits.max_daily_loss:f}; no entries today"
    return None
