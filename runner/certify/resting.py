"""Steps about limit orders: resting, moved, raced, doubled, filled in part."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from decimal import Decimal

from runner.certify.sizes import above, far_below, least, smallest
from runner.certify.stand import AT_WORK, Stand, told
from runner.certify.verdict import NotOffered, NotShown, Unexpected
from runner.desk import Intent
from runner.errors import Operational, UnknownOutcome
from runner.exchange.base import TOP, Book, OrderKind, OrderReport, OrderRequest, request_of
from runner.exchange.causes import SENTENCES, UNPROVEN, Cause
from runner.protocol import Order, OrderStatus, Side

_TRIES, _LOOKS, _PAUSE_SECONDS = 20, 10, 1.0
_BEYOND_LEVEL, _MANY_LEVELS = Decimal("1.2"), 3
_SHARE_OF_ACCOUNT = Decimal("0.6")


async def limit(stand: Stand) -> str:
    """Placed, found by its own id, listed, and taken back."""
    order = await rest(stand, "limit")
    report = await stand.broker.find(request_of(order))
    if report is None or report.status is not OrderStatus.OPEN:
        raise Unexpected("the order was taken, and cannot be found by its own id")
    if (report.price, report.quantity, report.side) != (order.price, order.quantity, order.side):
        raise Unexpected(f"the venue says {report.quantity:f} at {report.price}, sent was another")
    await _one_rests(stand, order)
    await take_back(stand, order)
    return f"{order.quantity:f} at {order.price:f} rested, was found by its id and taken back"


async def amend(stand: Stand) -> str:
    """The runner moves an order by a new one, and takes the old one back once that rests."""
    old = await rest(stand, "moved from")
    new = await rest(stand, "moved to", steps=2)
    await take_back(stand, old)
    await _one_rests(stand, new)
    await take_back(stand, new)
    return f"moved from {old.price:f} to {new.price:f} by a second order, then one rested"


async def post_only(stand: Stand) -> str:
    """A post-only order that would take is refused, and trades nothing.

    Its price lies beyond the best one, so that it still takes when the book has moved by the time
    it arrives.
    """
    book = await stand.market.book(stand.symbol, TOP)
    request = replace(_request(stand, "post-only", book), price=above(stand, book), post_only=True)
    stand.traded = True
    report: OrderReport | None
    try:
        report = await stand.broker.place(request)
    except Operational as error:
        if str(error) == UNPROVEN.format(venue=stand.place.exchange, kind="post-only"):
            raise NotOffered(str(error)) from error
        if SENTENCES[Cause.PRICE] not in str(error):
            raise
        report = await stand.broker.find(request)
        if report is None:
            return f"refused: {error}"
    await stand.desk.settle()
    if report is not None and report.filled:
        raise Unexpected(f"a post-only order took {report.filled:f}")
    if report is not None and report.status in AT_WORK:
        await stand.broker.cancel(request)
        raise Unexpected("a post-only order at the other side's price rests")
    return "it ended without a trade"


async def duplicate(stand: Stand) -> str:
    """The same id twice is one order: here without a request, at the venue by its refusal."""
    order = await rest(stand, "duplicate")
    again = await stand.desk.submit(_intent(stand, "duplicate", order.quantity, order.price))
    if again.venue_id != order.venue_id:
        raise Unexpected("the runner sent the same order twice")
    try:
        await stand.broker.place(request_of(order))
        words = "was answered as if it were new"
    except (Operational, UnknownOutcome) as error:
        words = f"was refused: {error}"
        if SENTENCES[Cause.DUPLICATE] not in words:
            raise
    await _one_rests(stand, order)
    await take_back(stand, order)
    return f"the same id a second time {words}; one order rested"


async def cancel_race(stand: Stand) -> str:
    """Taken back while it is sent, at a price that trades: the end is read, never assumed."""
    ends = []
    for where in ("at the ask", "at the bid"):
        book = await stand.market.book(stand.symbol, TOP)
        stand.traded = True
        price = (book.asks if where == "at the ask" else book.bids)[0][0]
        intent = _intent(stand, f"race {where}", least(stand, book), price)
        name = stand.desk.order_id(intent.decision, intent.leg)
        sending = asyncio.create_task(stand.desk.submit(intent))
        await asyncio.sleep(0)  # the order is in the journal, its request on the way
        planned = stand.desk.order(name)
        if planned is not None:
            await stand.desk.cancel(planned)
        order = await stand.known(await sending)
        if order.status in AT_WORK:
            await stand.desk.cancel(order)
        order = await stand.over(order)
        if order.status is OrderStatus.REJECTED:
            raise Unexpected(f"the order was refused: {order.reason}")
        await _accounted(stand, order)
        ends.append(f"{where} {order.status}")
        await stand.flatten()
    return f"each ended once, and trades and position agree: {', '.join(ends)}"


async def partial(stand: Stand) -> str:
    """An order larger than the first level at its price: a part trades, the rest is taken back."""
    terms = await stand.broker.terms(stand.symbol)
    account = await stand.broker.account()
    most = account.balance * (terms.leverage or 1) * _SHARE_OF_ACCOUNT
    rules, why = stand.market.instrument(stand.symbol), ""
    for number in range(_TRIES):
        book = await stand.market.book(stand.symbol, TOP)
        price, there = book.asks[0]
        wanted = max(there * _MANY_LEVELS, least(stand, book) * 2)
        quantity = rules.round_quantity(min(wanted, most / price))
        if quantity < there * _BEYOND_LEVEL:
            why = f"the first level holds {there:f} at {price:f}, more than this account may buy"
            await stand.clock.sleep(_PAUSE_SECONDS)
            continue
        order = await _in_part(stand, f"partial {number}", quantity, price)
        if order is not None:
            return f"{order.filled:f} of {quantity:f} traded, the rest was taken back"
        why = "the book moved away each time before a part could trade"
    raise NotShown(why)


async def _in_part(stand: Stand, name: str, quantity: Decimal, price: Decimal) -> Order | None:
    """The order at its end if it traded in part, and nothing is held any more."""
    order = await stand.send(_intent(stand, name, quantity, price))
    for _ in range(_LOOKS):
        await stand.desk.settle()
        seen = stand.desk.order(order.client_id) or order
        if seen.status is not OrderStatus.OPEN:
            break
        await stand.clock.sleep(_PAUSE_SECONDS)  # the price left; it may come by again
    if seen.status in AT_WORK:
        await stand.desk.cancel(seen)
    order = await stand.over(seen)
    await _accounted(stand, order)
    await stand.flatten()
    return order if 0 < order.filled < order.quantity else None


class _Killed(BaseException):
    """Stands for the end of the process at the very moment an answer arrives."""


async def restart(stand: Stand) -> str:
    """The process ends with an order on its way; the next one knows it by its id, once."""
    quantity, _ = await smallest(stand)
    book = await stand.market.book(stand.symbol, TOP)
    intent = _intent(stand, "restart", quantity, far_below(stand, book))
    name, place = stand.desk.order_id(intent.decision, intent.leg), stand.broker.place

    async def unheard(request: OrderRequest) -> None:
        await place(request)
        raise _Killed

    stand.traded = True
    setattr(stand.broker, "place", unheard)  # noqa: B010 - this broker ends with its process
    try:
        await stand.desk.submit(intent)
    except _Killed:
        stand.tell("forgets all but its disk")
    await stand.restart()
    before = stand.desk.order(name)
    if before is None or before.status is not OrderStatus.SENT:
        raise Unexpected("the journal does not say that the order may have been sent")
    order = await stand.known(before)
    if order.status is not OrderStatus.OPEN:
        raise Unexpected(f"the order should rest at the venue; {told(order)}")
    again = await stand.desk.submit(intent)
    if again.venue_id != order.venue_id:
        raise Unexpected("the next process sent the same order again")
    await _one_rests(stand, order)
    await take_back(stand, order)
    return "the next process found the order by its id and took it back; it was sent once"


def _intent(stand: Stand, name: str, quantity: Decimal, price: Decimal | None) -> Intent:
    return stand.intent(name, Side.BUY, quantity, OrderKind.LIMIT, price)


def _request(stand: Stand, name: str, book: Book) -> OrderRequest:
    client_id = stand.desk.order_id("certification", name)
    return OrderRequest(client_id, stand.symbol, Side.BUY, OrderKind.LIMIT, least(stand, book))


async def rest(stand: Stand, name: str, *, steps: int = 1) -> Order:
    book = await stand.market.book(stand.symbol, TOP)
    quantity = least(stand, book) * 2  # worth the minimum at the lower price as well
    price = far_below(stand, book, steps=steps)
    order = await stand.send(_intent(stand, name, quantity, price))
    if order.status is not OrderStatus.OPEN:
        raise Unexpected(f"an order at {price:f} should rest; {told(order)}")
    return order


async def _one_rests(stand: Stand, order: Order) -> None:
    found = [one.client_id for one in await stand.resting()]
    if found != [order.client_id]:
        raise Unexpected(f"one order should rest, and the venue lists {len(found)} of this run")


async def take_back(stand: Stand, order: Order) -> None:
    await stand.desk.cancel(order)
    ended = await stand.over(order)
    if ended.status is not OrderStatus.CANCELLED or ended.filled:
        raise Unexpected(f"the order was taken back; {told(ended)}")


async def _accounted(stand: Stand, order: Order) -> None:
    """The trades of an order add up to what it says of itself."""
    await stand.balanced(stand.desk.books.quantity(stand.symbol))
    traded = sum(
        (fill.quantity for fill in stand.bench.journal.fills_of(order.client_id)), Decimal(0)
    )
    if traded != order.filled:
        raise Unexpected(f"the order says {order.filled:f} traded, its trades say {traded:f}")
