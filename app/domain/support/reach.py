"""Whether the owner of a ticket can hear of it, and when a channel took the warning.

All of it is read off the rows of the outboxes: what no channel took was not said.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select

from app.domain.mail import WAITING
from app.domain.telegram.calls import active_link
from app.extensions import db
from app.models import (
    AddressHealth,
    Audience,
    AuthorKind,
    CallState,
    Contact,
    Mail,
    MailState,
    TelegramCall,
    Ticket,
    TicketMessage,
    User,
)

LETTER, CALL = "ticket_warning", "warning"
"""The letter that warns, and the kind of the call that does."""

_TAKEN = (MailState.SENT, MailState.UNKNOWN, CallState.SENT, CallState.UNKNOWN)
_LOST = (MailState.FAILED, CallState.FAILED)


def last_by_hand(ticket: Ticket) -> TicketMessage | None:
    """The last message that a person wrote and that still stands; machines' do not count."""
    query = select(TicketMessage).where(
        TicketMessage.ticket_id == ticket.id,
        TicketMessage.automatic.is_(False),
        TicketMessage.author != AuthorKind.SYSTEM,
        TicketMessage.redacted_at.is_(None),
    )
    return db.session.scalars(query.order_by(TicketMessage.seq.desc()).limit(1)).first()


def lost(ticket: Ticket, message: TicketMessage) -> bool:
    """Whether the owner has gone, cannot be reached, or an answer of the desk arrived nowhere."""
    if ticket.opened_by is None:
        contact = db.session.get_one(Contact, ticket.contact_id)
        return contact.left or _disabled(contact.email_key) or _undelivered(message)
    owner = db.session.get_one(User, ticket.opened_by)
    if owner.deleted_at is not None or owner.suspended:
        return True
    unreachable = _disabled(owner.email_key) and active_link(owner.id) is None
    return unreachable or _undelivered(message)


def accepted_at(ticket: Ticket) -> datetime | None:
    """When the first channel took the warning that stands; ``None`` while none has.

    The notice in the app counts alone where there was no other channel: no verified address or
    no mail server, and no linked Telegram.
    """
    letters, calls = _letters(ticket), _calls(ticket)
    taken = [it.sent_at for it in letters if it.state is MailState.SENT]
    taken += [it.sent_at for it in calls if it.state is CallState.SENT]
    if told := [moment for moment in taken if moment is not None]:
        return min(told)
    by_app_alone = not calls and all(it.state is MailState.UNSENT for it in letters)
    return ticket.warned_at if ticket.opened_by and by_app_alone else None


def warned_nobody(ticket: Ticket) -> bool:
    """Whether the warning that stands was tried and no channel can be said to have taken it."""
    if ticket.warned_at is None:
        return False
    letters, calls = _letters(ticket), _calls(ticket)
    waits = any(it.state in WAITING for it in letters)
    waits = waits or any(it.state is CallState.QUEUED for it in calls)
    return bool(letters or calls) and not waits and accepted_at(ticket) is None


def _letters(ticket: Ticket) -> Sequence[Mail]:
    query = select(Mail).where(
        Mail.ticket_id == ticket.id, Mail.letter == LETTER, Mail.created_at == ticket.warned_at
    )
    return db.session.scalars(query).all()


def _calls(ticket: Ticket) -> Sequence[TelegramCall]:
    query = select(TelegramCall).where(
        TelegramCall.ticket_id == ticket.id,
        TelegramCall.kind == CALL,
        TelegramCall.created_at == ticket.warned_at,
        TelegramCall.state != CallState.CANCELLED,
    )
    return db.session.scalars(query).all()


def _disabled(email_key: str) -> bool:
    found = db.session.get(AddressHealth, email_key)
    return found is not None and found.disabled_at is not None


def _undelivered(message: TicketMessage) -> bool:
    """Whether all that carried a message to its owner failed for good."""
    letters = select(Mail.state).where(
        Mail.ticket_id == message.ticket_id,  # as below
        Mail.ticket_message_id == message.id,
        Mail.audience == Audience.USER,
    )
    calls = select(TelegramCall.state).where(
        TelegramCall.ticket_id == message.ticket_id,  # what the index is made of
        TelegramCall.message_id == message.id,
        TelegramCall.audience == Audience.USER,
    )
    found = [*db.session.scalars(letters), *db.session.scalars(calls)]
    return any(it in _LOST for it in found) and not any(it in _TAKEN for it in found)
