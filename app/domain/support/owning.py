"""What only the owner of a ticket does to it: having seen it, and mending the own last words."""

from datetime import datetime, timedelta

from sqlalchemy import select, update

from app.domain import inbox
from app.domain.errors import Refused
from app.domain.support import events
from app.domain.support.events import Voice
from app.domain.support.said import Said, clean_body
from app.domain.support.tickets import lock
from app.extensions import change, db
from app.models import Channel, MessageEdit, Ticket, TicketMessage, User

EDITABLE_FOR = timedelta(minutes=15)


def see(ticket: Ticket, seq: int, person: User, now: datetime) -> None:
    """Remember that the owner has seen messages up to ``seq``; the inbox's entries too.

    Nobody else is concerned, so it leaves no event.
    """
    if ticket.opened_by != person.id:
        return
    upto = min(seq, ticket.last_seq)
    row = update(Ticket).where(Ticket.id == ticket.id, Ticket.seen_seq < upto)
    change(row.values(seen_seq=upto).execution_options(synchronize_session=False))
    inbox.mark_path_read(person, f"/w/{ticket.workspace_id}/tickets/{ticket.id}", now)
    db.session.expire(ticket, ["seen_seq"])


def why_not_edit(
    ticket: Ticket,
    message: TicketMessage,
    person_id: str,
    now: datetime,
    door: Channel = Channel.WEB,
) -> str:
    """Why a person cannot change a message through the door it came by; empty if they can."""
    if message.author_id != person_id or message.channel is not door or message.automatic:
        return "Only your own messages, written here, can be changed."
    if message.redacted_at is not None:
        return "This message was taken out."
    if message.seq != ticket.last_seq:
        return "There is a newer message already. Write another one instead."
    if ticket.over:
        return f"{ticket.ref} is over. Write another message instead."
    if now > message.created_at + EDITABLE_FOR:
        minutes = int(EDITABLE_FOR.total_seconds() // 60)
        return f"A message can be changed for {minutes} minutes. Write another one instead."
    return ""


def edit(ticket: Ticket, message: TicketMessage, body: str, *, voice: Voice, now: datetime) -> None:
    """Put other words in place of the own last ones; what stood there is kept beside them.

    Raises:
        Refused: it is somebody else's, not the last one, or older than fifteen minutes.
        Invalid: there is no text, or too much.
    """
    lock(ticket)
    db.session.refresh(message)
    if reason := why_not_edit(ticket, message, voice.user_id or "", now, voice.channel):
        raise Refused(reason)
    cleaned = clean_body(Said(body, files=()))
    if cleaned == message.body:
        return
    db.session.add(
        MessageEdit(
            workspace_id=ticket.workspace_id,
            message_id=message.id,
            body=message.body,
            edited_by=voice.user_id,
            edited_at=now,
        )
    )
    message.body, message.edited_at = cleaned, now
    events.public(ticket, "ticket.edit", voice, now)


def earlier(messages: list[TicketMessage]) -> dict[str, list[MessageEdit]]:
    """What edited messages said before, oldest first, by message."""
    ids = [it.id for it in messages if it.edited_at is not None and it.redacted_at is None]
    found: dict[str, list[MessageEdit]] = {}
    if ids:
        query = select(MessageEdit).where(MessageEdit.message_id.in_(ids))
        for row in db.session.scalars(query.order_by(MessageEdit.edited_at, MessageEdit.id)):
            found.setdefault(row.message_id, []).append(row)
    return found
