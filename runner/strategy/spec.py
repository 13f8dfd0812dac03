"""What a strategy component is: its parameters, what it reads, what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

TIMEFRAMES: dict[str, int] = {
    "1s": 1,
    "1m": 60,
    "5m": 300,
    "15m": 900,
    "1h": 3600,
    "4h": 14400,
    "1d": 86400,
}
"""Timeframe to its length in seconds."""

MARKET_TYPES = ("linear", "inverse", "spot")
DIRECTIONS = ("long", "short", "both")
COMBINATIONS = ("min_score", "min_signals")
SIZINGS = ("percent_equity", "fixed_notional")
ROLES = {"signals": "signal", "filters": "filter", "guards": "guard", "gates": "gate"}
"""List in the rules to the role its components play; exits have a list of their own."""

Params = dict[str, float]


@dataclass(frozen=True)
class Parameter:
    """One number a user may set; bounds are inclusive."""

    name: str
    title: str
    kind: str
    unit: str
    minimum: float
    maximum: float
    default: float
    help: str


@dataclass(frozen=True)
class ComponentSpec:
    """How a component presents itself to a person."""

    kind: str
    roles: tuple[str, ...]
    title: str
    summary: str
    parameters: tuple[Parameter, ...]


class Bar(NamedTuple):
    """A closed candle as floats, for indicators only; money stays Decimal."""

    open: float
    high: float
    low: float
    close: float
    volume: float


class Reading(NamedTuple):
    """What a component concluded; ``value`` is ``None`` while it warms up."""

    value: int | None
    detail: str


@dataclass(frozen=True)
class Holding:
    """An open position as an exit sees it; ``side`` is 1 or -1, prices in quote currency."""

    side: int
    entry_price: Decimal
    candles: int


class Component(Protocol):
    """A signal, filter, guard or gate: reads each closed candle once, in order."""

    def update(self, bar: Bar) -> Reading: ...


class Exit(Protocol):
    """A rule that ends a position."""

    def level(self, holding: Holding) -> Decimal | None:
        """The price at which it fires, where it has one; such exits are watched on every tick."""

    def check(self, holding: Holding, price: Decimal, direction: int) -> Reading:
        """Judge a closed candle; ``direction`` is what the signals now ask for (-1, 0, 1)."""
