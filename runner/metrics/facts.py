"""What goes into statistics, and what comes out."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from runner.protocol import Side


@dataclass(frozen=True, slots=True)
class Period:
    """The stretch of time a figure speaks of, half-open ``[start, end)``, UTC."""

    start: datetime
    end: datetime

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end - self.start) / timedelta(seconds=1)

    @property
    def years(self) -> float:
        """Its length in years of 365 days."""
        return self.seconds / (365 * 86_400)


@dataclass(frozen=True, slots=True)
class ClosedTrade:
    """From flat to flat. Quantity in base units, everything else in quote currency.

    ``funding`` is positive when it was received. ``slippage``: what the fills cost against the
    prices at the decisions, positive when worse. ``max_adverse`` and ``max_favourable``: how far
    the open result went down and up, both without sign. ``None`` where nobody knows.
    """

    opened_at: datetime
    closed_at: datetime
    side: Side
    symbol: str
    quantity: Decimal
    entry_notional: Decimal
    exit_notional: Decimal
    fees: Decimal
    funding: Decimal = Decimal(0)
    exit_reason: str = ""
    slippage: Decimal | None = None
    max_adverse: Decimal | None = None
    max_favourable: Decimal | None = None

    @property
    def net(self) -> Decimal:
        """The result after fees and funding."""
        moved = self.exit_notional - self.entry_notional
        return (moved if self.side is Side.BUY else -moved) - self.fees + self.funding

    @property
    def seconds(self) -> float:
        """How long it was held."""
        return (self.closed_at - self.opened_at) / timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Figure:
    """One statistic. ``value`` is ``None`` where it is undefined, and ``reason`` says why.

    ``unit``: money (quote currency), percent, ratio, count, seconds, days, bp (0.01 %).
    ``sample`` is how many things it was computed from.
    """

    name: str
    value: float | None
    unit: str
    definition: str
    period: Period
    sample: int
    reason: str = ""
