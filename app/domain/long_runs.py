"""What workers carry out for minutes: taken once, heard of all the time, never lost.

A worker holds a row by a name of its own. Whoever was silent for a minute has lost it: it is
queued once more, and fails for good once its kind has no attempt left. What a worker says that
holds it no more changes nothing.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from app.domain import clock
from app.extensions import change, db
from app.gateways.backtest_outcome import fault_of
from app.models import BacktestState
from app.models.base import new_id

LOST_AFTER = timedelta(seconds=60)
AGAIN_AFTER = timedelta(seconds=15)
"""So long waits one that could not begin."""


def take(kind: Any, row_id: str, now: datetime) -> str | None:
    """Take one that waits; the hold on it, or ``None`` if there is nothing to take."""
    holder, heard = new_id("hld"), clock.database_now(now)
    taken = change(
        update(kind)
        .where(kind.id == row_id, kind.state == BacktestState.QUEUED)
        .values(
            state=BacktestState.RUNNING,
            holder=holder,
            attempt=kind.attempt + 1,
            step="starting",
            percent=0,
            started_at=heard,
            heard_at=heard,
        )
    )
    return holder if taken else None


def beat(
    kind: Any,
    row_id: str,
    holder: str,
    progress: tuple[str, int, int],
    now: datetime,
    **more: Any,
) -> bool:
    """Note how far it is, and ``more`` columns; whether it is still wanted, and still held."""
    step, done, of = progress
    percent = min(100 * done // of, 100) if of > 0 else 0
    values = {"heard_at": clock.database_now(now), "step": step[:40], "percent": max(percent, 0)}
    held = change(update(kind).where(*_held(kind, row_id, holder)).values(**values, **more))
    if not held:
        return False
    return db.session.scalar(select(kind.cancel_at).where(kind.id == row_id)) is None


def finish(kind: Any, row_id: str, holder: str, values: dict[str, Any], now: datetime) -> bool:
    """Write down what came of it; ``False`` if somebody else holds it by now.

    Whoever cancelled it was told that it ends: of what came in the same moment the log is kept,
    unless its kind tells all of it.
    """
    over = {"percent": 100, "ended_at": clock.database_now(now), "step": "", "holder": ""}
    statement = update(kind).where(*_held(kind, row_id, holder))
    wanted = statement.where(kind.cancel_at.is_(None)) if kind.CANCEL_WINS else statement
    if change(wanted.values(**values, **over)):
        return True
    log = {name: value for name, value in values.items() if name == "log"}
    return bool(change(statement.values(state=BacktestState.CANCELLED, **log, **over)))


def give_back(kind: Any, row_id: str, holder: str, now: datetime) -> bool:
    """It could not begin: it waits again, and nobody lost it.

    ``False`` if it is not held, or was cancelled meanwhile: then it is over.
    """
    heard = clock.database_now(now)
    values = {"holder": "", "step": "", "heard_at": heard, "attempt": kind.attempt - 1}
    statement = update(kind).where(*_held(kind, row_id, holder))
    wanted = statement.where(kind.cancel_at.is_(None))
    if change(wanted.values(state=BacktestState.QUEUED, **values)):
        return True
    change(statement.values(state=BacktestState.CANCELLED, ended_at=heard, **values))
    return False


def cancel(row: Any, now: datetime) -> bool:
    """End it: at once while it waits, else as soon as its worker hears of it.

    Whether that was new: twice is once, and what ended by itself meanwhile is as it is.
    """
    db.session.refresh(row, with_for_update=True)
    if row.over or row.cancel_at is not None:
        return False
    row.cancel_at = now
    if row.state is BacktestState.QUEUED:
        row.state, row.ended_at = BacktestState.CANCELLED, now
    return True


def sweep(kind: Any, again: Callable[[Any, datetime], None], now: datetime, limit: int) -> int:
    """See to those nobody was heard of for a minute; returns how many. ``again`` queues one."""
    silent = clock.database_now(now) - LOST_AFTER
    query = select(kind).where(
        kind.state.in_((BacktestState.QUEUED, BacktestState.RUNNING)), kind.heard_at <= silent
    )
    found = db.session.scalars(
        query.order_by(kind.heard_at).limit(limit).with_for_update(skip_locked=True)
    ).all()
    for row in found:
        if _wait_again(row, now):
            again(row, now)
    return len(found)


def _wait_again(row: Any, now: datetime) -> bool:
    """Whether it is to be queued once more; else it is over."""
    row.heard_at, row.holder, row.step = now, "", ""
    if row.cancel_at is not None:
        row.state, row.ended_at = BacktestState.CANCELLED, now
        return False
    if row.state is BacktestState.RUNNING and row.attempt >= row.ATTEMPTS:
        row.state, row.ended_at = BacktestState.FAILED, now
        row.fault = fault_of("backtest", "", row.LOST)
        return False
    row.state, row.percent = BacktestState.QUEUED, 0
    return True


def _held(kind: Any, row_id: str, holder: str) -> tuple[Any, ...]:
    return (
        kind.id == row_id,
        kind.holder == holder,
        kind.state == BacktestState.RUNNING,
    )
