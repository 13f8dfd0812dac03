"""Fills the books lack: read again where the venue shows them, else made up from the evidence.

What is made up has an id that follows from the evidence alone, so that a second machine with the
same books comes to the same fill, and says in its reason that it was reconciled.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from runner.bench import Bench
from runner.desk import Desk
from runner.exchange.base import TOP, Execution
from runner.journal import synthetic_id
from runner.ledger import signed
from runner.protocol import Fill, Order, OrderStatus, Side

SEARCH_BACK = timedelta(days=6)
_ORDERS = 200
_DIGITS = Decimal("1E-8")


async def recover(bench: Bench, desk: Desk, symbol: str) -> None:
    """Record the newest trades the venue shows and the books lack, if they make the difference.

    Trades of others count only where this bot has a part in the position: then they are its
    history as well, and what they did to it must be told.
    """
    wanted, found = desk.difference(symbol), list[tuple[Execution, Order | None]]()
    for execution in await _unrecorded(bench, desk, symbol):
        found.append((execution, await desk.order_of(execution)))
        wanted -= signed(execution.side, execution.quantity)
        if not wanted:
            break
    mine = desk.books.quantity(symbol) or any(order for _, order in found)
    if wanted or not mine:
        return
    for execution, order in reversed(found):
        owner = _stranger(bench, execution) if order is None else order
        desk.books.record(execution, owner)


def lacks_trades(bench: Bench, symbol: str) -> bool:
    """Whether an order of this bot was filled beyond the trades that are recorded."""
    orders = bench.journal.orders_on(symbol, _ORDERS)
    return any(o.filled > _sum(bench.journal.fills_of(o.client_id)) for o in orders)


def _sum(fills: list[Fill]) -> Decimal:
    return sum((fill.quantity for fill in fills), Decimal(0))


async def synthesise(bench: Bench, desk: Desk, symbol: str) -> None:
    """Make up the fills that explain what the venue holds and no trade of it explains."""
    for order in bench.journal.orders_on(symbol, _ORDERS):
        _complete(bench, desk, order)
    difference = desk.difference(symbol)
    if not difference:
        return
    price = await _likely_price(bench, desk, symbol, difference)
    lot = desk.books.of(symbol).lot
    name = _name(bench, symbol, difference, price, lot.quantity, lot.cost)
    reason = "reconciled: the venue's position changed by this and shows no trade of it"
    order = _made_up(bench, name, symbol, difference, price, reason)
    desk.books.record(_execution(bench, name, order, abs(difference), price), order, reason)
    text = f"{symbol}: the venue's position changed by {difference:f} without a trade it shows"
    bench.notice("alarm", "reconciled", f"{text}; booked at {price:f}")


def write_off(bench: Bench, desk: Desk, symbol: str, reason: str) -> None:
    """Close the books on what nobody can trade any more, at what it cost.

    What the venue paid for it moves the wallet, and is told as what the wallet holds beside.
    """
    lot = desk.books.of(symbol).lot
    if lot.entry_price is None:
        return
    price = lot.entry_price.quantize(_DIGITS)
    name = _name(bench, symbol, "written off", lot.quantity, lot.cost)
    order = _made_up(bench, name, symbol, -lot.quantity, price, reason)
    desk.books.record(_execution(bench, name, order, abs(lot.quantity), price), order, reason)


def _complete(bench: Bench, desk: Desk, order: Order) -> None:
    """The venue said how much of an order was filled, and shows less in trades."""
    fills = bench.journal.fills_of(order.client_id)
    paid = sum((fill.quantity * fill.price for fill in fills), Decimal(0))
    lacking = order.filled - _sum(fills)
    if lacking <= 0 or order.average is None:
        return
    price = ((order.average * order.filled - paid) / lacking).quantize(_DIGITS)
    ids = sorted(fill.trade_id for fill in fills)
    name = _name(bench, order.symbol, lacking, price, order.client_id, *ids)
    reason = "reconciled: filled at the venue, which shows no trade of it any more"
    desk.books.record(_execution(bench, name, order, lacking, price), order, reason)
    text = f"{order.symbol}: {lacking:f} of order {order.client_id} were filled without a trade"
    bench.notice("warning", "reconciled", f"{text} the venue still shows; booked at {price:f}")


async def _unrecorded(bench: Bench, desk: Desk, symbol: str) -> list[Execution]:
    """Newest first. What a former machine may have told, and this disk cannot know, is left out."""
    told = bench.memory.inherited_until(symbol)
    since = bench.clock.now() - SEARCH_BACK
    since = since if told is None else max(since, told)
    found = [e for e in await bench.broker.executions(symbol, since) if not desk.books.knows(e)]
    return sorted(found, key=lambda e: e.at, reverse=True)


async def _likely_price(bench: Bench, desk: Desk, symbol: str, difference: Decimal) -> Decimal:
    """What brings the venue's average about where a position grew; else what it is worth now."""
    position, lot = (desk.positions or {}).get(symbol), desk.books.of(symbol).lot
    if position is not None and lot.quantity * difference >= 0:
        cost = position.entry_price * position.quantity
        price = ((cost - lot.cost) / difference).quantize(_DIGITS)
        if price > 0:
            return price
    book = await bench.market.book(symbol, TOP)
    return book.closing_price(-difference)


def _stranger(bench: Bench, execution: Execution) -> Order:
    """A record for an order of somebody else that changed a position of this bot."""
    name = _name(bench, execution.symbol, execution.trade_id)
    change, price = signed(execution.side, execution.quantity), execution.price
    reason = "reconciled: traded on this account by somebody else, or by the venue itself"
    bench.notice("alarm", "foreign_trades", f"{execution.symbol}: {change:f} at {price:f} {reason}")
    return _made_up(bench, name, execution.symbol, change, price, reason)


def _made_up(
    bench: Bench, name: str, symbol: str, change: Decimal, price: Decimal, reason: str
) -> Order:
    now = bench.clock.now()
    order = Order(
        client_id=name,
        symbol=symbol,
        side=Side.BUY if change > 0 else Side.SELL,
        kind="market",
        quantity=abs(change),
        status=OrderStatus.FILLED,
        purpose="reconciled",
        decided_at=now,
        filled=abs(change),
        average=price,
        reason=reason,
    )
    bench.journal.plan(order, now)
    return order


def _execution(
    bench: Bench, name: str, order: Order, quantity: Decimal, price: Decimal
) -> Execution:
    return Execution(
        trade_id=name,
        venue_id="",
        symbol=order.symbol,
        side=order.side,
        price=price,
        quantity=quantity,
        fee=Decimal(0),
        fee_currency=bench.configuration.quote,
        liquidity="taker",
        at=bench.clock.now(),
    )


def _name(bench: Bench, symbol: str, *evidence: object) -> str:
    return synthetic_id(bench.bot, bench.configuration.run, symbol, *evidence)
