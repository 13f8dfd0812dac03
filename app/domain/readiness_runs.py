"""Checks of a bot against a backtest, as people ask for them and as workers carry them out."""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select

from app.domain import audit, drift, long_runs, outbox, stretches
from app.domain.audit import Actor
from app.domain.drift import Deal
from app.domain.errors import Refused
from app.domain.stretches import Stretch
from app.extensions import db
from app.gateways.backtest_outcome import End, Outcome, fault_of
from app.models import BacktestState, Bot, ReadinessCheck, User, Workspace
from app.models.backtest import WAITING
from runner.protocol import Side

QUEUE, JOB = "backtests", "check_readiness"
MOST_WAITING = 3
"""Of one workspace, queued and running: nobody keeps all others waiting."""
KEPT = 5
"""Of one bot; the oldest of more are forgotten."""


@dataclass(frozen=True)
class Errand:
    """A check that this worker holds, and what it looks at."""

    check_id: str
    holder: str
    stretch: Stretch
    span: timedelta
    request: dict[str, Any]


def request(bot: Bot, *, author: User | None, by: Actor, now: datetime) -> ReadinessCheck:
    """Queue a check of a bot as it is now; one that waits or runs already is that check.

    Raises:
        Refused: there is nothing to look at, its market cannot be tested, or too many wait.
    """
    db.session.execute(
        select(Workspace.id).where(Workspace.id == bot.workspace_id).with_for_update()
    )
    known = newest(bot)
    if known is not None and not known.over:
        return known
    _demand(bot)
    mode, _ = stretches.runs_of(bot)
    made = ReadinessCheck(
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        strategy_version_id=bot.strategy_version_id,
        symbols=bot.symbols,
        mode=mode,
        state=BacktestState.QUEUED,
        heard_at=now,
        created_by=author.id if author else None,
        created_at=now,
    )
    db.session.add(made)
    db.session.flush()
    _forget(bot)
    _queue_again(made, now)
    _record("readiness.check", bot, by, now)
    return made


def _demand(bot: Bot) -> None:
    mine = select(func.count()).where(
        ReadinessCheck.workspace_id == bot.workspace_id, ReadinessCheck.state.in_(WAITING)
    )
    if (db.session.scalar(mine) or 0) >= MOST_WAITING:
        raise Refused(f"{MOST_WAITING} checks wait or run already; wait for one, or cancel one.")
    why_not = stretches.hindrance(bot.version.rules)
    if why_not:
        raise Refused(why_not)
    if not stretches.has_judged(bot):
        reset = bot.paper_reset_at
        since = "" if reset is None else f" since its balance was reset, {reset:%Y-%m-%d %H:%M} UTC"
        raise Refused(
            f"It has judged no candle with this version and these symbols yet{since}. Start it on "
            "paper first."
        )


def cancel(bot: Bot, *, by: Actor, now: datetime) -> None:
    """End the newest check. Raises ``Refused`` where none waits or runs."""
    found = newest(bot)
    if found is None:
        raise Refused("No check was asked for; there is nothing to cancel.")
    if long_runs.cancel(found, now):
        _record("readiness.cancel", bot, by, now)


def newest(bot: Bot) -> ReadinessCheck | None:
    """The last check that was asked for, however it stands."""
    return _newest(ReadinessCheck.bot_id == bot.id)


def newest_done(bot: Bot) -> ReadinessCheck | None:
    """The last one that came to an answer."""
    return _newest(ReadinessCheck.bot_id == bot.id, ReadinessCheck.state == BacktestState.DONE)


# -- by workers ------------------------------------------------------------------------------------


def begin(check_id: str, now: datetime) -> str | None:
    """Take one that waits; the hold on it, or ``None``."""
    return long_runs.take(ReadinessCheck, check_id, now)


def gather(check_id: str, holder: str) -> Errand | None:
    """Read what the bot did since it is what it is; ``None`` where nothing is left of it."""
    check = db.session.get_one(ReadinessCheck, check_id, populate_existing=True)
    bot = db.session.get_one(Bot, check.bot_id, populate_existing=True)
    pinned = check.strategy_version_id == bot.strategy_version_id and check.symbols == bot.symbols
    stretch = stretches.of(bot) if pinned else None
    if stretch is None:
        return None
    rules = check.version.rules
    asked = {**stretch.request, "rules": rules, "mode": "parity"}
    return Errand(check_id, holder, stretch, stretches.span_of(rules), asked)


def beat(check_id: str, holder: str, step: str, done: int, of: int, now: datetime) -> bool:
    """Note how far it is; whether it is still wanted, and still held."""
    return long_runs.beat(ReadinessCheck, check_id, holder, (step, done, of), now)


def give_up(check_id: str, holder: str, now: datetime) -> bool:
    """The bot was changed while its check waited."""
    text = "the bot was given another version or other symbols meanwhile; check it again"
    fault = fault_of("bot", "", text)
    values = {"state": BacktestState.FAILED, "fault": fault}
    return long_runs.finish(ReadinessCheck, check_id, holder, values, now)


def finish(errand: Errand, outcome: Outcome, now: datetime) -> bool:
    """Write down what came of it; ``False`` if somebody else holds it by now."""
    values: dict[str, Any] = {
        "state": BacktestState(outcome.end.value),
        "fault": dict(outcome.fault) or None,
        "log": outcome.log,
    }
    if outcome.end is End.DONE:
        told = json.loads(outcome.answer)
        values |= {
            "parity": told["parity"],
            "drift": drift.plain(_drift(errand, told["result"]), errand.stretch.balance),
            "pinned": _pinned(told["result"]),
            "since": errand.stretch.since,
            "until": errand.stretch.until,
        }
    return long_runs.finish(ReadinessCheck, errand.check_id, errand.holder, values, now)


def sweep(now: datetime, limit: int = 200) -> int:
    """See to those nobody was heard of for a minute; returns how many. For the timetable."""
    return long_runs.sweep(ReadinessCheck, _queue_again, now, limit)


# -- inside ----------------------------------------------------------------------------------------


def _drift(errand: Errand, result: dict[str, Any]) -> drift.Drift:
    stretch = errand.stretch
    again = [_deal(row) for row in result["trades"]]
    if len(stretch.paper) + len(stretch.unfinished) >= stretches.MOST_TRADES:
        first = min((it.decided_at for it in stretch.paper), default=stretch.since)
        again = [it for it in again if it.decided_at >= first]  # older ones were left out on paper
    held = {it["symbol"] for it in result["open"]}
    ends = {it.symbol: it.closed_at for it in again}
    # What the backtest has not left yet was entered after its last trade on that symbol.
    late = [
        (it.symbol, it.decided_at)
        for it in stretch.paper
        if it.symbol in held and it.decided_at >= ends.get(it.symbol, stretch.since)
    ]
    return drift.compare(stretch.paper, again, errand.span, [*stretch.unfinished, *late])


def _deal(row: dict[str, Any]) -> Deal:
    quantity = Decimal(row["quantity"])
    return Deal(
        symbol=row["symbol"],
        decided_at=datetime.fromisoformat(row["decided_at"]),
        side=Side(row["side"]),
        quantity=quantity,
        entry_price=Decimal(row["entry_notional"]) / quantity,
        exit_price=Decimal(row["exit_notional"]) / quantity,
        fees=Decimal(row["fees"]),
        funding=Decimal(row["funding"]),
        net=Decimal(row["net"]),
        closed_at=datetime.fromisoformat(row["closed_at"]),
    )


def _pinned(result: dict[str, Any]) -> dict[str, Any]:
    """What made the answer what it is."""
    pinned = result["pinned"]
    return {
        "engine": pinned["engine"],
        "runner": pinned["runner"],
        "strategy": pinned["strategy"],
        "model": pinned["model"],
        "data": [
            {name: it[name] for name in ("symbol", "candles", "missing", "sha256")}
            for it in pinned["data"]
        ],
    }


def _newest(*conditions: ColumnElement[bool]) -> ReadinessCheck | None:
    query = select(ReadinessCheck).where(*conditions).order_by(*_BY_AGE)
    return db.session.scalar(query.limit(1))


_BY_AGE = ReadinessCheck.created_at.desc(), ReadinessCheck.id.desc()


def _forget(bot: Bot) -> None:
    """Keep the newest few, and the newest of them that came to an answer."""
    ids = select(ReadinessCheck.id).where(ReadinessCheck.bot_id == bot.id)
    kept = list(db.session.scalars(ids.order_by(*_BY_AGE).limit(KEPT)))
    done = newest_done(bot)
    if done is not None:
        kept.append(done.id)
    old = delete(ReadinessCheck).where(
        ReadinessCheck.bot_id == bot.id, ReadinessCheck.id.not_in(kept)
    )
    db.session.execute(old)


def _queue_again(check: ReadinessCheck, now: datetime) -> None:
    outbox.put(QUEUE, JOB, now=now, workspace_id=check.workspace_id, check_id=check.id)


def _record(action: str, bot: Bot, by: Actor, now: datetime) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        workspace_id=bot.workspace_id,
        target_id=bot.id,
        target_label=bot.name,
        changes=audit.changes_between({}, {"version": bot.version.label, "symbols": bot.symbols}),
    )
