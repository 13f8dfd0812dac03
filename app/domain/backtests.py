"""Backtests as people ask for them: request, cancel, run again, delete, find, compare."""

import hashlib
import json
import zlib
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from app.domain import audit, backtest_plan, long_runs, outbox, studies
from app.domain.audit import Actor, Change
from app.domain.backtest_plan import Plan
from app.domain.errors import Refused
from app.domain.studies import Study
from app.extensions import db
from app.models import (
    Backtest,
    BacktestKind,
    BacktestState,
    Strategy,
    StrategyVersion,
    User,
    Workspace,
)
from app.models.backtest import WAITING

QUEUE, JOB = "backtests", "run_backtest"
MOST_WAITING = 5
"""Of one workspace, queued and running: nobody keeps all others waiting."""
MOST_KEPT = 200
PAGE = 50
COMPARED = 4
KINDS = {
    BacktestKind.SINGLE: "Backtest",
    BacktestKind.SWEEP: "Parameter sweep",
    BacktestKind.WALK_FORWARD: "Walk-forward",
}


def request(
    version: StrategyVersion,
    plan: Plan,
    *,
    note: str,
    author: User | None,
    by: Actor,
    now: datetime,
    study: Study | None = None,
    values: dict[str, Any] | None = None,
) -> Backtest:
    """Queue a backtest of a version, or a study of it.

    ``values``: parameters set otherwise than the version has them, by path.

    Raises:
        Invalid: it cannot be run; names the field.
        Refused: too many wait, or too many are kept.
    """
    backtest_plan.check(version, plan, now)
    asked, kind = backtest_plan.plain(plan), BacktestKind.SINGLE
    if study is not None:
        asked["options"], kind = studies.options(version, plan, study), study.kind
    if values:
        studies.chosen(version.rules, values)
        asked["values"] = values
    made = _queue(version, kind, asked, note, author, now)
    _record("backtest.request", made, by, now, audit.changes_between({}, _told(made)))
    return made


def rerun(backtest: Backtest, *, author: User | None, by: Actor, now: datetime) -> Backtest:
    """Queue the same request once more, as a backtest of its own.

    Raises:
        Refused: it is not over yet, too many wait, or too many are kept.
    """
    if not backtest.over:
        raise Refused("It is not over yet; wait for it, or cancel it first.")
    made = _queue(backtest.version, backtest.kind, backtest.asked, backtest.note, author, now)
    _record("backtest.rerun", made, by, now, [Change("of", None, backtest.id)])
    return made


def cancel(backtest: Backtest, *, by: Actor, now: datetime) -> None:
    """End it: at once while it waits, else as soon as its worker hears of it. Twice is once."""
    if long_runs.cancel(backtest, now):
        _record("backtest.cancel", backtest, by, now)


def remove(backtest: Backtest, *, by: Actor, now: datetime) -> None:
    """Delete one with its result and its log.

    Raises:
        Refused: it is not over yet.
    """
    db.session.refresh(backtest, with_for_update=True)
    if not backtest.over:
        raise Refused("It is not over yet; cancel it first.")
    label = label_of(backtest)
    db.session.execute(delete(Backtest).where(Backtest.id == backtest.id))
    audit.record(
        "backtest.delete",
        by=by,
        now=now,
        workspace_id=backtest.workspace_id,
        target_id=backtest.id,
        target_label=label,
    )


# -- looking ---------------------------------------------------------------------------------------


def find(workspace: Workspace, backtest_id: str) -> Backtest | None:
    """One backtest of this workspace."""
    query = _mine(workspace.id).where(Backtest.id == backtest_id)
    found: Backtest | None = db.session.scalar(query)
    return found


def of_ids(workspace: Workspace, ids: list[str]) -> list[Backtest]:
    """Single runs of this workspace that are done, as asked for; others are passed over."""
    query = _mine(workspace.id).where(
        Backtest.id.in_(ids),
        Backtest.state == BacktestState.DONE,
        Backtest.kind == BacktestKind.SINGLE,
    )
    found = {it.id: it for it in db.session.scalars(query)}
    return [found[it] for it in dict.fromkeys(ids) if it in found]


def page(workspace: Workspace, number: int, strategy_id: str = "") -> list[Backtest]:
    """The newest first, one more than a page holds where there are more."""
    query = _mine(workspace.id)
    if strategy_id:
        versions = select(StrategyVersion.id).join(Strategy).where(Strategy.id == strategy_id)
        query = query.where(Backtest.strategy_version_id.in_(versions))
    query = query.order_by(Backtest.created_at.desc(), Backtest.id)
    return list(db.session.scalars(query.offset((number - 1) * PAGE).limit(PAGE + 1)))


def place_of(backtest: Backtest) -> int:
    """Its place among those of its workspace that wait, from 1; of others it tells nothing."""
    before = select(func.count()).where(
        Backtest.workspace_id == backtest.workspace_id,
        Backtest.state == BacktestState.QUEUED,
        Backtest.created_at < backtest.created_at,
    )
    return 1 + (db.session.scalar(before) or 0)


def answer_of(backtest: Backtest) -> bytes:
    """Exactly what the runner answered; empty where there is none."""
    return b"" if backtest.result is None else zlib.decompress(backtest.result)


def twins(backtest: Backtest) -> list[Backtest]:
    """Others that were asked for the same and are done, the newest first."""
    query = _mine(backtest.workspace_id).where(
        Backtest.strategy_version_id == backtest.strategy_version_id,
        Backtest.kind == backtest.kind,
        Backtest.state == BacktestState.DONE,
        Backtest.id != backtest.id,
    )
    wanted = fingerprint(backtest.asked)
    found = db.session.scalars(query.order_by(Backtest.created_at.desc()).limit(MOST_KEPT))
    return [it for it in found if fingerprint(it.asked) == wanted][:10]


def fingerprint(asked: dict[str, Any]) -> str:
    """The same for the same request, however its keys are ordered."""
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def label_of(backtest: Backtest) -> str:
    """What it is called in logs and on pages."""
    symbols = ", ".join(backtest.asked["symbols"])
    return f"{KINDS[backtest.kind]} of {backtest.version.label} on {symbols}"


# -- inside ----------------------------------------------------------------------------------------


def _mine(workspace_id: str) -> Any:
    return select(Backtest).where(Backtest.workspace_id == workspace_id)


def _queue(
    version: StrategyVersion,
    kind: BacktestKind,
    asked: dict[str, Any],
    note: str,
    author: User | None,
    now: datetime,
) -> Backtest:
    # Two requests of one workspace at the same moment count each other.
    workspace = version.workspace_id
    db.session.execute(select(Workspace.id).where(Workspace.id == workspace).with_for_update())
    mine = select(func.count()).where(Backtest.workspace_id == workspace)
    if (db.session.scalar(mine.where(Backtest.state.in_(WAITING))) or 0) >= MOST_WAITING:
        raise Refused(f"{MOST_WAITING} backtests wait or run already; wait for one, or cancel one.")
    if (db.session.scalar(mine) or 0) >= MOST_KEPT:
        raise Refused(f"{MOST_KEPT} backtests are kept already; delete some that are over.")
    made = Backtest(
        workspace_id=workspace,
        strategy_version_id=version.id,
        kind=kind,
        note=note[:120],
        asked=asked,
        state=BacktestState.QUEUED,
        heard_at=now,
        created_by=author.id if author else None,
        created_at=now,
    )
    db.session.add(made)
    db.session.flush()
    outbox.put(QUEUE, JOB, now=now, workspace_id=workspace, backtest_id=made.id)
    return made


def _told(backtest: Backtest) -> dict[str, Any]:
    asked = backtest.asked
    return {
        "symbols": ", ".join(asked["symbols"]),
        "exchange": asked["exchange"],
        "period": f"{asked['since']} to {asked['until']}",
        "balance": asked["balance"],
        "note": backtest.note,
        "kind": backtest.kind.value,
        "varied": ", ".join(axis["path"] for axis in asked.get("options", {}).get("grid", [])),
        "values": ", ".join(f"{path} {value}" for path, value in asked.get("values", {}).items()),
    }


def _record(
    action: str, backtest: Backtest, by: Actor, now: datetime, changes: list[Change] | None = None
) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        workspace_id=backtest.workspace_id,
        target_id=backtest.id,
        target_label=label_of(backtest),
        changes=changes or (),
    )
