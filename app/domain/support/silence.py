"""Warns owners of tickets who stay silent, and closes what stays silent after that.

``look`` takes one step of one ticket, in a transaction of its own, and may be taken twice, late or
by two at once. Both steps are a compare-and-set on what was read: whoever writes first wins, and a
reply is never lost to a closing.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, or_, select, update

from app.domain import clock
from app.domain.audit import TIMETABLE, Change
from app.domain.support import events, reach, tickets, tidings
from app.domain.support.events import Voice
from app.extensions import change, db
from app.models import AuthorKind, Channel, Ticket, TicketState

AT_ONCE = 20
"""How many tickets one sweep looks at: what piled up is warned little by little."""

AFTER_WARNING = timedelta(hours=24)
"""How long an owner has from the moment a channel took the warning."""

STALE = timedelta(days=2)
"""A closing that was due so long ago was missed by a timer that stood still; it is warned anew."""

LOOK_AGAIN = timedelta(hours=6)
"""When a ticket is looked at again that could be neither warned nor closed."""

TIMER = Voice(AuthorKind.SYSTEM, TIMETABLE, channel=Channel.TIMER)


def due(now: datetime, limit: int = AT_ONCE) -> list[str]:
    """Tickets to be looked at, the longest due first, as ids."""
    now = clock.database_now(now)
    query = select(Ticket.id).where(
        Ticket.state == TicketState.WAITING_USER,
        or_(
            and_(Ticket.warned_at.is_(None), Ticket.warn_due_at <= now),
            and_(Ticket.warned_at.is_not(None), Ticket.close_due_at <= now),
        ),
    )
    order = (Ticket.warned_at.is_not(None), Ticket.warn_due_at, Ticket.id)
    return list(db.session.scalars(query.order_by(*order).limit(limit)))


def look(ticket_id: str, now: datetime) -> str:
    """Warn, close, or look again later; says which: ``warned``, ``closed``, ``later`` or nothing.

    Somebody who was first makes it nothing.
    """
    now = clock.database_now(now)
    ticket = db.session.get(Ticket, ticket_id, populate_existing=True)
    if ticket is None or ticket.state is not TicketState.WAITING_USER:
        return ""
    due_at = ticket.warn_due_at if ticket.warned_at is None else ticket.close_due_at
    if due_at is None or due_at > now:
        return ""
    if not _silent(ticket):
        return _stuck(ticket, now)
    if ticket.warned_at is None or now > due_at + STALE:
        return _warn(ticket, now)
    taken = reach.accepted_at(ticket)
    if taken is None:
        return _stuck(ticket, now)
    if now < taken + AFTER_WARNING:
        return _later(ticket, taken + AFTER_WARNING)
    return _close(ticket, now)


def _silent(ticket: Ticket) -> bool:
    """Whether it is the owner who did not answer, and the desk's last word could reach them."""
    last = reach.last_by_hand(ticket)
    if last is None or last.author is not AuthorKind.OPERATOR or ticket.incident_id is not None:
        return False
    return not reach.lost(ticket, last)


def _stuck(ticket: Ticket, now: datetime) -> str:
    """It can be neither warned nor closed now. Where neither the answer nor its warning arrived
    anywhere that will stay so, and nobody would look at the ticket again: the desk is told.
    """
    if not _later(ticket, now + LOOK_AGAIN):
        return ""
    last = reach.last_by_hand(ticket)
    if last is not None and (reach.lost(ticket, last) or reach.warned_nobody(ticket)):
        tidings.unheard(ticket, last, now)
    return "later"


def _warn(ticket: Ticket, now: datetime) -> str:
    close_at = max(ticket.close_due_at or now, now + AFTER_WARNING)
    if not _claim(ticket, warned_at=now, close_due_at=close_at):
        return ""
    tidings.warned(ticket, now)
    events.public(ticket, "ticket.warn", TIMER, now, reason=f"No answer since {_asked(ticket)}.")
    return "warned"


def _close(ticket: Ticket, now: datetime) -> str:
    before, asked, warned = ticket.state, _asked(ticket), ticket.warned_at
    if not _claim(ticket, warned_at=warned):  # its row is ours now; settling it moves the state
        return ""
    reason = f"You did not answer since {asked}, nor after the warning of {warned:%-d %B %Y}."
    tickets.settle(ticket, TicketState.CLOSED, now, reason="no answer")
    tidings.lapsed(ticket, reason, now)
    changes = [Change("state", before, TicketState.CLOSED)]
    events.public(ticket, "ticket.close", TIMER, now, changes, reason)
    return "closed"


def _later(ticket: Ticket, moment: datetime) -> str:
    field = "warn_due_at" if ticket.warned_at is None else "close_due_at"
    return "later" if _claim(ticket, **{field: moment}) else ""


def _claim(ticket: Ticket, **values: Any) -> bool:
    """Change the row if it still is what was read, and read it anew."""
    mine = update(Ticket).where(
        Ticket.id == ticket.id,
        Ticket.version == ticket.version,
        Ticket.last_seq == ticket.last_seq,
        Ticket.state == TicketState.WAITING_USER,
        Ticket.warned_at.is_not_distinct_from(ticket.warned_at),
        Ticket.incident_id.is_not_distinct_from(ticket.incident_id),
    )
    if change(mine.values(**values).execution_options(synchronize_session=False)) != 1:
        return False
    db.session.refresh(ticket)
    return True


def _asked(ticket: Ticket) -> str:
    return f"{ticket.last_operator_at:%-d %B %Y}"
