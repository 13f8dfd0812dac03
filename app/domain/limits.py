"""A bot's own limits: how they are typed, what counts as raising them, what they allow. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from typing import Any

from app.domain.errors import Invalid
from runner.protocol import Limits, OnBreach

LARGEST = Decimal(1_000_000_000)
A_MONTH = 30 * 24 * 3600


class Looser(StrEnum):
    """Which way a limit lets more through."""

    LARGER = "larger"
    SMALLER = "smaller"
    LONGER = "longer list"
    MILDER = "milder"


@dataclass(frozen=True)
class Field:
    """One limit as people meet it. A whole number where ``whole``; ``most`` it may be."""

    title: str
    looser: Looser = Looser.LARGER
    whole: bool = False
    most: Decimal = LARGEST


FIELDS = {
    "max_position_notional": Field("Largest position"),
    "max_order_notional": Field("Largest order"),
    "max_daily_loss": Field("Daily loss limit"),
    "max_open_positions": Field("Open positions at once", whole=True),
    "max_drawdown": Field("Largest drawdown"),
    "max_leverage": Field("Largest leverage", most=Decimal(125)),
    "max_orders_per_minute": Field("Orders per minute", whole=True),
    "price_collar_percent": Field("Price collar", most=Decimal(100)),
    # The runner counts no further back than that.
    "max_error_streak": Field("Refused orders in a row", whole=True, most=Decimal(100)),
    "cooldown_seconds": Field(
        "Pause after a losing trade", Looser.SMALLER, whole=True, most=Decimal(A_MONTH)
    ),
    "balance_reserve": Field("Reserve", Looser.SMALLER),
    "allowed_symbols": Field("Allowed symbols", Looser.LONGER),
    "on_breach": Field("When a limit is passed", Looser.MILDER),
}
TITLES = {name: field.title for name, field in FIELDS.items()}
NUMBERS = tuple(name for name, it in FIELDS.items() if it.looser in (Looser.LARGER, Looser.SMALLER))
MILDNESS = (OnBreach.STOP, OnBreach.FLATTEN, OnBreach.PAUSE)


def looser(before: Any, after: Any, way: Looser = Looser.LARGER) -> bool:
    """Whether one limit lets more through than before; ``None`` is no limit at all."""
    if way is Looser.MILDER:
        return MILDNESS.index(after) > MILDNESS.index(before)
    if before is None or after is None:
        return before is not None
    if way is Looser.LONGER:
        return bool(set(after) - set(before))
    return bool(after < before if way is Looser.SMALLER else after > before)


def raised(before: Limits, after: Limits) -> list[str]:
    """The limits that let more through than before or go away, by name."""
    return [
        name
        for name, field in FIELDS.items()
        if looser(getattr(before, name), getattr(after, name), field.looser)
    ]


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


def parse(raw: Mapping[str, str], allowed: Sequence[str] = ()) -> Limits:
    """Limits from what was typed, empty meaning none. Raises ``Invalid`` naming the field.

    ``allowed``: the symbols that were ticked; with none, all are allowed.
    """
    values: dict[str, Any] = {}
    for name in NUMBERS:
        text = raw.get(name, "").strip()
        if text:
            values[name] = _number(name, text)
    if allowed:
        values["allowed_symbols"] = tuple(sorted(set(allowed)))
    chosen = raw.get("on_breach") or OnBreach.PAUSE.value
    if chosen not in set(OnBreach):
        raise Invalid("Choose what follows.", "on_breach")
    return Limits(**values, on_breach=OnBreach(chosen))


def _number(name: str, text: str) -> Any:
    field = FIELDS[name]
    kind: Any = int if field.whole else Decimal
    try:
        value = kind(text)
    except (ValueError, InvalidOperation):
        value = None
    if value is None or not Decimal(value).is_finite() or value <= 0:
        what = "whole number" if field.whole else "number"
        raise Invalid(f"Write a {what} above zero, or leave it empty for no limit.", name)
    if value > field.most:
        raise Invalid(f"Write at most {field.most:,f}, or leave it empty for no limit.", name)
    return value
