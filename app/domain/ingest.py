"""Telemetry in: numbered events become rows, once; repeats and gaps change nothing."""

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DataError

from app.domain import (
    alarm_events,
    commands,
    money_events,
    preflights,
    trade_book,
    trade_events,
)
from app.domain.decisions import keep
from app.domain.signals import delivery
from app.domain.sources import Source
from app.extensions import db
from app.models import (
    Bot,
    CandleRow,
    Checkpoint,
    EquityPoint,
    FillRow,
    Machine,
    OrderRow,
    PositionRow,
    Run,
    RunnerNotice,
)
from runner import protocol
from runner.protocol import Event, EventKind, OrderStatus, ProtocolError

log = logging.getLogger(__name__)

SETTLED = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED})


ORDER_FIELDS = (
    "venue_id",
    "symbol",
    "side",
    "kind",
    "purpose",
    "quantity",
    "price",
    "filled",
    "average",
    "reduce_only",
    "status",
    "decided_at",
)


def take(bot: Bot, machine: Machine, batch: tuple[Event, ...], now: datetime) -> None:
    """Store what is new in ``batch`` and move the acknowledged number along.

    An event that cannot be read is kept as an alarm instead of being sent for ever.
    """
    if machine.run_id is None:
        raise RuntimeError("a claim always names its run")
    for event in batch:
        if event.seq <= machine.ack_seq:
            continue
        if event.seq != machine.ack_seq + 1:
            break
        source = Source(bot, machine, machine.run_id, event.seq, now)
        try:
            with db.session.begin_nested():
                _STORE[event.kind](source, protocol.payload(event), event.at)
        except (ProtocolError, DataError, ValueError) as error:
            log.warning("unreadable %s event of %s", event.kind, bot.id)
            text = f"The runner sent a {event.kind} event that cannot be read: {error}"
            unreadable = protocol.Notice("alarm", "unreadable_event", text)
            _notice(source, unreadable, event.at)
        machine.ack_seq = event.seq


def unsettled(run: Run) -> tuple[protocol.Order, ...]:
    """Orders of a run whose end nobody has told yet, oldest first."""
    query = select(OrderRow).where(OrderRow.run_id == run.id, OrderRow.status.not_in(SETTLED))
    rows = db.session.scalars(query.order_by(OrderRow.number))
    return tuple(
        protocol.Order(
            client_id=row.client_id,
            reason=row.reason,
            **{field: getattr(row, field) for field in ORDER_FIELDS},
        )
        for row in rows
    )


def _state(source: Source, data: protocol.StateChange, at: datetime) -> None:
    text = f"{data.state}: {data.reason}" if data.reason else data.state
    _notice(source, protocol.Notice("info", "state", text), at)


def _preflight(source: Source, data: protocol.Preflight, at: datetime) -> None:
    preflights.take(source, data, at)
    alarm_events.preflight(source, data)


def _candles(source: Source, data: protocol.Candles, _at: datetime) -> None:
    for candle in data.candles:
        _candle(source, data.symbol, data.timeframe, candle)


def _candle(source: Source, symbol: str, timeframe: str, candle: protocol.Candle) -> None:
    db.session.merge(
        CandleRow(
            workspace_id=source.bot.workspace_id,
            bot_id=source.bot.id,
            symbol=symbol,
            timeframe=timeframe,
            opened_at=candle.opened_at,
            open=candle.open,
            high=candle.high,
            low=candle.low,
            close=candle.close,
            volume=candle.volume,
        )
    )


def _decision(source: Source, data: protocol.Decision, _at: datetime) -> None:
    timeframe = source.bot.version.rules["timeframe"]
    _candle(source, data.symbol, timeframe, data.candle)
    # What a signal from outside led to was not decided at the candle's price.
    if keep.take(source, data) and not data.signal:
        trade_events.decided(source, data)


def _order(source: Source, data: protocol.Order, at: datetime) -> None:
    row = _one(OrderRow, run_id=source.run_id, client_id=data.client_id)
    fresh = row is None
    if row is None:
        row = OrderRow(**source.keys, client_id=data.client_id)
        db.session.add(row)
    elif row.status in SETTLED and data.status not in SETTLED:
        return
    elif data.purpose == "adopted":
        # A runner that found it at the venue knows less about it than who decided it.
        data = replace(data, purpose=row.purpose, decided_at=row.decided_at, reason=row.reason)
    for field in ORDER_FIELDS:
        setattr(row, field, getattr(data, field))
    row.reason = data.reason[:300]
    row.updated_at = at
    if fresh:
        trade_events.arrived(source, row)


def _fill(source: Source, data: protocol.Fill, _at: datetime) -> None:
    if _one(FillRow, run_id=source.run_id, trade_id=data.trade_id) is not None:
        return
    db.session.add(
        FillRow(
            **source.keys,
            trade_id=data.trade_id,
            client_id=data.client_id,
            symbol=data.symbol,
            side=data.side,
            price=data.price,
            quantity=data.quantity,
            fee=data.fee,
            fee_currency=data.fee_currency,
            liquidity=data.liquidity,
            reason=data.reason[:200],
            filled_at=data.at,
            optimistic=data.optimistic,
            pessimistic=data.pessimistic,
        )
    )
    order = _one(OrderRow, run_id=source.run_id, client_id=data.client_id)
    trade_events.filled(order, data.at)
    trade_book.book(source, data, order)


def _position(source: Source, data: protocol.Position, at: datetime) -> None:
    db.session.merge(
        PositionRow(
            workspace_id=source.bot.workspace_id,
            bot_id=source.bot.id,
            symbol=data.symbol,
            quantity=data.quantity,
            entry_price=data.entry_price,
            mark_price=data.mark_price,
            unrealised=data.unrealised,
            reported_at=at,
        )
    )


def _equity(source: Source, data: protocol.Equity, at: datetime) -> None:
    if _one(EquityPoint, run_id=source.run_id, at=at) is None:
        db.session.add(
            EquityPoint(
                **source.keys,
                at=at,
                equity=data.equity,
                balance=data.balance,
                unrealised=data.unrealised,
            )
        )
        trade_events.weighed(source, data.equity, at)


def _checkpoint(source: Source, data: protocol.Checkpoint, at: datetime) -> None:
    db.session.merge(
        Checkpoint(
            workspace_id=source.bot.workspace_id,
            run_id=source.run_id,
            generation=source.machine.generation,
            seq=source.seq,
            state=data.state,
            at=at,
        )
    )


def _command_done(source: Source, data: protocol.CommandDone, _at: datetime) -> None:
    commands.done(source.bot.id, data, source.now)


def _notice(source: Source, data: protocol.Notice, at: datetime) -> None:
    told = alarm_events.heard(source, data)
    if told is None:
        return
    db.session.add(
        RunnerNotice(
            **source.keys,
            level=told.level[:8],
            code=told.code[:40],
            message=told.text[:400],
            at=at,
        )
    )


def _one(kind: type[Any], **values: Any) -> Any:
    return db.session.scalar(select(kind).filter_by(**values))


_STORE: dict[EventKind, Callable[[Source, Any, datetime], None]] = {
    EventKind.STATE: _state,
    EventKind.PREFLIGHT: _preflight,
    EventKind.CANDLES: _candles,
    EventKind.DECISION: _decision,
    EventKind.ORDER: _order,
    EventKind.FILL: _fill,
    EventKind.POSITION: _position,
    EventKind.EQUITY: _equity,
    EventKind.CHECKPOINT: _checkpoint,
    EventKind.COMMAND_DONE: _command_done,
    EventKind.NOTICE: _notice,
    EventKind.FLOW: money_events.flow,
    EventKind.PROTECTION: alarm_events.protection,
    EventKind.BREACH: money_events.breach,
    EventKind.KEY_CHECK: preflights.take_key_check,
    EventKind.SIGNAL: delivery.done,
}
