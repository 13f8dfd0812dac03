"""Emptying a message that should not stand there. Its place stays: numbers keep no gaps."""

from datetime import datetime

from sqlalchemy import ColumnElement, delete, or_, select, update

from app.domain.audit import Change
from app.domain.errors import Conflict, Invalid, Refused
from app.domain.support import events, reach
from app.domain.support.events import Voice
from app.domain.support.tickets import lock, settle
from app.extensions import db
from app.gateways.files import Files
from app.models import (
    AuthorKind,
    InboundMail,
    MessageEdit,
    MessageFile,
    Ticket,
    TicketMessage,
    TicketState,
)


def redact(
    ticket: Ticket, message: TicketMessage, reason: str, *, voice: Voice, now: datetime
) -> list[str]:
    """Take text and files out of a message for good, with the mail it came in by.

    Returns:
        The storage keys of its files, to be deleted once this is committed.

    Raises:
        Refused: whoever asks is no operator.
        Invalid: no reason is given.
        Conflict: it was done before.
    """
    if not voice.operator:
        raise Refused("Only operators take text out of a ticket.")
    why = " ".join(reason.split())
    if not why:
        raise Invalid("Say why; its owner reads it.", "reason")
    lock(ticket)
    db.session.refresh(message)
    if message.redacted_at is not None:
        raise Conflict("It was taken out already.")
    files = select(MessageFile.storage_key).where(MessageFile.message_id == message.id)
    keys = list(db.session.scalars(files))
    db.session.execute(delete(MessageFile).where(MessageFile.message_id == message.id))
    db.session.execute(delete(MessageEdit).where(MessageEdit.message_id == message.id))
    if message.inbound_id:
        db.session.execute(update(InboundMail).where(_same_mail(message)).values(raw=None))
    message.body, message.redacted_at = "", now
    db.session.expire(message, ["files"])
    said = f"Message {message.seq}: {why}"
    events.public(ticket, "ticket.redact", voice, now, _unanswered(ticket, now), said)
    return keys


def _same_mail(message: TicketMessage) -> ColumnElement[bool]:
    """The mail it came by, and other deliveries of the same one: their raw says the same."""
    one = InboundMail.id == message.inbound_id
    if not message.rfc_message_id:
        return one
    same = InboundMail.rfc_message_id == message.rfc_message_id
    return or_(one, same & (InboundMail.ticket_id == message.ticket_id))


def _unanswered(ticket: Ticket, now: datetime) -> list[Change]:
    """Where the answer that its owner should react to is gone it is the desk's turn again."""
    if ticket.state is not TicketState.WAITING_USER:
        return []
    db.session.flush()
    last = reach.last_by_hand(ticket)
    if last is not None and last.author is AuthorKind.OPERATOR:
        return []
    settle(ticket, TicketState.OPEN, now)
    return [Change("state", TicketState.WAITING_USER, TicketState.OPEN)]


def empty(storage: Files, keys: list[str]) -> None:
    """Take files out of the storage; no row names them any more."""
    for key in keys:
        storage.delete(key)
