"""How an order ends that its venue does not find by our id: only by proof.

Venues forget: orders that ended without a trade within hours or days, traded ones later, trades
last. So "not found" alone says something only of an order that was never acknowledged, and only
while no venue could have forgotten it. For all others the open orders and the trades decide.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from runner.bench import Bench
from runner.exchange.base import Execution, OrderKind
from runner.protocol import Order, OrderStatus

if TYPE_CHECKING:
    from runner.desk import Desk

_REMEMBERED = timedelta(hours=1)
"""No venue forgets an order sooner; OKX, the quickest, keeps cancelled ones for two hours."""
_CLOCKS_APART = timedelta(seconds=5)


async def conclude(bench: Bench, desk: Desk, order: Order) -> None:
    """End ``order`` if it can be proven how. Raises ``Temporary``."""
    if order.status is OrderStatus.PLANNED:
        desk.mark(order, OrderStatus.REJECTED, "never sent: the process ended before it could be")
        return
    age = bench.clock.now() - order.decided_at
    if age <= bench.broker.unseen_after:
        return
    acknowledged = bool(order.venue_id) or order.filled > 0
    if not acknowledged and age <= _REMEMBERED:
        desk.mark(order, OrderStatus.REJECTED, "the venue never received it")
    elif not await _is_found_otherwise(bench, desk, order):
        await _end_by_trades(bench, desk, order, acknowledged=acknowledged)


async def _is_found_otherwise(bench: Bench, desk: Desk, order: Order) -> bool:
    """Whether the venue knows the order by its own id, or lists it as open."""
    if order.venue_id and order.kind != OrderKind.STOP_MARKET:
        report = await bench.broker.find_by_venue_id(order.symbol, order.venue_id)
        if report is not None:
            desk.apply(order, report)
            return True
    for report in await bench.broker.open_orders(order.symbol):
        if report.client_id == order.client_id:
            desk.apply(order, report)
            return True
    return False


async def _end_by_trades(bench: Bench, desk: Desk, order: Order, *, acknowledged: bool) -> None:
    """The order is not at work any more; what it did is what its trades say."""
    known = bench.journal.fill_venue_id(order.client_id)
    if known is None and order.kind != OrderKind.STOP_MARKET:
        known = order.venue_id
    since = order.decided_at - _CLOCKS_APART
    executions = await bench.broker.executions(order.symbol, since)
    if known is None:
        known = await _unclaimed(bench, desk, order, executions)
    own = [e for e in executions if known is not None and e.venue_id == known]
    for execution in own:
        if not desk.books.knows(execution):
            desk.claim(execution, order)
    fills = bench.journal.fills_of(order.client_id)
    filled = sum((fill.quantity for fill in fills), Decimal(0))
    paid = sum((fill.quantity * fill.price for fill in fills), Decimal(0))
    if filled > order.filled:
        order = bench.journal.update(
            order, bench.clock.now(), fill_venue_id=known, filled=filled, average=paid / filled
        )
    if order.filled >= order.quantity:
        status, reason = OrderStatus.FILLED, "the venue has forgotten it; its trades are all there"
    elif acknowledged or order.filled:
        status = OrderStatus.CANCELLED
        reason = f"no longer at the venue, which shows trades of {order.filled:f}"
    else:
        status, reason = OrderStatus.REJECTED, "the venue knows neither the order nor a trade of it"
    desk.mark(order, status, reason)


async def _unclaimed(
    bench: Bench, desk: Desk, order: Order, executions: list[Execution]
) -> str | None:
    """The venue's id of an order whose trades can only be this order's, or ``None``.

    Nobody else trades the symbol on the account, so trades of an order that the venue has
    forgotten, on the right side, after the decision and of no more than was wanted, are evidence.
    """
    sums: dict[str, Decimal] = {}
    for execution in sorted(executions, key=lambda e: e.at):
        if execution.side is order.side and not desk.books.knows(execution):
            sums[execution.venue_id] = sums.get(execution.venue_id, Decimal(0)) + execution.quantity
    for venue_id, quantity in sums.items():
        if quantity > order.quantity or bench.journal.order_of_venue_id(venue_id) is not None:
            continue
        if await bench.broker.find_by_venue_id(order.symbol, venue_id) is None:
            return venue_id
    return None
