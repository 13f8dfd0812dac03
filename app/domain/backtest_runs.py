"""Backtests as workers carry them out: taken once, heard of all the time, never lost.

A worker holds a backtest by a name of its own. Whoever was silent for a minute has lost it: it is
queued once more, and fails for good the second time. What a worker says that holds it no more
changes nothing.
"""

import hashlib
import json
import zlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from app.domain import clock, outbox
from app.domain.backtests import JOB, QUEUE
from app.extensions import change, db
from app.gateways.backtest_outcome import End, Outcome
from app.models import Backtest, BacktestKind, BacktestState
from app.models.base import new_id
from runner.strategy import varied

LOST_AFTER = timedelta(seconds=60)
MOST_ATTEMPTS = 2
LISTED = 1000
"""The most trades, and fills, of a result that is kept here."""
MOST_BYTES = 24 * 1024 * 1024
MODES = {
    BacktestKind.SINGLE: "monte_carlo",
    BacktestKind.SWEEP: "sweep",
    BacktestKind.WALK_FORWARD: "walk_forward",
}
"""What the runner is asked for; a single run shuffles its trades as well."""
SHUFFLES = 1000
SHOWN = ("net_profit", "return", "trades", "win_rate", "profit_factor", "sharpe", "max_drawdown")
_LOST = "the worker was lost twice while it ran; choose a shorter period, or run it again"


@dataclass(frozen=True)
class Errand:
    """A backtest that this worker holds, and what to run."""

    backtest_id: str
    holder: str
    request: dict[str, Any]


def begin(backtest_id: str, now: datetime) -> Errand | None:
    """Take one that waits; ``None`` if there is nothing to take."""
    holder, heard = new_id("hld"), clock.database_now(now)
    taken = change(
        update(Backtest)
        .where(Backtest.id == backtest_id, Backtest.state == BacktestState.QUEUED)
        .values(
            state=BacktestState.RUNNING,
            holder=holder,
            attempt=Backtest.attempt + 1,
            step="starting",
            percent=0,
            started_at=heard,
            heard_at=heard,
        )
    )
    if not taken:
        return None
    found = db.session.get_one(Backtest, backtest_id, populate_existing=True)
    return Errand(backtest_id, holder, _request(found))


def _request(backtest: Backtest) -> dict[str, Any]:
    asked = dict(backtest.asked)
    rules = varied(backtest.version.rules, asked.pop("values", {}))
    asked.setdefault("options", {"runs": SHUFFLES})
    return {**asked, "rules": rules, "rows": LISTED, "mode": MODES[backtest.kind]}


def beat(errand: Errand, step: str, done: int, of: int, now: datetime) -> bool:
    """Note how far it is; whether it is still wanted, and still held."""
    percent = min(100 * done // of, 100) if of > 0 else 0
    values = {"heard_at": clock.database_now(now), "step": step[:40], "percent": max(percent, 0)}
    held = change(update(Backtest).where(*_held(errand)).values(**values))
    if not held:
        return False
    wanted = select(Backtest.cancel_at).where(Backtest.id == errand.backtest_id)
    return db.session.scalar(wanted) is None


def finish(errand: Errand, outcome: Outcome, now: datetime) -> bool:
    """Write down what came of it; ``False`` if somebody else holds it by now."""
    state, values = BacktestState(outcome.end.value), dict[str, Any]()
    fault: dict[str, str] | None = dict(outcome.fault) or None
    if outcome.end is End.DONE:
        packed = zlib.compress(outcome.answer, 6)
        if len(packed) > MOST_BYTES:
            state = BacktestState.FAILED
            text = "the result is too large to be kept; choose a shorter period"
            fault = {"component": "request", "field": "since", "message": text}
        else:
            digest = hashlib.sha256(outcome.answer).hexdigest()
            values = {"result": packed, "digest": digest, "figures": shown(outcome.answer)}
    values |= {"state": state, "fault": fault, "log": outcome.log, "percent": 100}
    values |= {"ended_at": clock.database_now(now), "step": "", "holder": ""}
    return bool(change(update(Backtest).where(*_held(errand)).values(**values)))


def sweep(now: datetime, limit: int = 200) -> int:
    """See to those nobody was heard of for a minute; returns how many. For the timetable."""
    silent = clock.database_now(now) - LOST_AFTER
    query = select(Backtest).where(
        Backtest.state.in_((BacktestState.QUEUED, BacktestState.RUNNING)),
        Backtest.heard_at <= silent,
    )
    found = db.session.scalars(
        query.order_by(Backtest.heard_at).limit(limit).with_for_update(skip_locked=True)
    ).all()
    for backtest in found:
        _see_to(backtest, now)
    return len(found)


def _see_to(backtest: Backtest, now: datetime) -> None:
    backtest.heard_at, backtest.holder, backtest.step = now, "", ""
    if backtest.cancel_at is not None:
        backtest.state, backtest.ended_at = BacktestState.CANCELLED, now
        return
    if backtest.state is BacktestState.RUNNING and backtest.attempt >= MOST_ATTEMPTS:
        backtest.state, backtest.ended_at = BacktestState.FAILED, now
        backtest.fault = {"component": "backtest", "field": "", "message": _LOST}
        return
    backtest.state, backtest.percent = BacktestState.QUEUED, 0
    outbox.put(QUEUE, JOB, now=now, workspace_id=backtest.workspace_id, backtest_id=backtest.id)


def _held(errand: Errand) -> tuple[Any, ...]:
    return (
        Backtest.id == errand.backtest_id,
        Backtest.holder == errand.holder,
        Backtest.state == BacktestState.RUNNING,
    )


def shown(answer: bytes) -> dict[str, Any]:
    """Values of the few figures that lists show; of a sweep how many combinations were tried."""
    told = json.loads(answer)
    if "sweep" in told:
        return {"tried": told["sweep"]["tried"]}
    figures = (told.get("walk_forward") or told["result"])["figures"]
    return {key: figures[key]["value"] for key in SHOWN if key in figures}
