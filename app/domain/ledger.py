"""Trades folded from fills: the one way a result comes into being. Pure; linear contracts."""

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from app.models.base import new_id
from app.models.trade import TradeRow
from runner.metrics import hour_of_week
from runner.protocol import Fill, Mode, Side


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


def open_with(part: Slice, mode: Mode, symbol: str, currency: str) -> TradeRow:
    """A new trade begun by a fill; ``currency`` is what it settles in."""
    return TradeRow(
        id=new_id("trd"),
        mode=mode,
        symbol=symbol,
        currency=currency,
        side=part.side,
        entered=part.quantity,
        entry_notional=part.quantity * part.price,
        exited=Decimal(0),
        exit_notional=Decimal(0),
        fees=part.fee,
        funding=Decimal(0),
        opened_at=part.at,
        entry_hour=hour_of_week(part.at),
        exit_reason="",
        exit_kind="",
    )


def add(trade: TradeRow, part: Slice, kind: str = "") -> None:
    """Book a part of a fill on an open trade; closes it when nothing is held any more.

    ``kind``: the purpose of its order.
    """
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
        trade.exit_reason, trade.exit_kind = part.reason, kind
        tell_result(trade)


def tell_result(trade: TradeRow) -> None:
    """Write down what statistics ask of a trade that is closed."""
    if trade.closed_at is None:
        return
    trade.result = float(trade.net)
    trade.held_seconds = (trade.closed_at - trade.opened_at).total_seconds()
    trade.closed_on = trade.closed_at.astimezone(UTC).date()
