"""Steps that hold something for a moment: in and out, reducing only, and the stop."""

from __future__ import annotations

from decimal import Decimal

from runner.certify.sizes import far_below, smallest
from runner.certify.stand import AT_WORK, Stand, told
from runner.certify.verdict import NotShown, Unexpected
from runner.errors import Operational, Temporary
from runner.exchange.base import TOP, OrderKind, request_of
from runner.exchange.causes import SENTENCES, Cause
from runner.protocol import Order, OrderStatus, Side

_REFUSED = SENTENCES[Cause.REDUCE_ONLY]
_MOST_SLIP = Decimal("0.02")
_HOLD_SECONDS = 3.0
_ROUNDS, _ROUND_SECONDS, _LOOK_SECONDS = 4, 20.0, 0.5


async def market(stand: Stand) -> str:
    """In, with a trade, a fee and a position that says the same; and out to nothing."""
    entry = await _enter(stand, "market in")
    fills = stand.bench.journal.fills_of(entry.client_id)
    if sum((fill.quantity for fill in fills), Decimal(0)) != entry.quantity:
        raise Unexpected("the trades of the order do not add up to it")
    if any(fill.fee_currency == "" for fill in fills):
        raise Unexpected("a trade names no fee")
    out = stand.intent("market out", Side.SELL, entry.quantity, reduce_only=True)
    left = await stand.over(await stand.send(out))
    if left.status is not OrderStatus.FILLED:
        raise Unexpected(f"the way out should have filled; {told(left)}")
    await stand.balanced(Decimal(0))
    return f"{entry.quantity:f} in at {entry.average} and out at {left.average}"


async def reduce_only(stand: Stand) -> str:
    """With nothing held it opens nothing; for more than is held it does not turn a position."""
    quantity, _ = await smallest(stand)
    for name, held in (("reduce nothing", Decimal(0)), ("reduce too much", quantity)):
        if held:
            await _enter(stand, "to be reduced")
        stand.traded = True
        intent = stand.intent(name, Side.SELL, quantity * 2, reduce_only=True)
        order = await stand.over(await stand.desk.submit(intent))
        if order.status is OrderStatus.REJECTED and _REFUSED not in order.reason:
            raise (Temporary if stand.desk.passing else Operational)(order.reason)
        await stand.balanced(held - order.filled)
        if order.filled > held:
            raise Unexpected(f"a reduce-only order traded {order.filled:f} with {held:f} held")
    await stand.flatten()
    return "it opened nothing where nothing was held, and turned no position"


async def stop(stand: Stand) -> str:
    """Placed, seen resting as it was meant, left alone for a moment, and taken back."""
    entry = await _enter(stand, "stopped")
    book = await stand.market.book(stand.symbol, TOP)
    order = await _stop(stand, "stop", entry.quantity, far_below(stand, book))
    seen = next((o for o in await stand.resting() if o.client_id == order.client_id), None)
    if seen is None or seen.kind is not OrderKind.STOP_MARKET:
        raise Unexpected("the stop was taken, and the venue lists none")
    sent = (order.price, order.quantity, Side.SELL, True)
    if (seen.price, seen.quantity, seen.side, seen.reduce_only) != sent:
        raise Unexpected(f"the stop rests as {seen.side} {seen.quantity:f} at {seen.price}")
    stand.tell(f"the stop rests at {order.price:f}")
    await stand.clock.sleep(_HOLD_SECONDS)
    report = await stand.broker.find(request_of(order))
    if report is None or report.status is not OrderStatus.OPEN:
        now = (await stand.market.book(stand.symbol, TOP)).middle
        await stand.over(order)
        raise Unexpected(
            f"the stop at {order.price:f} should rest and has fired: the price went from "
            f"{book.middle:f} to {now:f} within {_HOLD_SECONDS:.0f} s"
        )
    await stand.desk.cancel(order)
    ended = await stand.over(order)
    if ended.status is not OrderStatus.CANCELLED or await stand.resting():
        raise Unexpected(f"the stop was taken back; {told(ended)}")
    await stand.balanced(entry.quantity)
    await stand.flatten()
    return f"a stop at {order.price:f} rested, was listed as it was sent, and was taken back"


async def stop_trigger(stand: Stand) -> str:
    """A tick below the price, and again, until it fires; then nothing is held."""
    entry = await _enter(stand, "stopped out")
    for number in range(_ROUNDS):
        book = await stand.market.book(stand.symbol, TOP)
        rules = stand.market.instrument(stand.symbol)
        trigger = book.bids[0][0] - rules.tick * (number + 2)
        order = await _stop(stand, f"trigger {number}", entry.quantity, trigger)
        if await _fires(stand, order):
            ended = await stand.over(order)
            if ended.status is not OrderStatus.FILLED or ended.filled != entry.quantity:
                raise Unexpected(f"the stop fired and did not close the position; {told(ended)}")
            await stand.balanced(Decimal(0))
            return f"the stop at {trigger:f} fired and closed {ended.filled:f} at {ended.average}"
        await stand.desk.cancel(order)
        await stand.over(order)
    await stand.flatten()
    raise NotShown("the price never came to the stop")


async def _fires(stand: Stand, order: Order) -> bool:
    deadline = stand.clock.monotonic() + _ROUND_SECONDS
    while stand.clock.monotonic() < deadline:
        await stand.clock.sleep(_LOOK_SECONDS)
        report = await stand.broker.find(request_of(order))
        if report is not None and report.status not in AT_WORK:
            return True
    return False


async def _stop(stand: Stand, name: str, quantity: Decimal, trigger: Decimal) -> Order:
    kind = OrderKind.STOP_MARKET
    return await stand.send(
        stand.intent(name, Side.SELL, quantity, kind, trigger, reduce_only=True)
    )


async def _enter(stand: Stand, name: str) -> Order:
    """Buy the smallest quantity at market, near the price that was seen."""
    quantity, price = await smallest(stand)
    order = await stand.over(await stand.send(stand.intent(name, Side.BUY, quantity)))
    if order.status is not OrderStatus.FILLED or order.average is None:
        raise Unexpected(f"a market order should fill; {told(order)}")
    await stand.balanced(quantity)
    if abs(order.average - price) > price * _MOST_SLIP:
        raise Unexpected(f"the price was {price:f}, and the order filled at {order.average:f}")
    return order
