"""What happened around a ticket, on one axis with its messages; for operators.

Without access granted it tells what ``desk_sight`` promises: when, what kind of thing, which id,
how it ended, and a venue's code. No names, amounts, addresses or texts of the workspace, and of its
people only whether it was the ticket's owner.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from app.domain import audit, spans
from app.domain.audit import Change
from app.domain.spans import Span
from app.domain.support import events
from app.domain.support.bundle import reject_code
from app.domain.support.events import Voice
from app.extensions import db
from app.models import (
    AuditEvent,
    Bot,
    CloudOperation,
    Incident,
    Machine,
    Membership,
    OrderRow,
    Run,
    RunnerNotice,
    Subject,
    Ticket,
    TicketMessage,
)

MOST = 100
"""Of each kind, the newest; who needs more looks at less time."""

BEFORE = timedelta(hours=24)
AROUND = timedelta(minutes=15)
SIGN_INS = ("account.sign_in", "account.sign_out")
OWN = ("ticket.reply", "support.look", "support.timeline", "bundle.view", "audit.view")
"""Events that tell of the desk or of messages, which stand in the list themselves."""


@dataclass(frozen=True)
class Item:
    """One thing that happened. ``about`` is a public id, ``seq`` the message if it is one."""

    at: datetime
    kind: str
    text: str
    tone: str = "neutral"
    about: str = ""
    seq: int = 0


@dataclass(frozen=True)
class Timeline:
    """Oldest first. ``around`` is the message looked at, ``cut`` the kinds with more than shown."""

    since: datetime
    until: datetime
    around: int | None
    items: tuple[Item, ...]
    cut: tuple[str, ...]


@dataclass(frozen=True)
class _Beside(Span):
    """What is looked at: the ticket and its stretch of time."""

    ticket: Ticket


def of(ticket: Ticket, now: datetime, seq: int | None = None) -> Timeline:
    """From a day before the ticket until now, or a quarter of an hour around one message."""
    at = _said_at(ticket, seq) if seq else None
    since, until = ticket.created_at - BEFORE, now
    if at is not None:
        since, until = at - AROUND, at + AROUND
    span = _Beside(ticket.workspace_id, since, until, _bot_of(ticket), MOST, ticket)
    shown = seq if at is not None else None
    return Timeline(since, until, shown, *spans.gather(SOURCES, span))


def note_look(ticket: Ticket, *, voice: Voice, now: datetime) -> None:
    """An operator looked: in the desk's ledger, and in the customer's own log."""
    events.internal(ticket, "ticket.timeline_view", voice, now, [Change("timeline", None, "seen")])
    audit.record(
        "support.timeline",
        by=voice.by,
        now=now,
        workspace_id=ticket.workspace_id,
        target_id=ticket.id,
        target_label=f"timeline beside {ticket.ref}",
    )


def _said_at(ticket: Ticket, seq: int) -> datetime | None:
    query = select(TicketMessage.created_at).where(
        TicketMessage.ticket_id == ticket.id, TicketMessage.seq == seq
    )
    return db.session.scalar(query)


def _bot_of(ticket: Ticket) -> str | None:
    if ticket.about is not Subject.BOT:
        return None
    query = select(Bot.id).where(Bot.workspace_id == ticket.workspace_id, Bot.id == ticket.about_id)
    return db.session.scalar(query)


def _messages(span: _Beside) -> Iterator[Item]:
    query = select(TicketMessage).where(
        TicketMessage.ticket_id == span.ticket.id,
        TicketMessage.created_at.between(span.since, span.until),
    )
    for row in db.session.scalars(query.order_by(TicketMessage.seq.desc()).limit(MOST)):
        text = f"message {row.seq}, by the {row.author} ({row.channel})"
        yield Item(row.created_at, "message", text, "info", seq=row.seq)


def _changes(span: _Beside) -> Iterator[Item]:
    """Of a bot's ticket what was done to the bot; else to anything of the workspace."""
    query = select(AuditEvent).where(
        AuditEvent.workspace_id == span.workspace_id,
        AuditEvent.occurred_at.between(span.since, span.until),
        AuditEvent.action.not_in(OWN),
    )
    if span.bot_id is not None:
        query = query.where(AuditEvent.target_id.in_((span.bot_id, span.ticket.id)))
    members = _members(span.ticket)
    for row in db.session.scalars(query.order_by(AuditEvent.seq.desc()).limit(MOST)):
        text = f"{row.action} by {_who(row, span.ticket, members)}: {row.outcome}"
        tone = "neutral" if row.outcome == "success" else "bad"
        yield Item(row.occurred_at, "change", text, tone, row.target_id or "")


def _members(ticket: Ticket) -> set[str]:
    query = select(Membership.user_id).where(Membership.workspace_id == ticket.workspace_id)
    return set(db.session.scalars(query))


def _who(event: AuditEvent, ticket: Ticket, members: set[str]) -> str:
    """Which side did it, without a name."""
    if event.actor_kind != "user":
        return f"the {event.actor_kind.replace('_', ' ')}"
    if event.actor_id == ticket.opened_by:
        return "its owner"
    return "another member" if event.actor_id in members else "nobody of the workspace"


def _sign_ins(span: _Beside) -> Iterator[Item]:
    """Of the ticket's owner alone; from where is not told."""
    if span.ticket.opened_by is None:
        return
    query = select(AuditEvent).where(
        AuditEvent.chain == span.ticket.opened_by,
        AuditEvent.action.in_(SIGN_INS),
        AuditEvent.occurred_at.between(span.since, span.until),
    )
    for row in db.session.scalars(query.order_by(AuditEvent.seq.desc()).limit(MOST)):
        what = row.action.removeprefix("account.").replace("_", " ")
        tone = "neutral" if row.outcome == "success" else "bad"
        yield Item(row.occurred_at, "sign-in", f"{what} of its owner: {row.outcome}", tone)


def _machines(span: _Beside) -> Iterator[Item]:
    moments = (Machine.created_at, Machine.running_at, Machine.dead_at, Machine.gone_at)
    for row in span.rows(Machine, *moments):
        name = f"machine {row.generation}"
        for at, text, tone in span.told(
            (row.created_at, f"{name} is asked for", "info"),
            (row.running_at, f"{name} runs", "good"),
            (row.claimed_at, f"{name}: its runner took over", "good"),
            (row.preflight_at, f"{name}: preflight {_passed(row)}", _tone(row)),
            (row.dead_at, f"{name} is dead", "bad"),
            (row.gone_at, f"{name} is gone", "neutral"),
        ):
            yield Item(at, "machine", text, tone, row.bot_id)


def _passed(machine: Machine) -> str:
    return "passed" if (machine.preflight or {}).get("passed") else "failed"


def _tone(machine: Machine) -> str:
    return "good" if (machine.preflight or {}).get("passed") else "bad"


def _calls(span: _Beside) -> Iterator[Item]:
    for row in span.rows(CloudOperation, CloudOperation.started_at):
        text = f"{row.kind.replace('_', ' ')} of machine {row.generation}: {row.state}"
        yield Item(
            row.started_at, "cloud", text, "bad" if row.state == "failed" else "info", row.bot_id
        )


def _runs(span: _Beside) -> Iterator[Item]:
    for row in span.rows(Run, Run.started_at, Run.ended_at):
        for at, text, tone in span.told(
            (row.started_at, f"a run begins on {row.mode}", "info"),
            (row.ended_at, f"a run ends on {row.mode}", "neutral"),
        ):
            yield Item(at, "run", text, tone, row.bot_id)


def _refusals(span: _Beside) -> Iterator[Item]:
    query = select(OrderRow).where(
        OrderRow.workspace_id == span.workspace_id,
        OrderRow.status == "rejected",
        OrderRow.decided_at.between(span.since, span.until),
    )
    if span.bot_id is not None:
        query = query.where(OrderRow.bot_id == span.bot_id)
    for row in db.session.scalars(query.order_by(OrderRow.decided_at.desc()).limit(MOST)):
        code = reject_code(row.reason)
        text = f"an order was refused{f', code {code}' if code else ''}"
        yield Item(row.decided_at, "order", text, "bad", row.bot_id)


def _notices(span: _Beside) -> Iterator[Item]:
    for row in span.rows(RunnerNotice, RunnerNotice.at):
        tone = {"warning": "warn", "alarm": "bad"}.get(row.level, "neutral")
        yield Item(row.at, "runner", f"{row.level}: {row.code}", tone, row.bot_id)


def _incidents(span: _Beside) -> Iterator[Item]:
    query = select(Incident).where(span.within(Incident.began_at, Incident.resolved_at))
    for row in db.session.scalars(query.order_by(Incident.began_at.desc()).limit(MOST)):
        for at, text, tone in span.told(
            (row.began_at, f"incident: {row.title}", "bad"),
            (row.resolved_at, f"incident over: {row.title}", "good"),
        ):
            yield Item(at, "incident", text, tone, row.id)


SOURCES: dict[str, Callable[[_Beside], Iterator[Item]]] = {
    "messages": _messages,
    "changes": _changes,
    "sign-ins": _sign_ins,
    "machines": _machines,
    "cloud calls": _calls,
    "runs": _runs,
    "refused orders": _refusals,
    "runner's words": _notices,
    "incidents": _incidents,
}
"""What is looked for, under the names that are shown when there is more of it."""
