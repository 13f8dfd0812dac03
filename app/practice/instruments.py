"""The contracts on offer: filters, margin brackets, and the figures price paths start from."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

MAKER_FEE = Decimal("0.0002")
TAKER_FEE = Decimal("0.0004")
# Limit prices must lie within this share of the mark price (filter PERCENT_PRICE).
PRICE_BAND = Decimal("0.05")
FUNDING_HOURS = 8
LISTED_MS = 1_577_836_800_000  # 2020-01-01: candles exist from here on


@dataclass(frozen=True)
class Bracket:
    """One leverage tier: notional from ``floor`` to ``cap`` in quote currency."""

    number: int
    floor: Decimal
    cap: Decimal
    leverage: int
    rate: Decimal  # maintenance margin rate
    cumulative: Decimal  # makes the maintenance margin continuous at the floor


def _brackets(*tiers: tuple[int, int, str]) -> tuple[Bracket, ...]:
    built: list[Bracket] = []
    floor, cumulative = Decimal(0), Decimal(0)
    for number, (cap, leverage, rate) in enumerate(tiers, 1):
        if built:
            cumulative += floor * (Decimal(rate) - built[-1].rate)
        built.append(Bracket(number, floor, Decimal(cap), leverage, Decimal(rate), cumulative))
        floor = Decimal(cap)
    return tuple(built)


@dataclass(frozen=True)
class Instrument:
    """A linear perpetual. ``anchor`` and ``daily_volume`` feed the price path, nothing else."""

    symbol: str
    base: str
    tick: Decimal  # quote currency
    step: Decimal  # base currency
    max_qty: Decimal
    market_max_qty: Decimal
    min_notional: Decimal
    brackets: tuple[Bracket, ...]
    anchor: int  # price the path swings about, in ticks
    daily_volume: int  # in steps
    depth: int  # typical size of one level, in steps
    grid: int  # ticks between two levels

    def price(self, ticks: int) -> Decimal:
        return self.tick * ticks

    def ticks(self, price: Decimal) -> int:
        """The tick nearest to ``price``."""
        return int((price / self.tick).quantize(Decimal(1), ROUND_HALF_EVEN))

    def qty(self, steps: int) -> Decimal:
        return self.step * steps

    def steps(self, qty: Decimal) -> int:
        """Whole steps in ``qty``, rounded down."""
        return int(qty / self.step)

    def bracket(self, notional: Decimal) -> Bracket:
        """The tier ``notional`` (absolute, quote currency) falls in; the last one has no end."""
        for tier in self.brackets:
            if notional < tier.cap:
                return tier
        return self.brackets[-1]

    def max_notional(self, leverage: int) -> Decimal:
        """The largest position allowed at ``leverage``, in quote currency."""
        return max(tier.cap for tier in self.brackets if tier.leverage >= leverage)


_MAJOR = _brackets(
    (50_000, 125, "0.004"),
    (600_000, 100, "0.005"),
    (3_000_000, 75, "0.0065"),
    (12_000_000, 50, "0.01"),
    (70_000_000, 25, "0.02"),
    (100_000_000, 20, "0.025"),
    (230_000_000, 10, "0.05"),
    (1_000_000_000, 5, "0.1"),
)
_MINOR = _brackets(
    (10_000, 75, "0.005"),
    (100_000, 50, "0.0065"),
    (1_000_000, 25, "0.01"),
    (5_000_000, 20, "0.02"),
    (20_000_000, 10, "0.05"),
    (50_000_000, 5, "0.1"),
)

_ALL = (
    Instrument(
        symbol="BTCUSDT",
        base="BTC",
        tick=Decimal("0.1"),
        step=Decimal("0.001"),
        max_qty=Decimal(1000),
        market_max_qty=Decimal(120),
        min_notional=Decimal(100),
        brackets=_MAJOR,
        anchor=640_000,
        daily_volume=120_000_000,
        depth=900,
        grid=5,
    ),
    Instrument(
        symbol="ETHUSDT",
        base="ETH",
        tick=Decimal("0.01"),
        step=Decimal("0.001"),
        max_qty=Decimal(10_000),
        market_max_qty=Decimal(2000),
        min_notional=Decimal(20),
        brackets=_MAJOR,
        anchor=320_000,
        daily_volume=2_400_000_000,
        depth=18_000,
        grid=4,
    ),
    Instrument(
        symbol="SOLUSDT",
        base="SOL",
        tick=Decimal("0.01"),
        step=Decimal("0.01"),
        max_qty=Decimal(100_000),
        market_max_qty=Decimal(20_000),
        min_notional=Decimal(5),
        brackets=_MINOR,
        anchor=16_000,
        daily_volume=2_000_000_000,
        depth=12_000,
        grid=1,
    ),
)
INSTRUMENTS: dict[str, Instrument] = {one.symbol: one for one in _ALL}
