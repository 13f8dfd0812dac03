"""At start: bring journal, orders, fills and position of the venue together. Start is recovery."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from runner.bench import Bench
from runner.desk import Desk
from runner.memory import Entry
from runner.protocol import Check, Mode

_SEARCH_BACK = timedelta(days=6)


async def reconcile(bench: Bench, desk: Desk) -> Check:
    """Settle what the journal left open, adopt what is ours, name what is not.

    Foreign orders or positions block entries (``standing.foreign``). The check fails only while
    the outcome of an own order is unknown. Raises ``Temporary`` or ``Operational``.
    """
    foreign: list[str] = []
    for symbol in desk.symbols:
        foreign += await _orders(bench, desk, symbol)
    await desk.settle()
    unsure = desk.unsure()
    if unsure:
        ids = ", ".join(order.client_id for order in unsure)
        return Check("reconcile", False, f"waiting to learn what became of {ids}")
    for symbol in tuple(desk.elsewhere):
        await _elsewhere(bench, desk, symbol)
    desk.searched = True
    for symbol in desk.symbols:
        foreign += await _position(bench, desk, symbol)
    bench.standing.foreign = "; ".join(foreign) or None
    if foreign:
        # What is ours must still be looked after, so this blocks entries, not the preflight.
        bench.notice("alarm", "foreign", f"no entries: {bench.standing.foreign}")
        return Check("reconcile", None, f"no entries: {bench.standing.foreign}")
    bench.settled("foreign")
    return Check("reconcile", True, _summary(desk))


async def _orders(bench: Bench, desk: Desk, symbol: str) -> list[str]:
    foreign = []
    for report in await bench.broker.open_orders(symbol):
        known = desk.order(report.client_id)
        if known is not None:
            desk.apply(known, report)
        elif desk.is_ours(report.client_id):
            desk.adopt(report, bench.clock.now())
            text = f"{symbol}: took over order {report.client_id}, which had no record here"
            bench.notice("warning", "order_adopted", text)
        else:
            foreign.append(f"{symbol} has an open order this bot did not place: {report.venue_id}")
    return foreign


async def _elsewhere(bench: Bench, desk: Desk, symbol: str) -> None:
    """A position outside the configured symbols is a stranger's, unless our mark is on it."""
    if not await _made_by_us(bench, desk, symbol):
        return
    desk.take_position(symbol)
    _adopt(bench, desk, symbol, desk.quantity(symbol))
    await _orders(bench, desk, symbol)
    text = f"{symbol} is not traded any more, but a position is left there; exits are managed"
    bench.notice("warning", "position_elsewhere", text)


async def _position(bench: Bench, desk: Desk, symbol: str) -> list[str]:
    quantity = desk.quantity(symbol)
    if not quantity or symbol in bench.memory.entries:
        return []
    if not await _made_by_us(bench, desk, symbol):
        return [f"{symbol} has a position of {quantity:f} this bot did not open; close it"]
    _adopt(bench, desk, symbol, quantity)
    text = f"{symbol}: took over a position of {quantity:f}, whose record was lost"
    bench.notice("warning", "position_adopted", text)
    return []


async def _made_by_us(bench: Bench, desk: Desk, symbol: str) -> bool:
    """Whether the newest trade on this symbol belongs to an order with this bot's mark."""
    if bench.configuration.mode is Mode.PAPER:
        return True  # nobody else can trade on a paper account
    since = bench.clock.now() - _SEARCH_BACK
    executions = await bench.broker.executions(symbol, since)
    if not executions:
        return False
    newest = max(executions, key=lambda e: e.at)
    if bench.journal.order_of_venue_id(newest.venue_id) is not None:
        return True
    report = await bench.broker.find_by_venue_id(symbol, newest.venue_id)
    return report is not None and desk.is_ours(report.client_id)


def _adopt(bench: Bench, desk: Desk, symbol: str, quantity: Decimal) -> None:
    """Manage the position; its age counts from now."""
    assert desk.positions is not None
    now = bench.clock.now()
    name = f"adopted:{symbol}@{now.isoformat()}"
    entry_price = desk.positions[symbol].entry_price
    bench.memory.entries[symbol] = Entry(name, 1 if quantity > 0 else -1, entry_price, now)
    bench.memory.save()


def _summary(desk: Desk) -> str:
    return (
        f"{len(desk.positions or {})} positions, {len(desk.live())} open orders, all accounted for"
    )
