"""Everything around one moment of a workspace in one list: people, machines, runs, approvals."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, exists, or_, select
from sqlalchemy.orm import aliased

from app.domain import spans
from app.domain.audit_query import AuditFilter
from app.domain.spans import Span
from app.extensions import db
from app.models import (
    Approval,
    AuditEvent,
    Bot,
    BotCommand,
    CloudOperation,
    Machine,
    Membership,
    Run,
    RunnerNotice,
    TradeRow,
    User,
    Workspace,
)

SPANS = (2, 15, 60, 360)
"""Minutes on each side that can be looked at."""

MOST = 200
"""Of each kind; who needs more looks at less time."""

SIGN_INS = ("account.sign_in", "account.sign_out")


@dataclass(frozen=True)
class Item:
    """One thing that happened: ``event_id`` is the audit event, ``bot_id`` whom it is about."""

    at: datetime
    kind: str
    text: str
    tone: str = "neutral"
    bot_id: str | None = None
    event_id: str | None = None
    who: str = ""


@dataclass(frozen=True)
class Around:
    """What happened from ``since`` to ``until``, in order; ``cut``: kinds with more than shown."""

    at: datetime
    since: datetime
    until: datetime
    items: tuple[Item, ...]
    cut: tuple[str, ...]


def around(workspace: Workspace, at: datetime, minutes: int, bot: Bot | None = None) -> Around:
    """Look at ``minutes`` before and after ``at``.

    What people did is shown for the whole workspace, since a strategy, a key or a role changes a
    bot as well; machines, runs and trades for the bot alone where one is given.
    """
    reach = timedelta(minutes=minutes)
    span = Span(workspace.id, at - reach, at + reach, bot.id if bot else None, MOST)
    return Around(at, span.since, span.until, *spans.gather(SOURCES, span))


def bots_of(found: Around, workspace: Workspace) -> list[Bot]:
    """The bots that a list speaks of, those that are gone included."""
    ids = {item.bot_id for item in found.items if item.bot_id}
    query = select(Bot).where(Bot.workspace_id == workspace.id, Bot.id.in_(ids))
    return list(db.session.scalars(query))


def _changes(span: Span) -> Iterator[Item]:
    wanted = AuditFilter(since=span.since, until=span.until + timedelta(microseconds=1))
    query = select(AuditEvent).where(
        AuditEvent.workspace_id == span.workspace_id, wanted.condition()
    )
    newest = db.session.scalars(query.order_by(AuditEvent.seq.desc()).limit(MOST))
    for row in reversed(newest.all()):
        what = row.action.replace(".", " ").replace("_", " ")
        text = f"{what} {row.target_label}".strip()
        tone = "bad" if row.outcome != "success" else "info"
        who = row.actor_label
        yield Item(row.occurred_at, "change", text, tone, row.target_id, row.id, who)


def _sign_ins(span: Span) -> Iterator[Item]:
    """Who was a member then, also if gone since; from where is not told: that is their business."""
    member = exists().where(
        Membership.workspace_id == span.workspace_id,
        Membership.user_id == User.id,
        Membership.created_at <= AuditEvent.occurred_at,
    )
    query = (
        select(AuditEvent, User.email)
        .join(User, User.id == AuditEvent.chain)
        .where(
            or_(member, _left_later(span.workspace_id)),
            AuditEvent.action.in_(SIGN_INS),
            span.within(AuditEvent.occurred_at),
        )
        .order_by(AuditEvent.occurred_at.desc())
        .limit(MOST)
    )
    for row, email in db.session.execute(query):
        tone = "bad" if row.outcome != "success" else "neutral"
        text = row.action.removeprefix("account.").replace("_", " ")
        yield Item(row.occurred_at, "sign-in", f"{text} ({row.outcome})", tone, who=email)


def _left_later(workspace_id: str) -> ColumnElement[bool]:
    """For a sign-in: its person had come into the workspace before, and went after it."""
    came, went = aliased(AuditEvent), aliased(AuditEvent)
    by_oneself = came.action.in_(("workspace.create", "invitation.accept"))
    added = and_(came.action == "member.add", came.target_id == User.id)
    return and_(
        exists().where(
            came.workspace_id == workspace_id,
            or_(and_(by_oneself, came.actor_id == User.id), added),
            came.occurred_at <= AuditEvent.occurred_at,
        ),
        exists().where(
            went.workspace_id == workspace_id,
            went.action.in_(("member.remove", "member.leave")),
            went.target_id == User.id,
            went.occurred_at >= AuditEvent.occurred_at,
        ),
    )


def _machines(span: Span) -> Iterator[Item]:
    moments = (
        Machine.created_at,
        Machine.running_at,
        Machine.claimed_at,
        Machine.dead_at,
        Machine.gone_at,
    )
    for row in span.rows(Machine, *moments):
        name = f"machine {row.generation}"
        why = f": {row.end_reason}" if row.end_reason else ""
        for told in span.told(
            (row.created_at, f"{name} is asked for, at {row.ip}", "info"),
            (row.running_at, f"{name} runs", "good"),
            (row.claimed_at, f"{name}: its runner took over", "good"),
            (row.dead_at, f"{name} is dead{why}", "bad"),
            (row.gone_at, f"{name} is gone{why}", "neutral"),
        ):
            yield Item(told[0], "machine", told[1], told[2], row.bot_id)


def _calls(span: Span) -> Iterator[Item]:
    for row in span.rows(CloudOperation, CloudOperation.started_at, CloudOperation.finished_at):
        name = f"{row.kind.replace('_', ' ')}, generation {row.generation}"
        became = f"{name}: {row.state}" + (f" ({row.detail})" if row.detail else "")
        tone = "neutral" if row.state == "done" else "warn"
        for at, text, shade in span.told(
            (row.started_at, f"{name}: asked", "neutral"), (row.finished_at, became, tone)
        ):
            yield Item(at, "call", text, shade, row.bot_id)


def _runs(span: Span) -> Iterator[Item]:
    for row in span.rows(Run, Run.started_at, Run.ended_at):
        name = f"a run in {row.mode} mode on {', '.join(row.symbols)}"
        for at, text, tone in span.told(
            (row.started_at, f"{name} began", "info"), (row.ended_at, f"{name} ended", "neutral")
        ):
            yield Item(at, "run", text, tone, row.bot_id)


def _orders(span: Span) -> Iterator[Item]:
    for row in span.rows(BotCommand, BotCommand.created_at, BotCommand.done_at):
        name = f"order to {row.kind.replace('_', ' ')}"
        for at, text, tone in span.told(
            (row.created_at, f"{name} was given", "info"),
            (row.done_at, f"{name}: {row.outcome or 'done'}", "neutral"),
        ):
            yield Item(at, "order", text, tone, row.bot_id)


def _notices(span: Span) -> Iterator[Item]:
    tones = {"warning": "warn", "alarm": "bad"}
    for row in span.rows(RunnerNotice, RunnerNotice.at):
        yield Item(row.at, "notice", row.message, tones.get(row.level, "neutral"), row.bot_id)


def _trades(span: Span) -> Iterator[Item]:
    for row in span.rows(TradeRow, TradeRow.opened_at, TradeRow.closed_at):
        name = f"{'long' if row.side == 'buy' else 'short'} {row.symbol.split(':')[0]}"
        why = f" ({row.exit_reason.replace('_', ' ')})" if row.exit_reason else ""
        for at, text, tone in span.told(
            (row.opened_at, f"{name} was opened", "info"),
            (row.closed_at, f"{name} was closed{why}", "good" if row.net >= 0 else "bad"),
        ):
            yield Item(at, "trade", text, tone, row.bot_id)


def _approvals(span: Span) -> Iterator[Item]:
    for row in span.rows(Approval, Approval.created_at, Approval.decided_at):
        name = f"approval to {row.kind.replace('_', ' ')}"
        asked, answered = row.requester.email, row.decider.email if row.decider else ""
        for at, text, tone in span.told(
            (row.created_at, f"{name} was asked for", "info"),
            (row.decided_at, f"{name}: {row.state}", "neutral"),
        ):
            who = asked if at == row.created_at else answered
            yield Item(at, "approval", text, tone, row.bot_id, who=who)


SOURCES: dict[str, Callable[[Span], Iterable[Item]]] = {
    "changes": _changes,
    "sign-ins": _sign_ins,
    "approvals": _approvals,
    "machines": _machines,
    "calls of the cloud": _calls,
    "runs": _runs,
    "orders": _orders,
    "notices of runners": _notices,
    "trades": _trades,
}
