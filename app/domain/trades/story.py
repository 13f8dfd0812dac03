"""One trade with all that happened around it: candles, decision, orders, fills, costs."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from sqlalchemy import Select, or_, select

from app.domain.decisions import reading
from app.domain.decisions.reading import Line
from app.extensions import db
from app.models import (
    Bot,
    CandleRow,
    CashFlow,
    FillRow,
    OrderRow,
    Run,
    Signal,
    StrategyVersion,
    TradeRow,
)
from runner.protocol import FlowKind, Side
from runner.strategy import TIMEFRAMES

NOTHING = Decimal(0)
AROUND = 60
"""Candles shown before and after."""
MOST = 1500


@dataclass(frozen=True)
class Excursion:
    """How far the open result went down and up, in quote currency and by the candles' extremes.

    Both without sign. ``whole``: whether candles cover all of it.
    """

    adverse: Decimal
    favourable: Decimal
    whole: bool


@dataclass(frozen=True)
class Story:
    """A trade and what belongs to it; ``slippage`` is positive when fills were worse than decided.

    ``band``: the result of its entry and exit at the optimistic and at the pessimistic prices,
    after fees; ``None`` where a fill has none.
    """

    trade: TradeRow
    bot: Bot
    run: Run
    version: StrategyVersion
    orders: list[OrderRow]
    fills: list[FillRow]
    flows: list[CashFlow]
    decision: Line | None
    exit_decision: Line | None
    excursion: Excursion | None
    signals: list[Signal]
    slippage: Decimal | None
    band: tuple[Decimal, Decimal] | None


def of(trade: TradeRow, now: datetime) -> Story:
    """Read it from the rows."""
    run = db.session.get_one(Run, trade.run_id)
    version = db.session.get_one(StrategyVersion, run.strategy_version_id)
    fills = _fills(trade, now)
    orders = _orders(trade, fills, now)
    signals = _signals(trade, orders)
    asked = {signal.id for signal in signals}
    return Story(
        trade=trade,
        bot=db.session.get_one(Bot, trade.bot_id),
        run=run,
        version=version,
        orders=orders,
        fills=fills,
        flows=_funding(trade, now),
        decision=_decision(trade, trade.opened_at, "enter", asked),
        exit_decision=_decision(trade, trade.closed_at, "exit", asked),
        excursion=_excursion(trade, version, now),
        signals=signals,
        slippage=_slippage(orders),
        band=_band(trade, fills),
    )


def candles(trade: TradeRow, version: StrategyVersion, now: datetime) -> list[CandleRow]:
    """Those of its time and some around it, oldest first."""
    span = timedelta(seconds=TIMEFRAMES[version.rules["timeframe"]])
    end = (trade.closed_at or now) + AROUND * span
    since = trade.opened_at - AROUND * span
    query = _candles(trade, version).where(CandleRow.opened_at.between(since, end))
    return list(db.session.scalars(query.order_by(CandleRow.opened_at).limit(MOST)))


def _candles(trade: TradeRow, version: StrategyVersion) -> Select[CandleRow]:
    return select(CandleRow).where(
        CandleRow.bot_id == trade.bot_id,
        CandleRow.symbol == trade.symbol,
        CandleRow.timeframe == version.rules["timeframe"],
    )


def _fills(trade: TradeRow, now: datetime) -> list[FillRow]:
    query = select(FillRow).where(
        FillRow.run_id == trade.run_id,
        FillRow.symbol == trade.symbol,
        FillRow.filled_at.between(trade.opened_at, trade.closed_at or now),
    )
    return list(db.session.scalars(query.order_by(FillRow.filled_at, FillRow.number)))


def _orders(trade: TradeRow, fills: list[FillRow], now: datetime) -> list[OrderRow]:
    """Those that filled it, and all others decided while it was open: stops, and what was refused.

    Its own entry was decided before its first fill.
    """
    names = {fill.client_id for fill in fills}
    meanwhile = OrderRow.decided_at.between(trade.opened_at, trade.closed_at or now)
    query = select(OrderRow).where(
        OrderRow.run_id == trade.run_id,
        OrderRow.symbol == trade.symbol,
        or_(OrderRow.client_id.in_(names), meanwhile),
    )
    return list(db.session.scalars(query.order_by(OrderRow.decided_at, OrderRow.number)))


def _funding(trade: TradeRow, now: datetime) -> list[CashFlow]:
    query = select(CashFlow).where(
        CashFlow.run_id == trade.run_id,
        CashFlow.symbol == trade.symbol,
        CashFlow.kind == FlowKind.FUNDING,
        CashFlow.at.between(trade.opened_at, trade.closed_at or now),
    )
    return list(db.session.scalars(query.order_by(CashFlow.at)))


def _decision(
    trade: TradeRow, moment: datetime | None, action: str, asked: set[str]
) -> Line | None:
    """What was decided on the last candle before a moment, if it was to do that.

    On one of the signals from outside that led to the trade's orders, or on the candle itself; else
    a level or a person did it.
    """
    if moment is None:
        return None
    found = reading.all_at(trade.run_id, trade.symbol, moment)
    fitting = {line.row.signal: line for line in found if line.row.action.startswith(action)}
    return next((line for name, line in fitting.items() if name in asked), fitting.get(""))


def _signals(trade: TradeRow, orders: list[OrderRow]) -> list[Signal]:
    """Those from outside that led to one of its orders."""
    names = [order.client_id for order in orders]
    query = select(Signal).where(Signal.bot_id == trade.bot_id, Signal.order_id.in_(names))
    return list(db.session.scalars(query.order_by(Signal.received_at)))


def _excursion(trade: TradeRow, version: StrategyVersion, now: datetime) -> Excursion | None:
    """By the candles that lie wholly within its time; the edges would tell of other moments."""
    span = timedelta(seconds=TIMEFRAMES[version.rules["timeframe"]])
    end = (trade.closed_at or now) - span
    query = _candles(trade, version).where(CandleRow.opened_at.between(trade.opened_at, end))
    rows = list(db.session.scalars(query.limit(MOST + 1)))
    if not rows:
        return None
    low, high = min(row.low for row in rows), max(row.high for row in rows)
    if trade.exit_price is not None:
        low, high = min(low, trade.exit_price), max(high, trade.exit_price)
    down, up = trade.entry_price - low, high - trade.entry_price
    if trade.side is Side.SELL:
        down, up = up, down
    expected = max(int((end - trade.opened_at) / span), 1)
    return Excursion(
        max(down, NOTHING) * trade.entered,
        max(up, NOTHING) * trade.entered,
        whole=expected <= len(rows) <= MOST,
    )


def _slippage(orders: list[OrderRow]) -> Decimal | None:
    known = [
        (it.average - it.arrival_price) * it.filled * (1 if it.side is Side.BUY else -1)
        for it in orders
        if it.filled and it.average is not None and it.arrival_price is not None
    ]
    return sum(known, NOTHING) if known else None


def _band(trade: TradeRow, fills: list[FillRow]) -> tuple[Decimal, Decimal] | None:
    if trade.closed_at is None or not fills:
        return None
    best = worst = trade.net
    for fill in fills:
        if fill.optimistic is None or fill.pessimistic is None:
            return None
        sign = 1 if fill.side is Side.BUY else -1
        best += sign * (fill.price - fill.optimistic) * fill.quantity
        worst += sign * (fill.price - fill.pessimistic) * fill.quantity
    return worst, best
