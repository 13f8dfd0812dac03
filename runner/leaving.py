"""What a decided exit still has to close. Told from its own orders, so that no list can mislead."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

from runner.desk import Desk
from runner.exchange.base import Instrument
from runner.memory import Entry
from runner.protection import next_leg
from runner.step import ExitCall

ZERO = Decimal(0)


def decide(
    entry: Entry, call: ExitCall, held: Decimal, find: Callable[[], Instrument], leg: str
) -> None:
    """From now on what the exit asks for is to go, whatever the price or the next candle say.

    ``held``: base units, unsigned. ``leg``: the first order that will close them. ``find``: only a
    share needs the instrument, which a venue may have delisted meanwhile. A share the venue
    would not take leaves nothing, and one that would leave less than its minimum leaves all.
    """
    entry.steps = call.steps
    if call.share >= 1:
        entry.exit_purpose, entry.exit_reason = call.kind, call.reason
        entry.exit_quantity = None
        return
    pending = entry.exit_quantity if entry.exit_purpose else None
    if entry.exit_purpose and pending is None:
        return  # all of it is leaving already
    instrument = find()
    base = held if pending is None else entry.exit_keep
    part = instrument.round_quantity(base * call.share)
    if part < instrument.min_quantity:
        return
    entry.exit_purpose, entry.exit_reason = call.kind, call.reason
    if base - part < instrument.min_quantity:
        entry.exit_quantity = None
        return
    if pending is None:
        entry.exit_leg = leg
    entry.exit_quantity = part + (pending or ZERO)
    entry.exit_keep = base - part


def rest(entry: Entry, desk: Desk, symbol: str) -> Decimal:
    """Base units that a decided exit still has to close.

    A list of positions may lag behind what an order closed, and the journal of a machine that was
    lost knows nothing of its orders: of both the smaller part is right.
    """
    held = abs(desk.quantity(symbol))
    if entry.exit_quantity is None:
        return held
    closed = ZERO
    number, newest = int(entry.exit_leg[4:]), int(next_leg(desk, entry, "exit")[4:])
    for each in range(number, newest):
        order = desk.order(desk.order_id(entry.client_id, f"exit{each}"))
        closed += order.filled if order is not None else ZERO
    return max(min(entry.exit_quantity - closed, held - entry.exit_keep), ZERO)


def finish(entry: Entry) -> None:
    """A part was left; what remains is looked after as before."""
    entry.exit_purpose = entry.exit_reason = entry.exit_leg = ""
    entry.exit_quantity, entry.exit_keep = None, ZERO
