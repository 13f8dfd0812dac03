"""How many tickets and messages one person may send; operators are not counted."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select

from app import tenancy
from app.domain.errors import TooMany
from app.domain.support import states
from app.domain.support.events import Voice
from app.extensions import db
from app.models import AuthorKind, Contact, Ticket, TicketMessage, TicketState, User

MOST_OPEN = 10
MOST_MESSAGES_AN_HOUR = 30


def open_another(owner: User | Contact, now: datetime) -> None:
    """Raises ``TooMany`` if the owner has ten open tickets or writes too much."""
    mine = Ticket.opened_by if isinstance(owner, User) else Ticket.contact_id
    alive = Ticket.state.not_in((*states.SETTLED, TicketState.MERGED))
    query = select(func.count()).select_from(Ticket).where(mine == owner.id, alive)
    with tenancy.everywhere("limits count what a person asks wherever they are"):
        found = db.session.scalar(query) or 0
    if found >= MOST_OPEN:
        raise TooMany(
            f"You have {MOST_OPEN} open tickets. Write in one of them, or mark one solved.", 3600
        )
    _throttle(mine == owner.id, now)


def write_another(ticket: Ticket, voice: Voice, now: datetime) -> None:
    """Raises ``TooMany`` if a user or contact wrote thirty messages within the hour."""
    if voice.kind is AuthorKind.CONTACT:
        _throttle(Ticket.contact_id == ticket.contact_id, now)
    elif voice.kind is AuthorKind.USER:
        _throttle(TicketMessage.author_id == voice.user_id, now)


def _throttle(whose: ColumnElement[bool], now: datetime) -> None:
    query = select(func.count()).select_from(TicketMessage)
    query = query.join(Ticket, TicketMessage.ticket_id == Ticket.id).where(
        whose,
        TicketMessage.author.in_((AuthorKind.USER, AuthorKind.CONTACT)),
        TicketMessage.automatic.is_(False),
        TicketMessage.created_at > now - timedelta(hours=1),
    )
    with tenancy.everywhere("limits count what a person asks wherever they are"):
        found = db.session.scalar(query) or 0
    if found >= MOST_MESSAGES_AN_HOUR:
        raise TooMany(
            f"{MOST_MESSAGES_AN_HOUR} messages within an hour are as many as we can read. "
            "Go on a little later.",
            600,
        )
