"""All that is kept of a person, for that person: written by what a user may see, and nothing else.

Tables of the desk are not read here; nor is anything of other people in the same workspaces.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select

from app import tenancy
from app.domain import factors, inbox
from app.domain.account_events import record
from app.domain.audit import PLATFORM, Actor
from app.extensions import db
from app.models import (
    AuditEvent,
    GuideProgress,
    LoginSession,
    Membership,
    MessageFile,
    Notice,
    TelegramLink,
    Ticket,
    TicketEvent,
    TicketMessage,
    User,
    Workspace,
)

MOST_EVENTS = 10_000
"""The newest events of each kind that one file holds."""


def taken_out(person: User, *, by: Actor, now: datetime) -> dict[str, Any]:
    """All of it as plain JSON; that it was taken out becomes an event of the account."""
    with tenancy.everywhere("what is kept of a person lies in all their workspaces"):
        found = collected(person, now)
    record(person, "account.export", by, now)
    return found


def collected(person: User, now: datetime) -> dict[str, Any]:
    """The same, only read. Call it where everything is open."""
    return {
        "made_at": _moment(now),
        "account": _account(person),
        "sessions": [_session(it) for it in _sessions(person)],
        "memberships": _memberships(person),
        "tickets": [_ticket(it, person) for it in _tickets(person)],
        "notices": _notices(person),
        "guides": _guides(person),
        "events": _events(AuditEvent.chain == person.id, person, whole=True),
        "acts": _events(
            (AuditEvent.actor_id == person.id) & AuditEvent.chain.not_in((person.id, PLATFORM)),
            person,
            whole=False,
        ),
    }


def _guides(person: User) -> list[dict[str, Any]]:
    query = select(GuideProgress).where(GuideProgress.user_id == person.id)
    return [
        {
            "guide": row.guide,
            "saw_it_open_at": _moment(row.opened_at),
            "saw_it_closed_at": _moment(row.closed_at),
            "put_away_at": _moment(row.hidden_at),
        }
        for row in db.session.scalars(query)
    ]


def _account(person: User) -> dict[str, Any]:
    query = select(TelegramLink).where(TelegramLink.user_id == person.id)
    linked = db.session.scalars(query).first()
    factor = factors.confirmed(person)
    return {
        "id": person.id,
        "email": person.email,
        "email_verified_at": _moment(person.email_verified_at),
        "name": person.name,
        "theme": person.theme,
        "created_at": _moment(person.created_at),
        "second_factor_since": _moment(factor.confirmed_at) if factor else None,
        "telegram": {"name": linked.name, "linked_at": _moment(linked.created_at)}
        if linked
        else None,
    }


def _session(row: LoginSession) -> dict[str, Any]:
    return {
        "signed_in_at": _moment(row.created_at),
        "last_used_at": _moment(row.seen_at),
        "ended_at": _moment(row.revoked_at),
        "address": row.ip,
        "device": row.user_agent,
        "by": row.method,
    }


def _memberships(person: User) -> list[dict[str, Any]]:
    query = select(Membership, Workspace).join(Workspace).where(Membership.user_id == person.id)
    return [
        {
            "workspace": workspace.id,
            "name": workspace.name,
            "kind": workspace.kind.value,
            "role": member.role.value,
            "since": _moment(member.created_at),
        }
        for member, workspace in db.session.execute(query.order_by(Membership.created_at))
    ]


def _ticket(ticket: Ticket, person: User) -> dict[str, Any]:
    messages = select(TicketMessage).where(TicketMessage.ticket_id == ticket.id)
    events = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id)
    return {
        "ref": ticket.ref,
        "workspace": ticket.workspace_id,
        "subject": ticket.subject,
        "category": ticket.category.value,
        "priority": ticket.priority.value,
        "asked_priority": ticket.asked_priority.value,
        "state": ticket.state.value,
        "opened_at": _moment(ticket.created_at),
        "ended_at": _moment(ticket.closed_at),
        "messages": [
            _message(it, person) for it in db.session.scalars(messages.order_by(TicketMessage.seq))
        ],
        "events": [
            {"at": _moment(it.created_at), "what": it.action, "by": it.actor, "why": it.reason}
            for it in db.session.scalars(events.order_by(TicketEvent.seq))
        ],
    }


def _message(row: TicketMessage, person: User) -> dict[str, Any]:
    files = select(MessageFile).where(MessageFile.message_id == row.id)
    return {
        "number": row.seq,
        "at": _moment(row.created_at),
        "by": "you" if row.author_id == person.id else row.author.value,
        "channel": row.channel.value,
        "text": row.body,
        "redacted_at": _moment(row.redacted_at),
        "files": [
            {"name": it.name, "type": it.sniffed_type, "bytes": it.size, "sha256": it.sha256}
            for it in db.session.scalars(files.order_by(MessageFile.id))
        ],
    }


def _notices(person: User) -> list[dict[str, Any]]:
    mine = (Notice.user_id == person.id, Notice.path.not_like(f"{inbox.STAFF}%"))
    query = select(Notice).where(*mine).order_by(Notice.created_at, Notice.id)
    return [
        {"at": _moment(it.created_at), "title": it.title, "text": it.body}
        for it in db.session.scalars(query)
    ]


def _events(which: ColumnElement[bool], person: User, *, whole: bool) -> list[dict[str, Any]]:
    """``whole``: with what was changed; of acts in a workspace that is the workspace's own."""
    query = select(AuditEvent).where(which).order_by(AuditEvent.occurred_at.desc())
    return [
        {
            "at": _moment(it.occurred_at),
            "what": it.action,
            "outcome": it.outcome.value,
            "address": it.ip if it.actor_id == person.id else None,
            **({"changes": it.changes} if whole else {"workspace": it.workspace_id}),
        }
        for it in db.session.scalars(query.limit(MOST_EVENTS))
    ]


def _sessions(person: User) -> Sequence[LoginSession]:
    query = select(LoginSession).where(LoginSession.user_id == person.id)
    return db.session.scalars(query.order_by(LoginSession.created_at)).all()


def _tickets(person: User) -> Sequence[Ticket]:
    """Those they opened where they still are: what an organisation asked stays with it."""
    open_to = select(Membership.workspace_id).where(
        Membership.user_id == person.id, Membership.suspended_at.is_(None)
    )
    query = select(Ticket).where(Ticket.opened_by == person.id, Ticket.workspace_id.in_(open_to))
    return db.session.scalars(query.order_by(Ticket.created_at, Ticket.id)).all()


def _moment(value: datetime | None) -> str | None:
    return value.isoformat() if value else None
