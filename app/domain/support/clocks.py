"""What the desk promises: a first answer and a solution, counted in business hours.

The clocks run while the desk is the one to act: not while it waits for the owner, is on hold, or is
over. Members' requests start and move them, so all of it looks across workspaces.
"""

from datetime import datetime

from sqlalchemy import select

from app import tenancy
from app.domain.support import office
from app.domain.support.hours import due_at
from app.domain.support.office import Office
from app.extensions import db
from app.models import ClockKind, Ticket, TicketClock, TicketState

RUNS = (TicketState.NEW, TicketState.OPEN)


def start(ticket: Ticket, now: datetime) -> None:
    """Begin to count for a ticket just opened."""
    with tenancy.everywhere("the desk's promises are no workspace's rows"):
        for kind in ClockKind:
            db.session.add(TicketClock(ticket_id=ticket.id, kind=kind, allowed=0, spent=0))
        db.session.flush()
        _follow(ticket, office.now_open(), now)


def follow(ticket: Ticket, now: datetime) -> None:
    """Run, pause, meet or end the clocks of a locked ticket whose state or answers changed."""
    with tenancy.everywhere("the desk's promises are no workspace's rows"):
        _follow(ticket, office.now_open(), now)


def of(ticket: Ticket) -> list[TicketClock]:
    """The clocks of a ticket, the first answer first. For operators' pages only."""
    query = select(TicketClock).where(TicketClock.ticket_id == ticket.id)
    return list(db.session.scalars(query.order_by(TicketClock.kind)))


def recount(before: Office, after: Office, now: datetime) -> None:
    """The desk's hours or promises changed: what was spent so far stays as it was counted."""
    running = select(TicketClock, Ticket).join(Ticket, Ticket.id == TicketClock.ticket_id)
    running = running.where(TicketClock.running_since.is_not(None))
    # Held in one order, here and in ``_follow``: an answer of this moment is counted once.
    held = running.order_by(TicketClock.ticket_id, TicketClock.kind).with_for_update(of=TicketClock)
    rows = db.session.execute(held.execution_options(populate_existing=True))
    for clock, ticket in rows.all():
        _pause(clock, before, now)
        clock.allowed = after.targets[ticket.priority][clock.kind]
        _run(clock, after, now)


def _follow(ticket: Ticket, its: Office, now: datetime) -> None:
    query = select(TicketClock).where(TicketClock.ticket_id == ticket.id).with_for_update()
    query = query.order_by(TicketClock.kind).execution_options(populate_existing=True)
    for clock in db.session.scalars(query).all():
        met = _met(ticket, clock.kind)
        if met and clock.met_at is not None:
            continue
        _pause(clock, its, now)
        clock.met_at = now if met else None
        clock.allowed = its.targets[ticket.priority][clock.kind]
        if not met and ticket.state in RUNS:
            _run(clock, its, now)
    db.session.flush()


def _met(ticket: Ticket, kind: ClockKind) -> bool:
    """Whether a promise is kept: answered, or over. A ticket over unanswered needs no answer."""
    if kind is ClockKind.FIRST_RESPONSE and ticket.first_answered_at is not None:
        return True
    return ticket.over


def _pause(clock: TicketClock, its: Office, now: datetime) -> None:
    """Note what was spent. What ran out before anybody looked is broken all the same."""
    if clock.running_since is None:
        return
    clock.spent += its.hours.between(clock.running_since, now)
    if clock.due_at is not None and now > clock.due_at and clock.breached_at is None:
        clock.breached_at = clock.due_at
    clock.running_since = clock.due_at = None


def _run(clock: TicketClock, its: Office, now: datetime) -> None:
    clock.running_since = now
    clock.due_at = due_at(clock.spent, clock.allowed, now, its.hours)
