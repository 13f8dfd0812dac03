"""What a strategy component is: its parameters, what it reads, what it answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from math import nan
from typing import Any, ClassVar, NamedTuple, Protocol

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

MOST_HISTORY = 20_000
"""Candles that are read at most before the first decision."""
MARKET_TYPES = ("linear", "inverse", "spot")
DIRECTIONS = ("long", "short", "both")
COMBINATIONS = ("weighted", "min_score", "min_signals", "all", "any", "majority")
SIZINGS = ("percent_equity", "fixed_notional", "atr_risk")
ROLES = {"signals": "signal", "filters": "filter", "guards": "guard", "gates": "gate"}
"""List in the rules to the role its components play; exits have a list of their own."""
GROUPS = (
    "trend",
    "mean reversion",
    "momentum",
    "volatility",
    "volume",
    "structure",
    "funding",
    "time",
    "external",
    "exit",
)

Params = Mapping[str, Any]
"""Parameter names to their values: numbers, or the text of a choice."""


@dataclass(frozen=True)
class Parameter:
    """One value a user may set: ``kind`` is int, float or choice.

    Bounds are inclusive and mean nothing for a choice, which takes one of ``choices``.
    """

    name: str
    title: str
    kind: str
    unit: str
    minimum: float
    maximum: float
    default: float | str
    help: str
    choices: tuple[str, ...] = ()


def _one_candle(_: Params) -> int:
    return 1


def _no_faults(_: Params) -> Iterable[tuple[str, str]]:
    return ()


@dataclass(frozen=True)
class ComponentSpec:
    """How a component presents itself to a person.

    ``directional``: it answers -1, 0 or 1, else 0 or 1. ``warmup``: candles of its own time frame
    until its value can be relied on, and ``days``: UTC days besides, for what begins at a time of
    day. ``sentence``: the condition in words that continue "it enters
    when …", or of an exit "it leaves a position …". ``faults``: what the parameters contradict
    each other in, as (name, what to do).
    """

    kind: str
    roles: tuple[str, ...]
    title: str
    summary: str
    parameters: tuple[Parameter, ...]
    group: str
    directional: bool
    sentence: Callable[[Params], str]
    warmup: Callable[[Params], int] = _one_candle
    days: int = 0
    faults: Callable[[Params], Iterable[tuple[str, str]]] = field(default=_no_faults)


class Bar(NamedTuple):
    """A closed candle as floats, for indicators only; money stays Decimal."""

    open: float
    high: float
    low: float
    close: float
    volume: float
    at: float = 0.0
    """Opening time, seconds since the epoch."""
    funding: float = nan
    """Last known funding rate, a share per funding interval; NaN where the market has none."""
    open_interest: float = nan
    """In base units; NaN where unknown."""


class Holding(NamedTuple):
    """An open position as an exit sees it; ``side`` is 1 or -1, prices in quote currency.

    ``candles``: how many closed since the one that decided the entry. ``best``: the most
    favourable price since entry, ``None`` where none was better. ``steps``: ladder steps taken.
    ``anchors``: what ``Engine.anchors`` said last, by kind of exit.
    """

    side: int
    entry_price: Decimal
    candles: int = 0
    best: Decimal | None = None
    opened_at: datetime | None = None
    steps: int = 0
    anchors: Mapping[str, Decimal] = {}

    @property
    def peak(self) -> Decimal:
        """The best price, which is the entry's where nothing better was seen."""
        if self.best is None:
            return self.entry_price
        better = (self.best - self.entry_price) * self.side > 0
        return self.best if better else self.entry_price


class Component(Protocol):
    """A signal, filter, guard or gate: reads each closed candle once, in order."""

    spec: ClassVar[ComponentSpec]

    def __init__(self, params: Params) -> None: ...

    def update(self, bar: Bar) -> int | None:
        """-1, 0 or 1 if directional, else 1 or 0; ``None`` while warming up. Makes no text."""

    def detail(self) -> str:
        """Words for the last update; asked for only when somebody reads, never while warming."""
