"""Which tickets somebody may see. What belongs to others is the same as what does not exist."""

from sqlalchemy import Select, select
from sqlalchemy.orm import selectinload

from app.domain import access
from app.domain.access import Permission, Verdict
from app.extensions import db
from app.models import Membership, MessageFile, Ticket, TicketMessage


def visible_to(member: Membership) -> Select[Ticket]:
    """The tickets of the open workspace that a member sees: their own, or all with the right."""
    query = select(Ticket).where(Ticket.workspace_id == member.workspace_id)
    if access.can(member, Permission.TICKET_VIEW_ALL):
        return query
    return query.where(Ticket.opened_by == member.user_id)


def one(member: Membership, ticket_id: str) -> Ticket | None:
    """One of those, or ``None``."""
    found: Ticket | None = db.session.scalar(visible_to(member).where(Ticket.id == ticket_id))
    return found


def may_write(member: Membership, ticket: Ticket) -> Verdict:
    """Reading everybody's tickets is not speaking for them: only its owner writes in a ticket."""
    if ticket.opened_by == member.user_id:
        return Verdict(True)
    return Verdict(False, "You can read this ticket. Only who opened it can write in it.")


def messages(ticket: Ticket, after: int = 0) -> list[TicketMessage]:
    """The messages of a ticket with a higher number than ``after``, in order, with their files."""
    query = select(TicketMessage).where(
        TicketMessage.ticket_id == ticket.id, TicketMessage.seq > after
    )
    whole = query.order_by(TicketMessage.seq).options(selectinload(TicketMessage.files))
    return list(db.session.scalars(whole))


def message(ticket: Ticket, message_id: str) -> TicketMessage | None:
    """One message of a ticket, or ``None``."""
    query = select(TicketMessage).where(
        TicketMessage.ticket_id == ticket.id, TicketMessage.id == message_id
    )
    return db.session.scalar(query)


def file(ticket: Ticket, file_id: str) -> MessageFile | None:
    """A file of one of a ticket's messages; those of a redacted message are gone."""
    query = (
        select(MessageFile)
        .join(TicketMessage, TicketMessage.id == MessageFile.message_id)
        .where(
            MessageFile.id == file_id,
            TicketMessage.ticket_id == ticket.id,
            TicketMessage.redacted_at.is_(None),
        )
    )
    return db.session.scalar(query)


def followers(member: Membership, ticket: Ticket) -> list[Ticket]:
    """The tickets a member sees that were opened as the next one after this."""
    query = visible_to(member).where(Ticket.follows_id == ticket.id)
    return list(db.session.scalars(query.order_by(Ticket.number)))
