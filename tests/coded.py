"""A code strategy's dry run as rows of the database."""

import zlib

from app.domain import code_rules
from app.extensions import db
from app.models import BacktestState, CodeTask, DryRun, TaskState
from tests.runner.code.sources import CROSSING

TOLD = {
    "counts": {"candles": 500, "entries": 1, "exits": 1, "signals": 2, "signals_blocked": 1},
    "blocked": {"funding_gate": 1},
    "trades": [
        {
            "opened_at": "2026-11-23T09:00:00Z",
            "closed_at": "2026-11-23T09:10:00Z",
            "side": "buy",
            "net": "1.5",
            "entry_words": "the fast average is above",
            "exit_words": "the fast average is below",
        }
    ],
    "trades_total": 1,
    "output": "a line",
    "since": "2026-11-23T00:00:00Z",
    "until": "2026-11-23T08:20:00Z",
}


def dry_run(
    workspace,
    now,
    *,
    name="Crossing",
    source=CROSSING,
    state=BacktestState.DONE,
    note="a line",
    **more,
):
    """One that is over, or as ``state`` says."""
    text = code_rules.clean(source)
    made = DryRun(
        workspace_id=workspace.id,
        name=name,
        source=text,
        digest=code_rules.digest_of(text),
        asked={"exchange": "practice", "symbols": ["BTC/USDT:USDT"]},
        state=state,
        told={**TOLD, "output": note} if state is BacktestState.DONE else None,
        heard_at=now,
        created_at=now,
        **more,
    )
    db.session.add(made)
    db.session.flush()
    return made


def task(workspace, now, *, subject, source=CROSSING, problem=""):
    """The task of one that is over, its machine gone; ``problem``: what the cloud last said."""
    made = CodeTask(
        workspace_id=workspace.id,
        subject=subject,
        exchange="practice",
        runs=2,
        seconds=120,
        request=zlib.compress(source.encode()),
        state=TaskState.ANSWERED,
        token_hash="0" * 64,
        created_at=now,
        watched_at=now,
        heard_at=now,
        ended_at=now,
        machine=f"t-{subject.partition('_')[2]}-g1",
        region="local",
        try_at=now,
        problem=problem,
        gone_at=now,
    )
    db.session.add(made)
    db.session.flush()
    return made
