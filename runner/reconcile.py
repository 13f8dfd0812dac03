"""Bring journal, orders, fills, position and wallet of the venue together. Start is recovery.

Done at the start, after the venue or the platform was away, when the books differ from the
position, and every few minutes.
"""

from __future__ import annotations

from datetime import timedelta

from runner import flows, unlisted
from runner.bench import Bench
from runner.desk import Desk
from runner.errors import Operational
from runner.ledger import opening
from runner.memory import Entry
from runner.missing import SEARCH_BACK, lacks_trades, recover, synthesise
from runner.protocol import Check, Mode

_MONEY_EVERY = timedelta(seconds=30)


async def reconcile(bench: Bench, desk: Desk) -> Check:
    """Settle what the journal left open, adopt what is ours, name what is not.

    Foreign orders or positions block entries (``standing.foreign``). The check fails only while
    the outcome of an own order, or what became of a position, is unknown. Raises ``Temporary`` or
    ``Operational``.
    """
    foreign: list[str] = []
    waiting: list[str] = []
    gone: dict[str, str] = {}
    for symbol in desk.symbols:
        try:
            foreign += await _orders(bench, desk, symbol)
        except Operational as error:
            gone[symbol] = _gone(bench, symbol, error)
    await desk.settle()
    unsure = desk.unsure()
    if unsure:
        ids = ", ".join(order.client_id for order in unsure)
        return Check("reconcile", False, f"waiting to learn what became of {ids}")
    for symbol in tuple(desk.elsewhere):
        foreign += await _elsewhere(bench, desk, symbol)
    for symbol in desk.symbols:
        try:
            stranger, unexplained = await _position(bench, desk, symbol)
        except Operational as error:
            gone[symbol] = _gone(bench, symbol, error)
            continue
        foreign += stranger
        waiting += unexplained
    foreign += gone.values()
    unlisted.note(bench, gone)
    desk.searched = True
    await _money(bench)
    bench.standing.foreign = "; ".join(foreign + waiting) or None
    if waiting:
        return Check("reconcile", False, "; ".join(waiting))
    if foreign:
        # What is ours must still be looked after, so this blocks entries, not the preflight.
        bench.notice("alarm", "foreign", f"no entries: {bench.standing.foreign}")
        return Check("reconcile", None, f"no entries: {bench.standing.foreign}")
    bench.settled("foreign")
    return Check("reconcile", True, _summary(desk))


def _gone(bench: Bench, symbol: str, error: Operational) -> str:
    """What to say of a symbol left behind of which the venue tells nothing, as when delisted."""
    if symbol in bench.configuration.symbols:
        raise error
    return f"{symbol} is not traded any more and the venue tells nothing of it ({error})"


async def _money(bench: Bench) -> None:
    """The wallet, but not with every look: the list of flows is dear to ask for."""
    read, now = bench.memory.flows.until, bench.clock.now()
    if bench.memory.capital.wallet is None or read is None or now - read > _MONEY_EVERY:
        await flows.compare(bench)


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


async def _elsewhere(bench: Bench, desk: Desk, symbol: str) -> list[str]:
    """A position outside the configured symbols is a stranger's, unless our mark is on it."""
    if symbol in bench.memory.written_off:
        return []
    try:
        ours = await _made_by_us(bench, desk, symbol)
    except Operational as error:
        return [f"{symbol} has a position of which the venue tells nothing ({error})"]
    if not ours:
        return []
    desk.take_position(symbol)
    await recover(bench, desk, symbol)
    _adopt(bench, desk, symbol)
    text = f"{symbol} is not traded any more, but a position is left there; exits are managed"
    bench.notice("warning", "position_elsewhere", text)
    return await _orders(bench, desk, symbol)


async def _position(bench: Bench, desk: Desk, symbol: str) -> tuple[list[str], list[str]]:
    """What is not ours, and what is not understood yet; after neither, the books are right."""
    quantity = desk.quantity(symbol)
    if desk.difference(symbol):
        await recover(bench, desk, symbol)
        if not await _is_ours(bench, desk, symbol):
            return [f"{symbol} has a position of {quantity:f} this bot did not open; close it"], []
    if quantity and symbol not in bench.memory.entries:
        _adopt(bench, desk, symbol)
        text = f"{symbol}: took over a position of {quantity:f}, whose record was lost"
        bench.notice("warning", "position_adopted", text)
    difference = desk.difference(symbol)
    if difference and not desk.books.lasting(symbol):
        text = f"{symbol}: the venue holds {difference:f} beyond what trades explain; looking again"
        return [], [text]
    if difference:
        await synthesise(bench, desk, symbol)
    return [], []


async def _is_ours(bench: Bench, desk: Desk, symbol: str) -> bool:
    """Whether this bot has a part in the position."""
    if symbol in bench.memory.entries or desk.books.quantity(symbol):
        return True
    if not desk.difference(symbol) or lacks_trades(bench, symbol):
        return True
    return await _made_by_us(bench, desk, symbol)


async def _made_by_us(bench: Bench, desk: Desk, symbol: str) -> bool:
    """Whether the newest trade on this symbol belongs to an order with this bot's mark."""
    if bench.configuration.mode is Mode.PAPER:
        return True  # nobody else can trade on a paper account
    since = bench.clock.now() - SEARCH_BACK
    executions = await bench.broker.executions(symbol, since)
    if not executions:
        return False
    return await desk.order_of(max(executions, key=lambda e: e.at)) is not None


def _adopt(bench: Bench, desk: Desk, symbol: str) -> None:
    """Manage the position as the order that opened it would have: same name, same age."""
    assert desk.positions is not None
    position = desk.positions[symbol]
    first = opening(bench.journal.fills_on(symbol), position.quantity)
    name = f"adopted:{symbol}" if first is None else first.client_id
    began = bench.clock.now() if first is None else first.at
    side = 1 if position.quantity > 0 else -1
    bench.memory.entries[symbol] = Entry(name, side, position.entry_price, began)
    bench.memory.save()


def _summary(desk: Desk) -> str:
    return (
        f"{len(desk.positions or {})} positions, {len(desk.live())} open orders, all accounted for"
    )
