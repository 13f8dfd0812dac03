"""What fills, flows, equity and decisions mean for trades and for statistics, as they are told."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select, update

from app.domain import ledger
from app.domain.decisions import reading
from app.domain.sources import Source
from app.extensions import db
from app.models import CashFlow, EquityDay, OrderRow, Run, StrategyVersion, TradeRow
from runner import protocol
from runner.protocol import FlowKind
from runner.strategy import TIMEFRAMES

NO_ACTION = "none"
PROTECTS = "protect"
STOPS = "stop"


def funded(source: Source, flow: protocol.Flow | CashFlow) -> None:
    """Funding belongs to the trade that was open when it was paid, also if it is told later."""
    if flow.kind is not FlowKind.FUNDING or flow.symbol is None:
        return
    query = select(TradeRow).where(
        TradeRow.run_id == source.run_id,
        TradeRow.symbol == flow.symbol,
        TradeRow.currency == flow.currency,
        TradeRow.opened_at <= flow.at,
        TradeRow.closed_at.is_(None) | (TradeRow.closed_at >= flow.at),
    )
    trade = db.session.scalar(query.order_by(TradeRow.number.desc()).limit(1))
    if trade is not None:
        trade.funding += flow.amount
        ledger.tell_result(trade)


def weighed(source: Source, equity: Decimal, at: datetime) -> None:
    """One more word on a day's equity."""
    day = at.astimezone(UTC).date()
    row = db.session.get(EquityDay, (source.run_id, day))
    if row is None:
        row = EquityDay(**source.keys, day=day, first=equity, low=equity, last=equity, last_at=at)
        db.session.add(row)
        return
    row.low = min(row.low, equity)
    if at >= row.last_at:
        row.last, row.last_at = equity, at


def arrived(source: Source, order: OrderRow) -> None:
    """The price at an order's decision: a stop's trigger, else the close of its candle.

    What is decided between candles, by a level, has none.
    """
    if STOPS in order.kind:
        order.arrival_price = order.price
        return
    found = reading.at(source.run_id, order.symbol, order.decided_at)
    if found is None or found.row.action == NO_ACTION:
        return
    since, until = _reach(source, found.row.candle_at)
    if since <= order.decided_at < until:
        order.arrival_price = found.row.close


def decided(source: Source, decision: protocol.Decision) -> None:
    """The same for orders that were told before their decision, as those of entries are."""
    if decision.action == NO_ACTION:
        return
    since, until = _reach(source, decision.candle.opened_at)
    waiting = update(OrderRow).where(
        OrderRow.run_id == source.run_id,
        OrderRow.symbol == decision.symbol,
        OrderRow.arrival_price.is_(None),
        OrderRow.purpose != PROTECTS,
        OrderRow.decided_at >= since,
        OrderRow.decided_at < until,
    )
    db.session.execute(waiting.values(arrival_price=decision.candle.close))


def filled(order: Any, at: datetime) -> None:
    """How long an order took from its decision to its newest fill."""
    if order is not None:
        order.fill_seconds = max((at - order.decided_at).total_seconds(), 0.0)


def _reach(source: Source, candle_at: datetime) -> tuple[datetime, datetime]:
    """When what a candle led to was decided: after it closed and before the next one did."""
    run = db.session.get_one(Run, source.run_id)
    version = db.session.get_one(StrategyVersion, run.strategy_version_id)
    span = timedelta(seconds=TIMEFRAMES[version.rules["timeframe"]])
    return candle_at + span, candle_at + 2 * span
