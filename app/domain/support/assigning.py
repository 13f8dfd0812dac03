"""Who looks after a ticket. Only operators see it; the ticket itself does not change."""

from datetime import datetime

from sqlalchemy import select

from app.domain import notices
from app.domain.audit import Change
from app.domain.errors import Conflict, Invalid
from app.domain.support import events, tidings
from app.domain.support.events import Voice
from app.domain.support.tickets import lock
from app.extensions import db
from app.models import Ticket, TicketHandling, User


def assign(ticket: Ticket, to: User | None, *, voice: Voice, now: datetime) -> None:
    """Give a ticket to an operator, or to nobody. Who gets it from somebody else is told.

    Raises:
        Invalid: ``to`` does not answer at the desk.
    """
    if to is not None and to.id not in {it.id for it in tidings.operators()}:
        raise Invalid("Choose somebody who answers at the desk.", "assignee")
    lock(ticket)
    handling = _handling(ticket)
    before, after = handling.assignee_id, to.id if to else None
    if before == after:
        return
    handling.assignee_id = after
    if to is not None and to.id != voice.user_id:
        notices.tell(
            [to.id],
            f"{ticket.ref} is yours: {ticket.subject}",
            key=f"assigned {ticket.id} {now.isoformat()}",
            now=now,
            path=f"/operator/tickets/{ticket.id}",
        )
    events.internal(ticket, "ticket.assign", voice, now, [Change("assignee_id", before, after)])


def take(ticket: Ticket, who: User, *, voice: Voice, now: datetime) -> None:
    """Take a ticket that nobody has. Raises ``Conflict`` if somebody else was first."""
    lock(ticket)
    held = _handling(ticket).assignee_id
    if held not in (None, who.id):
        name = db.session.get_one(User, held).name
        raise Conflict(f"{name} has {ticket.ref}. Assign it to yourself if you go on with it.")
    assign(ticket, who, voice=voice, now=now)


def assignee(ticket: Ticket) -> User | None:
    """Who has it."""
    query = select(User).join(TicketHandling, TicketHandling.assignee_id == User.id)
    return db.session.scalars(query.where(TicketHandling.ticket_id == ticket.id)).first()


def _handling(ticket: Ticket) -> TicketHandling:
    """The row of a locked ticket, made when it is first needed."""
    found = db.session.get(TicketHandling, ticket.id, populate_existing=True)
    if found is None:
        found = TicketHandling(ticket_id=ticket.id)
        db.session.add(found)
        db.session.flush()
    return found
