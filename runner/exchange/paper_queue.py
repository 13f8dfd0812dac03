"""How a print of the tape serves the limits that rest at a paper venue."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from runner.exchange.base import OrderKind, OrderReport, PublicTrade
from runner.exchange.paper_account import PaperAccount, Priced
from runner.exchange.paper_depth import Depth, is_beyond
from runner.exchange.paper_state import PaperState, Wait
from runner.protocol import OrderStatus, Side

ZERO = Decimal(0)
_THROUGH = "the market traded through the limit price"
_SERVED = "the queue before it at the limit price was served"


def serve(
    state: PaperState,
    account: PaperAccount,
    symbol: str,
    trade: PublicTrade,
    depth: Depth | None,
) -> None:
    """Give a print to the resting limits it was made against: best price first, then the oldest.

    What one of them got, the next cannot have: together they get no more than was traded.
    """
    used = ZERO
    for order, before in _resting(state, symbol, trade):
        excess, wait = _beyond_the_queue(order, before, trade, state)
        rest = order.quantity - order.filled
        rest = min(rest, account.reducible(order)) if order.reduce_only else rest
        quantity = min(rest, excess - used)
        if not rest:
            state.keep(replace(order, status=OrderStatus.CANCELLED), None)
        elif quantity > 0:
            used += quantity
            part, why = _priced(order, quantity, trade, depth)
            state.keep(account.fill(order, [part], "maker", why, trade.at), wait)
        else:
            state.keep(order, wait)


def _resting(state: PaperState, symbol: str, trade: PublicTrade) -> list[tuple[OrderReport, Wait]]:
    """Limits that were there before the print and stand against its taker."""
    found = [
        (order, wait)
        for order, wait in state.waiting(symbol)
        if order.kind is OrderKind.LIMIT
        and wait.due is None
        and wait.since < trade.at
        and order.side is not trade.side
    ]

    def distance(pair: tuple[OrderReport, Wait]) -> Decimal:
        price = pair[0].price or ZERO
        return -price if pair[0].side is Side.BUY else price

    return sorted(found, key=distance)


def _beyond_the_queue(
    order: OrderReport, wait: Wait, trade: PublicTrade, state: PaperState
) -> tuple[Decimal, Wait]:
    """How much of the print is left for the order, and its queue afterwards.

    Whom the taker was is not told by every venue; then a print at the price proves nothing. One
    from before the last picture is in that picture already and must not serve the queue twice.
    """
    if is_through(order, trade.price):
        return trade.quantity, replace(wait, ahead=ZERO)
    if trade.price != order.price or trade.side is None or wait.ahead is None:
        return ZERO, wait
    if wait.ahead and trade.at <= state.booked[order.symbol]:
        return ZERO, wait
    excess = max(trade.quantity - wait.ahead, ZERO)
    return excess, replace(wait, ahead=max(wait.ahead - trade.quantity, ZERO))


def _priced(
    order: OrderReport, quantity: Decimal, trade: PublicTrade, depth: Depth | None
) -> tuple[Priced, str]:
    """A fill by the queue is a guess at one's place; without it, one would have crossed."""
    assert order.price is not None
    limit = order.price
    if is_through(order, trade.price):
        return Priced(limit, quantity, limit, limit), _THROUGH
    crossing = limit if depth is None else depth.touch(order.side)
    worst = crossing if is_beyond(order.side, crossing, limit) else limit
    return Priced(limit, quantity, limit, worst), _SERVED


def is_through(order: OrderReport, price: Decimal) -> bool:
    """Whether the market trades where it could not without filling the order first."""
    assert order.price is not None
    return price < order.price if order.side is Side.BUY else price > order.price
