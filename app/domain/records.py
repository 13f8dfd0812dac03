"""What one bot did, for reading: runs, candles, orders, fills, trades, equity."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, bindparam, func, select

from app.extensions import db, prepared
from app.models import (
    Bot,
    CandleRow,
    CashFlow,
    EquityPoint,
    FillRow,
    Machine,
    OrderRow,
    Run,
    TradeRow,
)

CANDLES = 400
POINTS = 1000


def run_of(bot: Bot) -> Run | None:
    """The newest run in the bot's present mode, ended or not."""
    query = select(Run).where(Run.bot_id == bot.id, Run.mode == bot.mode)
    return db.session.scalar(query.order_by(Run.started_at.desc(), Run.id.desc()).limit(1))


def candles(bot: Bot, symbol: str, limit: int = CANDLES) -> list[CandleRow]:
    """The newest closed candles of the strategy's timeframe, oldest first."""
    query = (
        select(CandleRow)
        .where(
            CandleRow.bot_id == bot.id,
            CandleRow.symbol == symbol,
            CandleRow.timeframe == bot.version.rules["timeframe"],
        )
        .order_by(CandleRow.opened_at.desc())
        .limit(limit)
    )
    return list(db.session.scalars(query))[::-1]


def closes(bot: Bot, limit: int) -> list[Decimal]:
    """The closes of the newest candles of each symbol."""
    found: list[Decimal] = []
    for symbol in bot.symbols:
        values = {"bot": bot.id, "symbol": symbol, "timeframe": bot.version.rules["timeframe"]}
        found += db.session.scalars(_closes(limit), values)
    return found


def trades(bot: Bot, limit: int) -> list[TradeRow]:
    """Trades of its present mode, newest first, the open ones included."""
    return _newest(TradeRow, bot, limit)


def orders(bot: Bot, limit: int) -> list[OrderRow]:
    """Orders of its present mode, newest first."""
    return _newest(OrderRow, bot, limit)


def fills(bot: Bot, limit: int) -> list[FillRow]:
    """Fills of its present mode, newest first."""
    return _newest(FillRow, bot, limit)


def equity(run: Run | None, limit: int = POINTS) -> list[EquityPoint]:
    """The newest points of the equity line of a run, oldest first."""
    if run is None:
        return []
    query = select(EquityPoint).where(EquityPoint.run_id == run.id)
    return list(db.session.scalars(query.order_by(EquityPoint.at.desc()).limit(limit)))[::-1]


def flows(run: Run | None) -> list[CashFlow]:
    """All money that came or went on a run's account without a trade, oldest first."""
    if run is None:
        return []
    query = select(CashFlow).where(CashFlow.run_id == run.id)
    return list(db.session.scalars(query.order_by(CashFlow.at, CashFlow.number)))


def machines(bot: Bot, limit: int = 30) -> list[Machine]:
    """The generations of its machine, newest first."""
    return list(db.session.scalars(_machines(limit), {"bot": bot.id}))


def revision(bot: Bot, symbol: str) -> str:
    """Changes whenever there is something new to draw for this symbol."""
    newest = select(func.max(CandleRow.opened_at)).where(
        CandleRow.bot_id == bot.id, CandleRow.symbol == symbol
    )
    numbers = [
        select(func.max(kind.number)).where(kind.bot_id == bot.id)
        for kind in (FillRow, EquityPoint)
    ]
    parts = [db.session.scalar(newest), *(db.session.scalar(query) for query in numbers)]
    stamp = parts[0].timestamp() if isinstance(parts[0], datetime) else 0
    return f"{stamp:.0f}-{parts[1] or 0}-{parts[2] or 0}"


def _newest(kind: Any, bot: Bot, limit: int) -> list[Any]:
    return list(db.session.scalars(_of_mode(kind, limit), {"bot": bot.id, "mode": bot.mode}))


# Statements, built once and told their values.


@prepared
def _of_mode(kind: Any, limit: int) -> Select[Any]:
    ours = select(Run.id).where(Run.bot_id == bindparam("bot"), Run.mode == bindparam("mode"))
    query = select(kind).where(kind.bot_id == bindparam("bot"), kind.run_id.in_(ours))
    return query.order_by(kind.number.desc()).limit(limit)


@prepared
def _machines(limit: int) -> Select[Any]:
    query = select(Machine).where(Machine.bot_id == bindparam("bot"))
    return query.order_by(Machine.generation.desc()).limit(limit)


@prepared
def _closes(limit: int) -> Select[Any]:
    query = select(CandleRow.close).where(
        CandleRow.bot_id == bindparam("bot"),
        CandleRow.symbol == bindparam("symbol"),
        CandleRow.timeframe == bindparam("timeframe"),
    )
    return query.order_by(CandleRow.opened_at.desc()).limit(limit)
