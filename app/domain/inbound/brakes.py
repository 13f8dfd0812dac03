"""How much mail one ticket and one sender may bring: machines must not keep each other busy."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from app.domain.inbound.case import KEPT
from app.extensions import db
from app.models import Channel, InboundMail, Ticket, TicketEvent, TicketMessage

SHORTLY = timedelta(minutes=10)
OF_ONE_TICKET, OF_ONE_SENDER = 10, 30
"""Mails within ten minutes that become part of one ticket, or of any, by one sender."""

AUTOMATIC_AT_MOST = 30
REOPENED_AT_MOST = 3
REPEATED_WITHIN = timedelta(days=1)


def holds_back(ticket: Ticket, sender: str, now: datetime) -> str:
    """Why no more mail is taken just now; empty if there is no reason."""
    if _count(now - SHORTLY, InboundMail.ticket_id == ticket.id) >= OF_ONE_TICKET:
        return f"{OF_ONE_TICKET} mails came for {ticket.ref} within ten minutes."
    if _count(now - SHORTLY, InboundMail.sender == sender) >= OF_ONE_SENDER:
        return f"{OF_ONE_SENDER} mails came from this sender within ten minutes."
    if ticket.over and _reopened(ticket, now) >= REOPENED_AT_MOST:
        return f"{ticket.ref} was reopened by mail {REOPENED_AT_MOST} times within a day."
    return ""


def room_for_automatic(ticket: Ticket) -> bool:
    """Whether one more automatic mail is shown in a ticket."""
    query = select(func.count()).select_from(TicketMessage)
    query = query.where(TicketMessage.ticket_id == ticket.id, TicketMessage.automatic.is_(True))
    return (db.session.scalar(query) or 0) < AUTOMATIC_AT_MOST


def repeats(ticket: Ticket, sender: str, body: str, now: datetime) -> bool:
    """Whether the sender's last mail in this ticket said the very same: people do not."""
    last = select(InboundMail.verdicts).where(
        InboundMail.ticket_id == ticket.id,
        InboundMail.sender == sender,
        InboundMail.decision.in_(KEPT),
        InboundMail.decided_at > now - REPEATED_WITHIN,
    )
    found = db.session.scalars(last.order_by(InboundMail.decided_at.desc()).limit(1)).first()
    return found is not None and found.get("body") == body


def _count(since: datetime, whose: ColumnElement[bool]) -> int:
    kept = (InboundMail.decision.in_(KEPT), InboundMail.decided_at > since)
    query = select(func.count()).select_from(InboundMail).where(whose, *kept)
    return db.session.scalar(query) or 0


def _reopened(ticket: Ticket, now: datetime) -> int:
    query = select(TicketEvent.changes).where(
        TicketEvent.ticket_id == ticket.id,
        TicketEvent.action == "ticket.reply",
        TicketEvent.channel == Channel.EMAIL,
        TicketEvent.created_at > now - timedelta(days=1),
    )
    over = ("resolved", "closed")
    each = [it for changes in db.session.scalars(query) for it in changes]
    return sum(it["field"] == "state" and it["before"] in over for it in each)
