"""Letters to the owner of a ticket, with or without an account. They carry ids, never texts.

Call these where all workspaces are open, in the transaction of what they tell. Somebody whose
address was never proven gets none.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.domain import mail
from app.domain.mail import Desk
from app.domain.support import recipients
from app.extensions import db
from app.models import (
    Audience,
    AuthorKind,
    Contact,
    Mail,
    SupportAccess,
    Ticket,
    TicketMessage,
    User,
)


def answered(ticket: Ticket, message: TicketMessage, now: datetime) -> Mail | None:
    """The desk has answered: its owner gets the new message alone."""
    return _post("ticket_answered", ticket, message.id, message.id, now)


def warning(ticket: Ticket, now: datetime) -> Mail | None:
    """The ticket closes unless its owner speaks up; void as soon as ``ticket.warned_at`` moves.

    Args:
        ticket: warned already, at ``now``.
        now: the moment, UTC; the letter's ``created_at``.
    """
    query = select(TicketMessage.id).where(
        TicketMessage.ticket_id == ticket.id, TicketMessage.author == AuthorKind.OPERATOR
    )
    last = db.session.scalar(query.order_by(TicketMessage.seq.desc()).limit(1))
    return _post("ticket_warning", ticket, last, f"{ticket.last_seq} {now.isoformat()}", now)


def closed(ticket: Ticket, why: str, now: datetime, *, what: str = "closed") -> Mail | None:
    """The ticket is over, by the timer or by the desk.

    Args:
        ticket: closed, solved or merged already.
        why: a sentence, for its owner.
        now: the moment, UTC.
        what: the word for it: closed, marked as solved, merged.
    """
    return _post("ticket_closed", ticket, None, now.isoformat(), now, why=why, what=what)


def asked_to_look(
    ticket: Ticket, asked: SupportAccess, operator: str, now: datetime
) -> Mail | None:
    """An operator, by name, asks to look into the workspace; void as soon as it was answered."""
    told = {"access_id": asked.id, "asker": operator, "minutes": asked.minutes}
    return _post("ticket_access", ticket, None, asked.id, now, reason=asked.reason, **told)


def _post(
    letter: str,
    ticket: Ticket,
    message_id: str | None,
    event: str,
    now: datetime,
    **values: Any,
) -> Mail | None:
    person = _owner(ticket)
    if not recipients.reachable(person):
        return None
    return mail.post(
        letter,
        to=person.email,
        name=person.name,
        now=now,
        workspace_id=ticket.workspace_id,
        desk=Desk(
            Audience.USER,
            person.id,
            ticket.id,
            f"{letter} {ticket.id} {event} {person.id}"[:160],
            message_id=message_id,
        ),
        **values,
    )


def _owner(ticket: Ticket) -> User | Contact:
    if ticket.contact_id:
        return db.session.get_one(Contact, ticket.contact_id)
    return db.session.get_one(User, ticket.opened_by)
