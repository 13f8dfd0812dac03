"""A bot's own limits: what counts as raising them, and how much a bot may hold under them. Pure."""

from dataclasses import fields
from decimal import Decimal
from typing import Any

from runner.protocol import Limits

TITLES = {
    "max_position_notional": "Largest position",
    "max_order_notional": "Largest order",
    "max_daily_loss": "Daily loss limit",
    "max_open_positions": "Open positions at once",
    "max_orders_per_minute": "Orders per minute",
}


def looser(before: Any, after: Any) -> bool:
    """Whether one limit lets more through than before; ``None`` is no limit at all."""
    return before is not None and (after is None or after > before)


def raised(before: Limits, after: Limits) -> list[str]:
    """The limits that become larger or go away, by name."""
    names = [field.name for field in fields(Limits)]
    return [name for name in names if looser(getattr(before, name), getattr(after, name))]


def lower_of(before: Limits, after: Limits) -> Limits:
    """``after`` where it is no raise, else ``before``: what may be done without asking anybody."""
    up = raised(before, after)
    names = [field.name for field in fields(Limits)]
    return Limits(**{name: getattr(before if name in up else after, name) for name in names})


def largest_holding(limits: Limits, symbols: int) -> Decimal | None:
    """What a bot may hold in all, in quote currency at its entry prices; ``None`` is no bound.

    The runner (``runner/risk.py``) enters a symbol with one order while it holds none of it, checks
    that order against both notional limits, and counts open positions across its symbols.
    """
    bounds = (limits.max_position_notional, limits.max_order_notional)
    each = min((bound for bound in bounds if bound is not None), default=None)
    if each is None:
        return None
    return each * min(limits.max_open_positions or symbols, symbols)
