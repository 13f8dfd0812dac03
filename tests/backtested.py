"""A backtest that is done, with an answer the runner gave on candles written by hand."""

import hashlib
import json
import tempfile
import zlib
from datetime import timedelta
from functools import cache
from pathlib import Path

from app.domain import backtest_plan, backtest_runs
from app.domain.backtest_plan import Plan
from app.extensions import db
from app.models import Backtest, BacktestKind, BacktestState
from tests.runner.backtest import hand_history

SYMBOL = "BTC/USDT:USDT"
COUNT = 600


GRID = [
    {"path": "signals[0].params.fast", "values": [3, 5, 9]},
    {"path": "signals[0].params.slow", "values": [8, 12]},
]
OPTIONS = {
    "single": {},
    "monte_carlo": {"runs": 200},
    "sweep": {"grid": GRID, "objective": "net_profit"},
    "walk_forward": {"grid": GRID[:1], "in_sample": 0.1, "out_of_sample": 0.05},
}


@cache
def answer(seed=1, mode="monte_carlo"):
    """What the runner said of a random walk, as bytes."""
    with tempfile.TemporaryDirectory() as folder:
        candles = hand_history.walk(COUNT, seed)
        hand_history.keep(Path(folder), candles)
        asking = hand_history.plain(Path(folder), candles, 60, mode=mode, options=OPTIONS[mode])
        told, status, _ = hand_history.asked(asking)
    assert status == 0
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def plan(**more):
    """Ten hours of minutes that the hand-made history has."""
    start = hand_history.START + timedelta(hours=1)
    usual = {"exchange": "practice", "symbols": (SYMBOL,), "since": start}
    return Plan(**{**usual, "until": start + timedelta(hours=9), **more})


def row(version, now, state=BacktestState.DONE, said=None, kind=BacktestKind.SINGLE, **more):
    """One, over; ``said`` is its answer."""
    mode = backtest_runs.MODES[kind]
    said = answer(mode=mode) if said is None and state is BacktestState.DONE else said
    asked = backtest_plan.plain(plan())
    if kind is not BacktestKind.SINGLE:
        usual = {"objective": "net_profit", "anchored": False}
        asked["options"] = {**usual, **OPTIONS[mode]}
    made = Backtest(
        workspace_id=version.workspace_id,
        strategy_version_id=version.id,
        kind=kind,
        asked={**asked, **more.pop("asked", {})},
        state=state,
        heard_at=now,
        created_at=now,
        **more,
    )
    if said is not None:
        made.result, made.digest = zlib.compress(said), hashlib.sha256(said).hexdigest()
        made.figures = backtest_runs.shown(said)
    db.session.add(made)
    db.session.flush()
    return made
