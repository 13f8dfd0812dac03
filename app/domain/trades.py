"""A fill becomes part of a trade: the result is the same in whatever order fills were delivered."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.orm import aliased

from app.domain import ledger
from app.domain.sources import Source
from app.extensions import db
from app.models import FillRow, OrderRow, TradeRow
from runner.protocol import Fill


def book(source: Source, fill: Fill) -> None:
    """Add a fill that has just been stored to its trade, or fold anew where it comes late."""
    if _later(source, fill.symbol, fill.at):
        _fold_again(source, fill)
        return
    trade = db.session.scalar(
        select(TradeRow).where(*_mine(TradeRow, source, fill.symbol), TradeRow.closed_at.is_(None))
    )
    order = db.session.scalar(
        select(OrderRow).filter_by(run_id=source.run_id, client_id=fill.client_id)
    )
    _fold(source, trade, [_explained(fill, order)])


def _fold(source: Source, trade: TradeRow | None, fills: Iterable[Fill]) -> None:
    for fill in fills:
        closing, opening = ledger.split(fill, trade)
        if trade is not None and closing is not None:
            ledger.add(trade, closing)
            db.session.flush()  # closed before the next one opens
        if opening is not None:
            trade = ledger.open_with(opening)
            trade.symbol = fill.symbol
            for name, value in source.keys.items():
                setattr(trade, name, value)
            db.session.add(trade)
        if trade is not None and trade.closed_at is not None:
            trade = None


def _later(source: Source, symbol: str, at: datetime) -> bool:
    """Whether a fill that came before this one was made after it."""
    later = select(FillRow).where(*_mine(FillRow, source, symbol), FillRow.filled_at > at)
    return bool(db.session.scalar(select(exists(later.with_only_columns(FillRow.number)))))


def _fold_again(source: Source, late: Fill) -> None:
    """From the last moment before it at which nothing was held."""
    since = _flat_before(source, late)
    fills = select(FillRow, OrderRow).outerjoin(
        OrderRow,
        (OrderRow.run_id == FillRow.run_id) & (OrderRow.client_id == FillRow.client_id),
    )
    fills = fills.where(*_mine(FillRow, source, late.symbol))
    stale = delete(TradeRow).where(*_mine(TradeRow, source, late.symbol))
    if since is not None:
        fills = fills.where(FillRow.filled_at > since)
        stale = stale.where(TradeRow.opened_at > since)
    db.session.execute(stale)
    rows = db.session.execute(fills.order_by(FillRow.filled_at, FillRow.number)).all()
    _fold(source, None, [_explained(_told(row), order) for row, order in rows])


def _flat_before(source: Source, late: Fill) -> datetime | None:
    """When the last trade ended that is over before it, and after which none began at once."""
    after = aliased(TradeRow)
    turned = exists().where(
        after.workspace_id == TradeRow.workspace_id,
        after.run_id == TradeRow.run_id,
        after.symbol == TradeRow.symbol,
        after.number != TradeRow.number,
        after.opened_at == TradeRow.closed_at,
    )
    found: datetime | None = db.session.scalar(
        select(TradeRow.closed_at)
        .where(*_mine(TradeRow, source, late.symbol), TradeRow.closed_at < late.at, ~turned)
        .order_by(TradeRow.closed_at.desc())
        .limit(1)
    )
    return found


def _mine(kind: type[FillRow] | type[TradeRow], source: Source, symbol: str) -> tuple[Any, ...]:
    return (
        kind.bot_id == source.bot.id,
        kind.run_id == source.run_id,
        kind.symbol == symbol,
    )


def _told(row: FillRow) -> Fill:
    names = ("trade_id", "client_id", "symbol", "side", "price", "quantity", "fee")
    return Fill(
        **{name: getattr(row, name) for name in names},
        fee_currency=row.fee_currency,
        liquidity=row.liquidity,
        at=row.filled_at,
        reason=row.reason,
    )


def _explained(fill: Fill, order: OrderRow | None) -> Fill:
    """With the words of the order it belongs to, where that is known."""
    return fill if order is None else replace(fill, reason=order.reason[:200])
