"""Tickets that belong together in the eyes of operators, whoever owns them."""

from datetime import datetime

from sqlalchemy import or_, select

from app.domain.audit import Change
from app.domain.errors import Invalid
from app.domain.support import events
from app.domain.support.events import Voice
from app.domain.support.tickets import lock
from app.extensions import db
from app.models import Ticket, TicketLink


def link(ticket: Ticket, other: Ticket, *, voice: Voice, now: datetime) -> None:
    """Tie two tickets; tying them again changes nothing. Raises ``Invalid`` for one and itself."""
    if ticket.id == other.id:
        raise Invalid("Choose another ticket than this one.", "other")
    _lock_both(ticket, other)
    if _row(ticket, other) is not None:
        return
    first, second = sorted((ticket.id, other.id))
    db.session.add(
        TicketLink(ticket_id=first, other_id=second, created_by=voice.user_id, created_at=now)
    )
    db.session.flush()
    events.internal(ticket, "ticket.link", voice, now, [Change("link", None, other.id)])


def unlink(ticket: Ticket, other: Ticket, *, voice: Voice, now: datetime) -> None:
    """Untie two tickets."""
    _lock_both(ticket, other)
    row = _row(ticket, other)
    if row is None:
        return
    db.session.delete(row)
    db.session.flush()
    events.internal(ticket, "ticket.unlink", voice, now, [Change("link", other.id, None)])


def of(ticket: Ticket) -> list[Ticket]:
    """The tickets tied to this one, oldest first."""
    tied = select(TicketLink).where(
        or_(TicketLink.ticket_id == ticket.id, TicketLink.other_id == ticket.id)
    )
    ids = {
        one
        for row in db.session.scalars(tied)
        for one in (row.ticket_id, row.other_id)
        if one != ticket.id
    }
    query = select(Ticket).where(Ticket.id.in_(ids)).order_by(Ticket.created_at)
    return list(db.session.scalars(query))


def _lock_both(ticket: Ticket, other: Ticket) -> None:
    """In one order for everybody, so that nobody waits for nobody."""
    for one in sorted((ticket, other), key=lambda it: it.id):
        lock(one)


def _row(ticket: Ticket, other: Ticket) -> TicketLink | None:
    first, second = sorted((ticket.id, other.id))
    return db.session.get(TicketLink, (first, second), populate_existing=True)
