"""A ticket told from the beginning: its messages, and between them what happened to it."""

from dataclasses import dataclass, field

from sqlalchemy import select

from app.domain.support import finding, owning
from app.extensions import db
from app.models import MessageEdit, Ticket, TicketEvent, TicketMessage, User

WRITTEN = ("ticket.open", "ticket.reply")
"""The events that a message came with."""


@dataclass(frozen=True)
class Entry:
    """A message, an event, or both: a message and what it did to the ticket."""

    message: TicketMessage | None = None
    event: TicketEvent | None = None
    earlier: list[MessageEdit] = field(default_factory=list)


def of(ticket: Ticket) -> list[Entry]:
    """All of it. The order is that of the events and not of clocks, which may go back."""
    messages = finding.messages(ticket)
    earlier = owning.earlier(messages)
    waiting = iter(messages)
    query = select(TicketEvent).where(TicketEvent.ticket_id == ticket.id)
    found = []
    for event in db.session.scalars(query.order_by(TicketEvent.seq)):
        message = next(waiting, None) if event.action in WRITTEN else None
        found.append(Entry(message, event, earlier.get(message.id, []) if message else []))
    return [*found, *(Entry(it, None, earlier.get(it.id, [])) for it in waiting)]


def people(entries: list[Entry]) -> dict[str, str]:
    """The names of who wrote or did something, by their id."""
    ids = {it.message.author_id for it in entries if it.message}
    ids |= {it.event.actor_id for it in entries if it.event}
    rows = db.session.execute(select(User.id, User.name).where(User.id.in_(ids - {None})))
    return {row.id: row.name for row in rows}
