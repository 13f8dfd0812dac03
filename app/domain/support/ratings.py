"""Asking once, when a ticket is over, whether it helped. No pixel, no tracking: one question.

The token in the link is the right to answer it, once. Looking at the page changes nothing.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import Select, select, update

from app import tenancy
from app.domain.errors import Conflict
from app.extensions import change, db
from app.models import Ticket, TicketRating

LASTS = timedelta(days=30)
OVER = "This question was answered already, or is too old."


def ask(ticket: Ticket, now: datetime) -> str | None:
    """The token of the question about a locked ticket; ``None`` if it was asked before."""
    with tenancy.everywhere("whether a ticket was rated is for the desk alone"):
        if db.session.get(TicketRating, ticket.id) is not None:
            return None
        token = secrets.token_urlsafe(32)
        db.session.add(TicketRating(ticket_id=ticket.id, token_hash=_digest(token), asked_at=now))
    return token


def open_question(token: str, now: datetime) -> bool:
    """Whether a token's question waits for its answer. Reads only."""
    with tenancy.everywhere("a link to a question is followed without an account"):
        return db.session.scalar(_waiting(token, now)) is not None


def rate(token: str, *, good: bool, now: datetime) -> None:
    """Answer. Of two answers at once, one counts. Raises ``Conflict`` if it is not open."""
    with tenancy.everywhere("a link to a question is followed without an account"):
        found = db.session.scalar(_waiting(token, now))
        mine = update(TicketRating).where(
            TicketRating.ticket_id == found, TicketRating.rated_at.is_(None)
        )
        if found is None or not change(mine.values(good=good, rated_at=now)):
            raise Conflict(OVER)


def of(ticket: Ticket) -> TicketRating | None:
    """The question about a ticket and its answer. For operators' pages only."""
    return db.session.get(TicketRating, ticket.id)


def _waiting(token: str, now: datetime) -> Select[str]:
    return select(TicketRating.ticket_id).where(
        TicketRating.token_hash == _digest(token),
        TicketRating.rated_at.is_(None),
        TicketRating.asked_at > now - LASTS,
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
