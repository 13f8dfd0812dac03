"""How well orders were carried out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from runner.metrics.facts import Figure, Period
from runner.metrics.figures import Sheet
from runner.protocol import OrderStatus, Side

NO_ORDER = "No order ended in this period."
NO_FILL = "Nothing was filled in this period."


@dataclass(frozen=True, slots=True)
class OrderOutcome:
    """One order that has ended. ``arrival``: the price at its decision; quantities in base units.

    ``seconds``: from the decision to the last fill. ``maker``: the notional that was filled as
    maker.
    """

    side: Side
    status: OrderStatus
    quantity: Decimal
    filled: Decimal
    average: Decimal | None = None
    arrival: Decimal | None = None
    seconds: float | None = None
    maker: Decimal = Decimal(0)


@dataclass(slots=True)
class ExecutionTally:
    """Sums over orders that ended. ``notional``: of all fills; ``maker``: of those as maker.

    ``arrived``: orders filled that know the price at their decision, worth
    ``arrival_notional`` at it; ``slippage``: what they cost against it in quote currency.
    """

    orders: int = 0
    rejected: int = 0
    ratios: float = 0.0
    timed: int = 0
    seconds: float = 0.0
    fills: int = 0
    notional: float = 0.0
    maker: float = 0.0
    arrived: int = 0
    arrival_notional: float = 0.0
    slippage: float = 0.0


def execution_tally(orders: Iterable[OrderOutcome]) -> ExecutionTally:
    """Add up orders that have ended."""
    found = ExecutionTally()
    for order in orders:
        found.orders += 1
        if order.status is OrderStatus.REJECTED:
            found.rejected += 1
            continue
        found.ratios += float(order.filled / order.quantity)
        if not order.filled or order.average is None:
            continue
        found.fills += 1
        found.notional += float(order.filled * order.average)
        found.maker += float(order.maker)
        if order.seconds is not None:
            found.timed += 1
            found.seconds += order.seconds
        if order.arrival is not None:
            _arrive(found, order, order.average, order.arrival)
    return found


def execution_figures(sums: ExecutionTally, period: Period) -> dict[str, Figure]:
    """What became of the orders of a period."""
    sheet, sent = Sheet(period), sums.orders - sums.rejected
    sheet.add(
        *("arrival_slippage", "Arrival slippage", "bp"),
        10_000 * sums.slippage / sums.arrival_notional if sums.arrival_notional else None,
        sums.arrived,
        "How much worse orders were filled than the price at their decision, weighted by notional; "
        "for a stop that is its trigger. Positive is a cost.",
        "No filled order of the period has a known price at its decision.",
    )
    sheet.add(
        *("fill_ratio", "Fill ratio", "percent", 100 * sums.ratios / sent if sent else None, sent),
        "Mean share of an order that was filled; rejected orders do not count.",
        NO_ORDER,
    )
    sheet.add(
        *("time_to_fill", "Time to fill", "seconds"),
        sums.seconds / sums.timed if sums.timed else None,
        sums.timed,
        "Mean time from the decision to the last fill; protective stops, which wait on purpose, "
        "do not count.",
        NO_FILL,
    )
    sheet.add(
        *("maker_share", "Maker share", "percent"),
        100 * sums.maker / sums.notional if sums.notional else None,
        *(sums.fills, "Notional filled as maker, of all notional filled.", NO_FILL),
    )
    sheet.add(
        *("rejects", "Rejected orders", "percent"),
        100 * sums.rejected / sums.orders if sums.orders else None,
        *(sums.orders, "Orders the venue or the risk gate refused, of all that ended.", NO_ORDER),
    )
    return sheet.found


def _arrive(found: ExecutionTally, order: OrderOutcome, average: Decimal, at: Decimal) -> None:
    worse = average - at if order.side is Side.BUY else at - average
    found.arrived += 1
    found.arrival_notional += float(order.filled * at)
    found.slippage += float(order.filled * worse)
