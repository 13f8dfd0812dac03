"""Trades folded from fills: the one way a result comes into being. Pure; linear contracts."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from app.models.telemetry import TradeRow
from runner.protocol import Fill, Side


@dataclass(frozen=True)
class Slice:
    """The part of a fill that belongs to one trade."""

    side: Side
    price: Decimal
    quantity: Decimal
    fee: Decimal
    reason: str
    at: datetime


def split(fill: Fill, trade: TradeRow | None) -> tuple[Slice | None, Slice | None]:
    """Cut a fill at the point where ``trade`` becomes flat: what closes it, what opens anew.

    The fee is shared by quantity; the parts add up to the whole fee exactly.
    """
    whole = Slice(fill.side, fill.price, fill.quantity, fill.fee, fill.reason, fill.at)
    if trade is None:
        return None, whole
    if fill.side is trade.side or fill.quantity <= trade.held:
        return whole, None
    first = Slice(
        fill.side,
        fill.price,
        trade.held,
        fill.fee * trade.held / fill.quantity,
        fill.reason,
        fill.at,
    )
    rest = Slice(
        fill.side,
        fill.price,
        fill.quantity - trade.held,
        fill.fee - first.fee,
        fill.reason,
        fill.at,
    )
    return first, rest


def open_with(part: Slice) -> TradeRow:
    """A new trade begun by a fill."""
    return TradeRow(
        side=part.side,
        entered=part.quantity,
        entry_notional=part.quantity * part.price,
        exited=Decimal(0),
        exit_notional=Decimal(0),
        fees=part.fee,
        opened_at=part.at,
    )


def add(trade: TradeRow, part: Slice) -> None:
    """Book a part of a fill on an open trade; closes it when nothing is held any more."""
    notional = part.quantity * part.price
    trade.fees += part.fee
    if part.side is trade.side:
        trade.entered += part.quantity
        trade.entry_notional += notional
        return
    trade.exited += part.quantity
    trade.exit_notional += notional
    if not trade.held:
        trade.closed_at = part.at
        trade.exit_reason = part.reason
