"""What happened lately: changes by people, trades, and what runners say.

Written for every member: it carries no address of a person and no e-mail.
"""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Select, bindparam, case, select

from app.extensions import db, prepared
from app.models import AuditEvent, Bot, Run, RunnerNotice, TradeRow, User, Workspace
from app.models.trade import gain
from runner.protocol import Mode, Side


@dataclass(frozen=True, slots=True)
class Activity:
    """One line of the feed: ``kind`` is audit, trade or notice."""

    at: datetime
    kind: str
    bot_id: str | None
    text: str
    tone: str


def latest(workspace: Workspace, *, bot: Bot | None = None, limit: int = 20) -> list[Activity]:
    """The newest lines of a workspace or of one of its bots, newest first."""
    scope = {"workspace": workspace.id} | ({"bot": bot.id} if bot else {})
    lines = [
        line(*row)
        for line, newest in ((_said, _events), (_traded, _trades), (_noticed, _notices))
        for row in db.session.execute(newest(bot is not None, limit), scope)
    ]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:limit]


@prepared
def _events(one: bool, limit: int) -> Select[*tuple[Any, ...]]:
    query = select(
        *(AuditEvent.occurred_at, AuditEvent.action, AuditEvent.actor_kind),
        case((AuditEvent.actor_kind == "policy", AuditEvent.actor_label)).label("rule"),
        *(AuditEvent.target_id, AuditEvent.target_label, User.name),
    ).outerjoin(User, User.id == AuditEvent.actor_id)
    query = query.where(AuditEvent.workspace_id == bindparam("workspace"))
    query = query.where(AuditEvent.action.like("bot.%") | AuditEvent.action.like("position.%"))
    if one:
        query = query.where(AuditEvent.target_id == bindparam("bot"))
    return query.order_by(AuditEvent.seq.desc()).limit(limit)


@prepared
def _trades(one: bool, limit: int) -> Select[*tuple[Any, ...]]:
    query = select(
        *(TradeRow.bot_id, TradeRow.symbol, TradeRow.side, TradeRow.entered),
        *(TradeRow.entry_notional, TradeRow.exit_notional, TradeRow.fees, TradeRow.funding),
        *(TradeRow.exit_reason, TradeRow.opened_at, TradeRow.closed_at, Run.mode),
    ).join(Run, Run.id == TradeRow.run_id)
    return _newest(query, TradeRow, one, limit)


@prepared
def _notices(one: bool, limit: int) -> Select[*tuple[Any, ...]]:
    query = select(RunnerNotice.bot_id, RunnerNotice.at, RunnerNotice.level, RunnerNotice.message)
    return _newest(query, RunnerNotice, one, limit)


def _newest(
    query: Select[*tuple[Any, ...]], kind: Any, one: bool, limit: int
) -> Select[*tuple[Any, ...]]:
    query = query.where(kind.workspace_id == bindparam("workspace"))
    if one:
        query = query.where(kind.bot_id == bindparam("bot"))
    return query.order_by(kind.number.desc()).limit(limit)


_SAID = {
    "bot.create": "created {}",
    "bot.configure": "changed the configuration of {}",
    "bot.limits": "raised the limits of {}",
    "bot.schedule": "changed the schedule of {}",
    "bot.start": "started {}",
    "bot.stop": "stopped {}",
    "bot.pause": "paused {}",
    "bot.resume": "resumed {}",
    "bot.alarm_take": "looks after an alarm of {}",
    "bot.mode": "switched the mode of {}",
    "bot.signal_open": "opened the signal webhook of {}",
    "bot.signal_rotate": "gave the signal webhook of {} another secret",
    "bot.signal_revoke": "shut the signal webhook of {}",
    "bot.signal_settings": "changed who may send signals to {}",
    "bot.reset_paper": "reset the paper balance of {}",
    "bot.revision": "approved anew what {} is",
    "bot.check_key": "had the live key of {} looked at",
    "bot.safety": "changed what guards {}",
    "bot.delete": "deleted {}",
    "bot.released": "released the address of {}",
    "bot.keep_awake": "keeps {} awake for a while",
    "bot.wake_now": "asked to wake {} now",
    "bot.sleep_now": "asked {} to sleep now",
    "bot.follow": "let {} follow its schedule again",
    "bot.retry": "had {} tried again",
    "bot.renew": "gives {} another machine",
    "bot.renew_off": "leaves {} its machine",
    "bot.wake": "woke {}",
    "bot.sleep": "put {} to sleep",
    "position.close": "asked to flatten {}",
    "position.write_off": "wrote off what {} had on a symbol the exchange lists no more",
    "position.panic_close": "pressed panic in {}",
}


_ACTORS = {"planner": "The planner", "policy": "A rule"}
_RULES = {
    "risk limit": "A limit that was passed",
    "account rule": "The rule of one bot to an account",
    "ceiling": "A ceiling of the workspace",
}


def _said(
    at: datetime,
    action: str,
    actor: str,
    rule: str | None,
    target_id: str | None,
    target: str,
    name: str | None,
) -> Activity:
    who = name or _RULES.get(rule or "") or _ACTORS.get(actor, "Someone")
    text = f"{who} {_SAID.get(action, action + ' {}').format(target)}"
    return Activity(at, "audit", target_id, text, "neutral")


def _traded(
    bot_id: str,
    pair: str,
    side: Side,
    entered: Decimal,
    cost: Decimal,
    proceeds: Decimal,
    fees: Decimal,
    funding: Decimal,
    reason: str,
    opened_at: datetime,
    closed_at: datetime | None,
    mode: Mode,
) -> Activity:
    way, symbol = "long" if side == "buy" else "short", pair.split(":", maxsplit=1)[0]
    if closed_at is None:
        text = f"opened {way} {symbol} at {cost / entered:,.2f} on {mode}"
        return Activity(opened_at, "trade", bot_id, text, "info")
    net = gain(side, cost, proceeds) - fees + funding
    result = f"{net:+,.2f}".replace("-", "\u2212")
    text = f"closed {way} {symbol} on {mode}, {result} ({reason.replace('_', ' ')})"
    return Activity(closed_at, "trade", bot_id, text, "good" if net >= 0 else "bad")


def _noticed(bot_id: str, at: datetime, level: str, message: str) -> Activity:
    tone = {"info": "neutral", "warning": "warn", "alarm": "bad"}.get(level, "neutral")
    return Activity(at, "notice", bot_id, message, tone)
