"""Dry runs: asked for with a source, carried out by a worker's process, then saved as a version."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from app.domain import audit, code_rules, defaults, long_runs, outbox, strategies
from app.domain.audit import Actor
from app.domain.errors import Invalid, Refused
from app.domain.venues import VENUES
from app.extensions import db
from app.gateways.backtest_outcome import End, Outcome, fault_of
from app.models import BacktestState, DryRun, Strategy, StrategyVersion, User, Workspace
from app.models.backtest import WAITING
from runner.strategy import TIMEFRAMES, warmup

QUEUE, JOB = "backtests", "run_dry_run"
CANDLES = 500
MOST_WAITING = 3
MOST_KEPT = 50
SHOWN = 10
"""Trades that the page lists."""
UNSTEADY = (
    "two runs over the same candles gave different answers; leave out what depends on the time of "
    "the run or on chance"
)


@dataclass(frozen=True)
class Errand:
    """A dry run that this worker holds, and what to run, twice."""

    dry_run_id: str
    holder: str
    workspace_id: str
    request: dict[str, Any]


def request(
    workspace: Workspace,
    *,
    name: str,
    source: str,
    strategy: Strategy | None,
    base: int,
    allowed: bool,
    author: User | None,
    by: Actor,
    now: datetime,
    summary: str = "",
) -> DryRun:
    """Queue a dry run of a source.

    Raises:
        InvalidSource: what can be seen without running it; each fault with its line.
        Invalid: the name does not do.
        Refused: no code may run here, or too many wait.
    """
    text = code_rules.clean(source)
    rules = code_rules.rules_of(text)
    code_rules.check_allowed(rules, allowed=allowed)
    if not 1 <= len(name.strip()) <= 80:
        raise Invalid("Give it a name of 1 to 80 characters.", "name")
    if strategy is not None:
        code_rules.check_kind(strategy.latest.rules, rules)
    _make_room(workspace)
    made = DryRun(
        workspace_id=workspace.id,
        strategy_id=strategy.id if strategy else None,
        base=base,
        name=name.strip(),
        summary=summary[:300],
        source=text,
        digest=code_rules.digest_of(text),
        asked=_asked(workspace, rules, now),
        state=BacktestState.QUEUED,
        heard_at=now,
        created_by=author.id if author else None,
        created_at=now,
    )
    db.session.add(made)
    db.session.flush()
    _queue(made, now)
    _record("strategy.dry_run", made, by, now)
    return made


def save(
    dry_run: DryRun,
    *,
    note: str,
    allowed: bool,
    author: User | None,
    by: Actor,
    now: datetime,
    base: int | None = None,
) -> StrategyVersion:
    """Make the source that passed a version: of its strategy, or of a new one.

    ``base``: number of the newest version its author has seen, where that is not the one the
    editor was opened on.

    Raises:
        Refused: it has not passed, nothing differs, or no code may run here.
        Overtaken: another version was published meanwhile.
    """
    if not dry_run.passed:
        raise Refused("It has not passed its dry run; put right what it says, and check it again.")
    rules = code_rules.rules_of(dry_run.source)
    code_rules.check_allowed(rules, allowed=allowed)
    if dry_run.strategy is not None:
        return strategies.publish(
            dry_run.strategy,
            rules=rules,
            base=dry_run.base if base is None else base,
            note=note,
            author=author,
            by=by,
            now=now,
        )
    workspace = db.session.get_one(Workspace, dry_run.workspace_id)
    made = strategies.create(
        workspace,
        name=dry_run.name,
        rules=rules,
        author=author,
        by=by,
        now=now,
        summary=dry_run.summary,
    )
    # Saved twice it is the next version of what it became, and not a second strategy.
    dry_run.strategy_id, dry_run.base = made.id, 1
    return made.latest


def cancel(dry_run: DryRun, *, by: Actor, now: datetime) -> None:
    """End it: at once while it waits, else as soon as its worker hears of it. Twice is once."""
    if long_runs.cancel(dry_run, now):
        _record("strategy.dry_run_cancel", dry_run, by, now)


def find(workspace: Workspace, dry_run_id: str) -> DryRun | None:
    """One dry run of this workspace."""
    query = select(DryRun).where(DryRun.workspace_id == workspace.id, DryRun.id == dry_run_id)
    found: DryRun | None = db.session.scalar(query)
    return found


# -- at work ---------------------------------------------------------------------------------------


def begin(dry_run_id: str, now: datetime) -> Errand | None:
    """Take one that waits; ``None`` if there is nothing to take."""
    holder = long_runs.take(DryRun, dry_run_id, now)
    if holder is None:
        return None
    found = db.session.get_one(DryRun, dry_run_id, populate_existing=True)
    rules = code_rules.rules_of(found.source)
    asked = {**found.asked, "rules": rules, "rows": 1000}
    return Errand(dry_run_id, holder, found.workspace_id, asked)


def beat(errand: Errand, step: str, done: int, of: int, now: datetime) -> bool:
    """Note how far it is; whether it is still held."""
    return long_runs.beat(DryRun, errand.dry_run_id, errand.holder, (step, done, of), now)


def finish(errand: Errand, first: Outcome, second: Outcome | None, now: datetime) -> bool:
    """Write down what came of it; ``False`` if somebody else holds it by now."""
    state, fault, told = BacktestState.FAILED, dict(first.fault) or None, None
    if first.end is End.DONE and second is not None:
        same = second.end is End.DONE and first.answer == second.answer
        state = BacktestState.DONE if same else state
        told = shown(first.answer)
        fault = None if same else dict(second.fault) or fault_of("code", "", UNSTEADY)
    if state is BacktestState.FAILED and fault is None:
        fault = fault_of("backtest", "", "it was ended from outside; check it again")
    values = {"state": state, "fault": fault, "told": told, "log": first.log}
    return long_runs.finish(DryRun, errand.dry_run_id, errand.holder, values, now)


def give_back(errand: Errand, now: datetime) -> None:
    """It could not begin yet: it waits in the queue once more, for a while."""
    if long_runs.give_back(DryRun, errand.dry_run_id, errand.holder, now):
        found = db.session.get_one(DryRun, errand.dry_run_id, populate_existing=True)
        _queue(found, now + long_runs.AGAIN_AFTER)


def sweep(now: datetime, limit: int = 200) -> int:
    """See to those nobody was heard of for a minute; returns how many. For the timetable."""
    return long_runs.sweep(DryRun, _queue, now, limit)


def shown(answer: bytes) -> dict[str, Any]:
    """What the page shows of a run: how far its candles came, and its first trades."""
    result = json.loads(answer)["result"]
    counted = next(iter(result["funnel"].values()))
    names = ("opened_at", "closed_at", "side", "net", "entry_words", "exit_words")
    trades = [{name: trade[name] for name in names} for trade in result["trades"][:SHOWN]]
    output = "\n".join(result.get("output", []))[:4_000]
    keys = ("candles", "entries", "exits", "signals", "signals_blocked")
    return {
        "counts": {key: counted[key] for key in keys},
        "blocked": counted["blocked"],
        "trades": trades,
        "trades_total": result["trades_total"],
        "output": output,
        "since": result["pinned"]["since"],
        "until": result["pinned"]["until"],
    }


# -- inside ----------------------------------------------------------------------------------------


def _asked(workspace: Workspace, rules: dict[str, Any], now: datetime) -> dict[str, Any]:
    """The newest candles of where the workspace's new bots begin."""
    begins = defaults.of(workspace)
    span = TIMEFRAMES[rules["timeframe"]]
    # The newest candle may come late; nobody waits for it here.
    until = int(now.timestamp()) // span * span - 2 * span
    since = until - CANDLES * span
    if warmup(rules) > 5_000:
        raise Refused("It warms up for longer than a dry run reads; shorten it.")
    venue = VENUES[begins.exchange]
    if fault := venue.frame_fault(rules["timeframe"]):
        raise Refused(f"{fault} New bots of this workspace begin there.")
    return {
        "exchange": begins.exchange,
        "symbols": [begins.symbol],
        "since": datetime.fromtimestamp(since, now.tzinfo).isoformat(),
        "until": datetime.fromtimestamp(until, now.tzinfo).isoformat(),
        "balance": f"{begins.starting_balance:f}",
        "quote": venue.quote,
        "seed": 1,
    }


def _make_room(workspace: Workspace) -> None:
    """Few wait at once, and the oldest that are over go. Raises ``Refused``."""
    db.session.execute(select(Workspace.id).where(Workspace.id == workspace.id).with_for_update())
    mine = select(func.count()).where(DryRun.workspace_id == workspace.id)
    if (db.session.scalar(mine.where(DryRun.state.in_(WAITING))) or 0) >= MOST_WAITING:
        raise Refused(f"{MOST_WAITING} dry runs wait or run already; wait for one, or cancel one.")
    newest = select(DryRun.id).where(DryRun.workspace_id == workspace.id)
    newest = newest.order_by(DryRun.created_at.desc(), DryRun.id).limit(MOST_KEPT - 1)
    kept = list(db.session.scalars(newest))
    db.session.execute(
        delete(DryRun).where(
            DryRun.workspace_id == workspace.id,
            DryRun.id.not_in(kept),
            DryRun.state.not_in(WAITING),
        )
    )


def _queue(dry_run: DryRun, now: datetime) -> None:
    outbox.put(QUEUE, JOB, now=now, workspace_id=dry_run.workspace_id, dry_run_id=dry_run.id)


def _record(action: str, dry_run: DryRun, by: Actor, now: datetime) -> None:
    named = {"source": f"SHA-256 {dry_run.digest[:12]}"}
    audit.record(
        action,
        by=by,
        now=now,
        workspace_id=dry_run.workspace_id,
        target_id=dry_run.strategy_id or dry_run.id,
        target_label=dry_run.name,
        changes=audit.changes_between({}, named),
    )
