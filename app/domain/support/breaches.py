"""Promises that ran out: said once, to whoever looks after the ticket, else to everybody."""

from datetime import datetime

from sqlalchemy import select

from app.domain import notices
from app.domain.audit import TIMETABLE, Change
from app.domain.support import assigning, events, tidings
from app.domain.support.events import Voice
from app.domain.support.tickets import lock
from app.extensions import db
from app.models import AuthorKind, Channel, ClockKind, NoticeKind, Ticket, TicketClock

WORDS = {
    ClockKind.FIRST_RESPONSE: "first answer is late",
    ClockKind.RESOLUTION: "solution is late",
}
TIMER = Voice(AuthorKind.SYSTEM, TIMETABLE, None, Channel.TIMER)


def tell_one(now: datetime) -> bool:
    """Note the oldest promise that ran out and tell of it; ``False`` if there is none."""
    query = select(TicketClock.ticket_id, TicketClock.kind).where(
        TicketClock.due_at <= now,
        TicketClock.running_since.is_not(None),
        TicketClock.breached_at.is_(None),
    )
    found = db.session.execute(query.order_by(TicketClock.due_at).limit(1)).first()
    if found is None:
        return False
    ticket = db.session.get_one(Ticket, found.ticket_id)
    lock(ticket)
    clock = db.session.get_one(TicketClock, (found.ticket_id, found.kind), populate_existing=True)
    if clock.breached_at is None and clock.due_at is not None and clock.due_at <= now:
        clock.breached_at = clock.due_at
        _tell(ticket, clock, now)
    return True


def _tell(ticket: Ticket, clock: TicketClock, now: datetime) -> None:
    holder = assigning.assignee(ticket)
    on_duty = tidings.operators()
    told = [holder] if holder in on_duty else on_duty
    notices.tell(
        [it.id for it in told if it],
        f"{ticket.ref}: the {WORDS[clock.kind]}",
        key=f"late {ticket.id} {clock.kind}",
        now=now,
        path=f"/operator/tickets/{ticket.id}",
        kind=NoticeKind.ALARM,
    )
    changes = [Change("late", None, clock.kind)]
    events.internal(ticket, "ticket.breach", TIMER, now, changes)
