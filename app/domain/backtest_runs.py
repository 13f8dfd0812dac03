"""Backtests as workers carry them out; how one is held and lost says ``long_runs``."""

import hashlib
import json
import zlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.domain import long_runs, outbox
from app.domain.backtests import JOB, QUEUE
from app.extensions import db
from app.gateways.backtest_outcome import End, Outcome, fault_of
from app.models import Backtest, BacktestKind, BacktestState
from runner.strategy import varied

LOST_AFTER = long_runs.LOST_AFTER
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


@dataclass(frozen=True)
class Errand:
    """A backtest that this worker holds, and what to run."""

    backtest_id: str
    holder: str
    workspace_id: str
    request: dict[str, Any]


def begin(backtest_id: str, now: datetime) -> Errand | None:
    """Take one that waits; ``None`` if there is nothing to take."""
    holder = long_runs.take(Backtest, backtest_id, now)
    if holder is None:
        return None
    found = db.session.get_one(Backtest, backtest_id, populate_existing=True)
    return Errand(backtest_id, holder, found.workspace_id, _request(found))


def _request(backtest: Backtest) -> dict[str, Any]:
    asked = dict(backtest.asked)
    rules = varied(backtest.version.rules, asked.pop("values", {}))
    asked.setdefault("options", {"runs": SHUFFLES})
    return {**asked, "rules": rules, "rows": LISTED, "mode": MODES[backtest.kind]}


def beat(errand: Errand, step: str, done: int, of: int, now: datetime) -> bool:
    """Note how far it is; whether it is still wanted, and still held."""
    return long_runs.beat(Backtest, errand.backtest_id, errand.holder, (step, done, of), now)


def finish(errand: Errand, outcome: Outcome, now: datetime) -> bool:
    """Write down what came of it; ``False`` if somebody else holds it by now."""
    state, values = BacktestState(outcome.end.value), dict[str, Any]()
    fault: dict[str, str] | None = dict(outcome.fault) or None
    if outcome.end is End.DONE:
        packed = zlib.compress(outcome.answer, 6)
        if len(packed) > MOST_BYTES:
            state = BacktestState.FAILED
            text = "the result is too large to be kept; choose a shorter period"
            fault = fault_of("request", "since", text)
        else:
            digest = hashlib.sha256(outcome.answer).hexdigest()
            values = {"result": packed, "digest": digest, "figures": shown(outcome.answer)}
    values |= {"state": state, "fault": fault, "log": outcome.log}
    return long_runs.finish(Backtest, errand.backtest_id, errand.holder, values, now)


def give_back(errand: Errand, now: datetime) -> None:
    """It could not begin yet: it waits in the queue once more, for a while."""
    if long_runs.give_back(Backtest, errand.backtest_id, errand.holder, now):
        found = db.session.get_one(Backtest, errand.backtest_id, populate_existing=True)
        _queue_again(found, now + long_runs.AGAIN_AFTER)


def sweep(now: datetime, limit: int = 200) -> int:
    """See to those nobody was heard of for a minute; returns how many. For the timetable."""
    return long_runs.sweep(Backtest, _queue_again, now, limit)


def _queue_again(backtest: Backtest, now: datetime) -> None:
    outbox.put(QUEUE, JOB, now=now, workspace_id=backtest.workspace_id, backtest_id=backtest.id)


def shown(answer: bytes) -> dict[str, Any]:
    """Values of the few figures that lists show; of a sweep how many combinations were tried."""
    told = json.loads(answer)
    if "sweep" in told:
        return {"tried": told["sweep"]["tried"]}
    figures = (told.get("walk_forward") or told["result"])["figures"]
    return {key: figures[key]["value"] for key in SHOWN if key in figures}
