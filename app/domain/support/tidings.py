"""Who hears of what happens to a ticket, and by which channel.

Each function is called inside the transaction of what it tells, writes rows of the outboxes only,
and looks across workspaces because the desk belongs to none.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select

from app import tenancy
from app.domain import notices
from app.domain.support import letters_desk, letters_out, ratings
from app.domain.support.events import Voice
from app.domain.telegram import calls
from app.extensions import db
from app.models import (
    AuthorKind,
    NoticeKind,
    SupportAccess,
    Ticket,
    TicketMessage,
    TicketNote,
    User,
    Workspace,
)


def opened(ticket: Ticket, message: TicketMessage, now: datetime) -> None:
    """A ticket was opened: the desk rings."""
    with tenancy.everywhere("the desk hears of every new ticket"):
        _tell_desk(ticket, message, "New ticket", now)
        letters_desk.opened(ticket, message, _others(message), now)
        calls.tell_desk(ticket, message, "opened", now)


def posted(ticket: Ticket, message: TicketMessage, now: datetime) -> None:
    """A message was written: the other side hears of it."""
    with tenancy.everywhere("the desk and a ticket's owner hear of every message"):
        if message.author is AuthorKind.OPERATOR:
            title = f"An answer to {ticket.ref} {ticket.subject}"
            _tell_owner(ticket, title, f"ticket {message.id}", now)
            letters_out.answered(ticket, message, now)
            calls.tell_owner(ticket, "answer", f"answer {message.id}", now, message=message)
        elif message.author is not AuthorKind.SYSTEM:
            _tell_desk(ticket, message, "New message", now)
            letters_desk.written(ticket, message, _others(message), now)
            calls.tell_desk(ticket, message, "message", now)


def asked_to_look(
    ticket: Ticket, asked: SupportAccess, operator: User, people: list[str], now: datetime
) -> None:
    """An operator asks for support access: who may answer hears of it, the owner everywhere."""
    with tenancy.everywhere("those who may answer hear of the question wherever they are"):
        notices.tell(
            people,
            f"{operator.name} from support asks to look in",
            key=f"access {asked.id}",
            now=now,
            body=f"For {asked.minutes} minutes, read-only: {asked.reason}",
            path=f"/w/{ticket.workspace_id}/tickets/{ticket.id}/access",
            workspace_id=ticket.workspace_id,
        )
        if ticket.opened_by in people:
            letters_out.asked_to_look(ticket, asked, operator.name, now)
            calls.tell_owner(
                ticket,
                "access",
                f"access {asked.id}",
                now,
                access_id=asked.id,
                asker=operator.name,
                minutes=asked.minutes,
                reason=asked.reason,
            )


def over(ticket: Ticket, now: datetime) -> None:
    """A ticket is over: its owner is asked whether it helped, once for each ticket."""
    with tenancy.everywhere("a ticket's owner is asked wherever they are"):
        token = ratings.ask(ticket, now)
        if token is not None:
            title, key = f"Did we help with {ticket.ref} {ticket.subject}?", f"rating {ticket.id}"
            _tell_owner(ticket, title, key, now, path=f"/rate/{token}")


def noted(ticket: Ticket, note: TicketNote, mentioned: list[User], now: datetime) -> None:
    """A note was written: operators it names hear of it, nobody else."""
    with tenancy.everywhere("operators hear of the notes that name them"):
        notices.tell(
            [it.id for it in mentioned if it.id != note.author_id],
            f"You are named in a note on {ticket.ref}",
            key=f"note {note.id}",
            now=now,
            path=f"/operator/tickets/{ticket.id}",
        )
        others = [it for it in mentioned if it.id != note.author_id]
        letters_desk.mentioned(ticket, note, others, now)
        calls.mention(ticket, note, mentioned, now)


def ended(ticket: Ticket, what: str, why: str, voice: Voice, now: datetime) -> None:
    """The desk ended a ticket without a message: its owner hears of it. What they did they know."""
    if not voice.operator:
        return
    with tenancy.everywhere("a ticket's owner hears of its end"):
        letters_out.closed(ticket, why, now, what=what)
        key = f"ended {ticket.id} {now.isoformat()}"
        calls.tell_owner(ticket, "ended", key, now, what=what, reason=why)
        title = f"{ticket.ref} was {what}: {ticket.subject}"
        _tell_owner(ticket, title, key, now, body=why)


def warned(ticket: Ticket, now: datetime) -> None:
    """The timer warned that a ticket will close: its owner hears of it on every channel."""
    with tenancy.everywhere("a ticket's owner hears of the warning wherever they are"):
        closes = _until(ticket)
        body = f"It closes on {closes} unless you answer or still need help."
        _tell_of_closing(ticket, "closes soon", body, now)
        letters_out.warning(ticket, now)
        key = f"warning {ticket.id} {now.isoformat()}"
        calls.tell_owner(ticket, "warning", key, now, closes=closes)


def lapsed(ticket: Ticket, reason: str, now: datetime) -> None:
    """The timer closed a ticket: its owner hears why, and that it can be reopened."""
    with tenancy.everywhere("a ticket's owner hears of the closing wherever they are"):
        _tell_of_closing(ticket, "was closed", f"{reason} You can reopen it.", now)
        letters_out.closed(ticket, reason, now)
        calls.tell_owner(
            ticket, "closed", f"closed {ticket.id} {now.isoformat()}", now, reason=reason
        )


def unheard(ticket: Ticket, message: TicketMessage, now: datetime) -> None:
    """The owner could not be told of an answer or its warning: operators hear of that once."""
    with tenancy.everywhere("operators hear of tickets whose owner cannot be reached"):
        notices.tell(
            [it.id for it in operators()],
            f"{ticket.ref}: its owner could not be reached",
            key=f"unheard {message.id}",
            now=now,
            body="No channel took our answer or the warning that followed. The ticket stays open "
            "until you close it or reach its owner in another way.",
            path=f"/operator/tickets/{ticket.id}",
            kind=NoticeKind.ALARM,
        )


def turned(ticket: Ticket, now: datetime) -> None:
    """A ticket came to its end, or goes on after one."""
    calls.turn_topic(ticket, now)


def operators() -> list[User]:
    """Everybody who answers at the desk."""
    query = select(User).where(
        User.operator.is_(True), User.suspended_at.is_(None), User.deleted_at.is_(None)
    )
    return list(db.session.scalars(query.order_by(User.created_at)))


def _others(message: TicketMessage) -> list[User]:
    return [it for it in operators() if it.id != message.author_id]


def _tell_desk(ticket: Ticket, message: TicketMessage, what: str, now: datetime) -> None:
    notices.tell(
        [it.id for it in _others(message)],
        f"{what}: {ticket.ref} {ticket.subject}",
        key=f"ticket {message.id}",
        now=now,
        path=f"/operator/tickets/{ticket.id}",
        kind=NoticeKind.ALARM if ticket.priority == "urgent" else NoticeKind.NOTICE,
    )


def _tell_owner(
    ticket: Ticket, title: str, key: str, now: datetime, *, body: str = "", path: str = ""
) -> None:
    """In the app; people without an account have no inbox."""
    if ticket.opened_by is None:
        return
    notices.tell(
        [ticket.opened_by],
        title,
        key=key,
        now=now,
        body=body,
        path=path or f"/w/{ticket.workspace_id}/tickets/{ticket.id}",
        workspace_id=ticket.workspace_id,
    )


def _until(ticket: Ticket) -> str:
    """The moment when the timer may close a ticket, in the zone of its workspace."""
    zone = ZoneInfo(db.session.get_one(Workspace, ticket.workspace_id).zone)
    moment = (ticket.close_due_at or ticket.last_public_at).astimezone(zone)
    return f"{moment:%A, %-d %B, %H:%M %Z}"


def _tell_of_closing(ticket: Ticket, what: str, body: str, now: datetime) -> None:
    title, key = f"{ticket.ref} {what}: {ticket.subject}", f"{what} {ticket.id} {now.isoformat()}"
    _tell_owner(ticket, title, key, now, body=body)
