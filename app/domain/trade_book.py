"""A fill becomes part of a trade: the result is the same in whatever order fills were delivered."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, inspect, select, update
from sqlalchemy.orm import aliased

from app.domain import ledger, profits, trade_events
from app.domain.sources import Source
from app.extensions import db
from app.models import CashFlow, FillRow, OrderRow, Run, TradeNote, TradeRow, TradeTag
from runner.protocol import Fill

_OWN = ("number", "id")
"""What a trade keeps when it is folded anew: people's notes hang on it."""


def book(source: Source, fill: Fill, order: OrderRow | None) -> None:
    """Add a fill that has just been stored to its trade, or fold anew where it comes late."""
    if _later(source, fill.symbol, fill.at):
        _fold_again(source, fill)
        return
    trade = db.session.scalar(
        select(TradeRow).where(*_mine(TradeRow, source, fill.symbol), TradeRow.closed_at.is_(None))
    )
    opened = _folded(source, trade, [(fill, order)])
    db.session.flush()  # closed before the next one opens
    db.session.add_all(opened)


def _folded(
    source: Source, trade: TradeRow | None, fills: Iterable[tuple[Fill, OrderRow | None]]
) -> list[TradeRow]:
    """Go on with ``trade``; the trades that began, none of them added to the session yet."""
    mode, opened = db.session.get_one(Run, source.run_id).mode, list[TradeRow]()
    for fill, order in fills:
        told = fill if order is None else replace(fill, reason=order.reason[:200])
        closing, opening = ledger.split(told, trade)
        if trade is not None and closing is not None:
            ledger.add(trade, closing, "" if order is None else order.purpose)
        if opening is not None:
            currency = profits.currency_of(fill.symbol)
            trade = ledger.open_with(opening, mode, fill.symbol, currency)
            for name, value in source.keys.items():
                setattr(trade, name, value)
            opened.append(trade)
        if trade is not None and trade.closed_at is not None:
            trade = None
    return opened


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
    stale = select(TradeRow).where(*_mine(TradeRow, source, late.symbol))
    if since is not None:
        fills = fills.where(FillRow.filled_at > since)
        stale = stale.where(TradeRow.opened_at > since)
    rows = db.session.execute(fills.order_by(FillRow.filled_at, FillRow.number)).all()
    fresh = _folded(source, None, [(_told(row), order) for row, order in rows])
    old = db.session.scalars(stale.order_by(TradeRow.opened_at, TradeRow.number)).all()
    _put_in_place(old, fresh)
    _fund_again(source, late.symbol, fresh[0].opened_at)


def _put_in_place(old: Sequence[TradeRow], fresh: list[TradeRow]) -> None:
    """The rows that are there take over what was folded, one by one in order of time."""
    for trade in old:  # at no moment are two of them open
        trade.closed_at = trade.closed_at or trade.opened_at
    db.session.flush()
    kept = old[: len(fresh)]
    for trade, other in zip(kept, fresh, strict=False):
        for column in inspect(TradeRow).column_attrs:
            if column.key not in _OWN:
                setattr(trade, column.key, getattr(other, column.key))
    for trade in old[len(fresh) :]:
        _hand_over(trade, kept[-1])
        db.session.delete(trade)
    db.session.flush()
    db.session.add_all(fresh[len(kept) :])
    db.session.flush()


def _hand_over(trade: TradeRow, heir: TradeRow) -> None:
    """What people wrote about a trade that was none stays with the one it became part of."""
    note, other = (db.session.get(TradeNote, item.id) for item in (trade, heir))
    _move(TradeTag, trade, heir, TradeTag.name.in_(_tags(trade) - _tags(heir)))
    if note is None:
        return
    if other is None:
        _move(TradeNote, trade, heir)
    else:
        joined = f"{other.text}\n{note.text}"[:2000]
        db.session.execute(
            update(TradeNote).where(TradeNote.trade_id == heir.id).values(text=joined)
        )
        db.session.execute(delete(TradeNote).where(TradeNote.trade_id == trade.id))


def _tags(trade: TradeRow) -> set[str]:
    return set(db.session.scalars(select(TradeTag.name).where(TradeTag.trade_id == trade.id)))


def _move(
    kind: type[TradeNote] | type[TradeTag],
    trade: TradeRow,
    heir: TradeRow,
    *which: ColumnElement[bool],
) -> None:
    """To the heir, and away with what is left: it has those already."""
    mine = kind.trade_id == trade.id
    db.session.execute(update(kind).where(mine, *which).values(trade_id=heir.id))
    db.session.execute(delete(kind).where(mine))


def _fund_again(source: Source, symbol: str, since: datetime) -> None:
    """Share the funding that was paid since then out among the trades as they are now."""
    flows = select(CashFlow).where(
        CashFlow.run_id == source.run_id, CashFlow.symbol == symbol, CashFlow.at >= since
    )
    for flow in db.session.scalars(flows):
        trade_events.funded(source, flow)


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
