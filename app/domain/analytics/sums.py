"""Sums over trades and orders, made by the database: no page loads rows to add them up."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from sqlalchemy import ColumnElement, Double, case, cast, func, select

from app.domain.analytics.scope import Scope
from app.extensions import db
from app.models import FillRow, OrderRow, TradeRow
from runner.metrics import Cell, ExecutionTally, Tally
from runner.protocol import OrderStatus, Side

ENDED = (OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.REJECTED)
PROTECTS = "protect"
_SUMS = (
    *("count", "wins", "losses", "net", "squares", "profit", "loss"),
    *("largest_win", "largest_loss", "seconds", "win_seconds", "loss_seconds"),
    *("fees", "funding", "volume"),
)


def by_side(scope: Scope) -> dict[Side, Tally]:
    """The sums of long and of short trades; streaks are of all trades together."""
    columns = (TradeRow.side, *_columns())
    rows = db.session.execute(select(*columns).where(scope.trades).group_by(TradeRow.side))
    return {side: Tally(**_bounded(dict(zip(_SUMS, sums, strict=True)))) for side, *sums in rows}


def whole(scope: Scope, sides: dict[Side, Tally]) -> Tally:
    """Both sides together, with streaks."""
    found = Tally()
    for part in sides.values():
        for name in _SUMS:
            mine, theirs = getattr(found, name), getattr(part, name)
            pick = {"largest_win": max, "largest_loss": min}.get(name)
            setattr(found, name, pick(mine, theirs) if pick else mine + theirs)
    found.win_streak, found.loss_streak = _streaks(scope, found.count)
    return found


def by_hour(scope: Scope) -> dict[int, Cell]:
    """By hour of the week of the entry."""
    return dict(_cells(scope, TradeRow.entry_hour))


def by_kind(scope: Scope) -> dict[str, Cell]:
    """By the kind of exit, most frequent first."""
    found = _cells(scope, TradeRow.exit_kind)
    return dict(sorted(found, key=lambda item: (-item[1].count, item[0])))


def by_month(scope: Scope) -> dict[date, Cell]:
    """By the month of the closing, named by its first day."""
    found: dict[date, Cell] = {}
    for day, cell in sorted(_cells(scope, TradeRow.closed_on)):
        month = found.setdefault(day.replace(day=1), Cell())
        month.count, month.wins, month.net = (
            month.count + cell.count,
            month.wins + cell.wins,
            month.net + cell.net,
        )
    return found


def execution(scope: Scope) -> ExecutionTally:
    """Orders that ended and were decided in the period, and their fills."""
    found = ExecutionTally()
    if not scope.runs:
        return found
    sent = OrderRow.status != OrderStatus.REJECTED
    done = (_real(OrderRow.filled) > 0) & OrderRow.average.is_not(None)
    arrived = done & OrderRow.arrival_price.is_not(None)
    waited = done & OrderRow.fill_seconds.is_not(None) & (OrderRow.purpose != PROTECTS)
    filled, arrival = _real(OrderRow.filled), _real(OrderRow.arrival_price)
    apart = _real(OrderRow.average) - arrival
    worse = case((OrderRow.side == Side.BUY, apart), else_=-apart)
    query = select(
        func.count(),
        _sum(~sent, 1),
        _sum(sent, filled / _real(OrderRow.quantity)),
        *(_sum(waited, 1), _sum(waited, OrderRow.fill_seconds)),
        *(_sum(arrived, 1), _sum(arrived, filled * arrival), _sum(arrived, filled * worse)),
        _sum(done, 1),
    ).where(
        OrderRow.run_id.in_(scope.run_ids),
        OrderRow.status.in_(ENDED),
        OrderRow.decided_at >= scope.period.start,
        OrderRow.decided_at < scope.period.end,
    )
    row = db.session.execute(query).one()
    found.orders, found.rejected, found.ratios, found.timed, found.seconds = row[:5]
    found.arrived, found.arrival_notional, found.slippage, found.fills = row[5:]
    found.notional, found.maker = _roles(scope)
    return found


def rejects(scope: Scope, most: int = 5) -> list[tuple[str, int]]:
    """Why orders were refused, the most frequent first."""
    query = select(OrderRow.reason, func.count()).where(
        OrderRow.run_id.in_(scope.run_ids),
        OrderRow.status == OrderStatus.REJECTED,
        OrderRow.decided_at >= scope.period.start,
        OrderRow.decided_at < scope.period.end,
    )
    query = query.group_by(OrderRow.reason).order_by(func.count().desc(), OrderRow.reason)
    return [(reason, count) for reason, count in db.session.execute(query.limit(most))]


def _roles(scope: Scope) -> tuple[float, float]:
    notional = _real(FillRow.price) * _real(FillRow.quantity)
    query = select(_sum(FillRow.number > 0, notional), _sum(FillRow.liquidity == "maker", notional))
    query = query.where(
        FillRow.run_id.in_(scope.run_ids),
        FillRow.filled_at >= scope.period.start,
        FillRow.filled_at < scope.period.end,
    )
    all_of_it, as_maker = db.session.execute(query).one()
    return all_of_it, as_maker


def _columns() -> Iterator[ColumnElement[Any]]:
    result, held = TradeRow.result, TradeRow.held_seconds
    won, lost = result > 0, result < 0
    yield from (func.count(), _sum(won, 1), _sum(lost, 1))
    yield from (func.sum(result), func.sum(result * result))
    yield from (_sum(won, result), _sum(lost, result), func.max(result), func.min(result))
    yield from (func.sum(held), _sum(won, held), _sum(lost, held))
    yield from (func.sum(_real(TradeRow.fees)), func.sum(_real(TradeRow.funding)))
    yield func.sum(_real(TradeRow.entry_notional) + _real(TradeRow.exit_notional))


def _bounded(sums: dict[str, Any]) -> dict[str, Any]:
    """The largest of all results is no win if it is none."""
    sums["largest_win"] = max(sums["largest_win"], 0.0)
    sums["largest_loss"] = min(sums["largest_loss"], 0.0)
    return sums


def _cells(scope: Scope, key: Any) -> list[tuple[Any, Cell]]:
    query = select(key, func.count(), _sum(TradeRow.result > 0, 1), func.sum(TradeRow.result))
    rows = db.session.execute(query.where(scope.trades).group_by(key))
    return [(name, Cell(count, wins, net)) for name, count, wins, net in rows]


def _streaks(scope: Scope, count: int) -> tuple[int, int]:
    """The longest rows of wins and of losses among ``count`` trades.

    A row reaches from where the sign changes to where it changes next.
    """
    sign = case((TradeRow.result > 0, 1), (TradeRow.result < 0, -1), else_=0)
    order = (TradeRow.closed_at, TradeRow.number)
    each = select(
        sign.label("sign"),
        func.row_number().over(order_by=order).label("place"),
        func.lag(sign).over(order_by=order).label("before"),
    )
    trades = each.where(scope.trades).subquery()
    place = trades.c.place
    length = func.coalesce(func.lead(place).over(order_by=place), count + 1) - place
    turns = select(trades.c.sign, length.label("length")).where(
        trades.c.before.is_(None) | (trades.c.before != trades.c.sign)
    )
    rows = turns.subquery()
    longest = select(rows.c.sign, func.max(rows.c.length)).group_by(rows.c.sign)
    found = {row[0]: row[1] for row in db.session.execute(longest)}
    return found.get(1, 0), found.get(-1, 0)


def _real(column: Any) -> ColumnElement[float]:
    return cast(column, Double)


def _sum(condition: ColumnElement[bool], value: Any) -> ColumnElement[Any]:
    return func.coalesce(func.sum(case((condition, value), else_=0)), 0)
