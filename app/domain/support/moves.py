"""What people and the timer do to a ticket beside writing in it."""

from datetime import datetime

from app.domain.audit import Change
from app.domain.errors import Conflict, Invalid, Refused
from app.domain.support import clocks, events, states, tidings
from app.domain.support.events import Voice
from app.domain.support.tickets import lock, settle
from app.models import Ticket, TicketCategory, TicketPriority, TicketState

LONGEST_REASON = 300


def resolve(ticket: Ticket, *, voice: Voice, now: datetime) -> None:
    """Somebody says that it is solved. Saying it twice changes nothing."""
    why = "solved by the desk" if voice.operator else "solved by its owner"
    move(ticket, TicketState.RESOLVED, "ticket.resolve", voice=voice, now=now, reason=why)


def close(ticket: Ticket, reason: str, *, voice: Voice, now: datetime) -> None:
    """An operator ends it. Its owner reads ``reason``."""
    move(ticket, TicketState.CLOSED, "ticket.close", voice=voice, now=now, reason=reason)


def hold(ticket: Ticket, *, voice: Voice, now: datetime) -> None:
    """Both sides wait for something else; nothing closes meanwhile."""
    move(ticket, TicketState.ON_HOLD, "ticket.hold", voice=voice, now=now)


def need_help(ticket: Ticket, *, voice: Voice, now: datetime) -> None:
    """Its owner still needs help: it is the desk's turn, and a warning of closing is void.

    Where it is the desk's turn already nothing happens. A ticket that is over is reopened, or
    refused, as ``reopen`` does.
    """
    lock(ticket)
    if ticket.state in (TicketState.NEW, TicketState.OPEN):
        return
    if ticket.over:
        reopen(ticket, voice=voice, now=now)
        return
    _move_locked(ticket, TicketState.OPEN, "ticket.still_needed", voice, now, "")


def reopen(ticket: Ticket, *, voice: Voice, now: datetime) -> None:
    """Take a ticket up again that was over.

    Raises:
        Conflict: it is not over, or was merged.
        Refused: it was over for more than thirty days.
    """
    lock(ticket)
    if not ticket.over or ticket.state is TicketState.MERGED:
        raise Conflict(f"{ticket.ref} is {states.LABELS[ticket.state]}; there is no need.")
    if not states.reopens(ticket, now):
        raise Refused(
            f"{ticket.ref} was over for more than {states.REOPENS_FOR.days} days. "
            "Open a new ticket; it can follow this one."
        )
    _move_locked(ticket, TicketState.OPEN, "ticket.reopen", voice, now, "")


def move(
    ticket: Ticket, to: TicketState, action: str, *, voice: Voice, now: datetime, reason: str = ""
) -> None:
    """Take a ticket from where it stands to ``to``. Where it stands there, nothing happens.

    Raises:
        Conflict: it cannot go there from where it is.
    """
    lock(ticket)
    if ticket.state is to:
        return
    _move_locked(ticket, to, action, voice, now, reason)


def _move_locked(
    ticket: Ticket, to: TicketState, action: str, voice: Voice, now: datetime, reason: str
) -> None:
    states.check(ticket, to)
    if len(reason) > LONGEST_REASON:
        raise Invalid(f"Keep the reason within {LONGEST_REASON} characters.", "reason")
    before = ticket.state
    settle(ticket, to, now, reason=reason[:40])
    changes = [] if before is to else [Change("state", before, to)]
    if to in states.SETTLED and before is not to:
        tidings.ended(ticket, states.LABELS[to], reason, voice, now)
    events.public(ticket, action, voice, now, changes, reason)


def sort(
    ticket: Ticket,
    *,
    category: TicketCategory,
    priority: TicketPriority,
    voice: Voice,
    now: datetime,
) -> None:
    """An operator corrects category and priority; its owner sees both."""
    lock(ticket)
    changes = [
        Change(name, before, after)
        for name, before, after in (
            ("category", ticket.category, category),
            ("priority", ticket.priority, priority),
        )
        if before is not after
    ]
    if not changes:
        return
    ticket.category, ticket.priority = category, priority
    clocks.follow(ticket, now)
    events.public(ticket, "ticket.sort", voice, now, changes)


def merge(ticket: Ticket, into: Ticket, *, voice: Voice, now: datetime) -> None:
    """End a ticket that goes on in another one of the same owner and workspace.

    Raises:
        Invalid: it would be merged into itself.
        Refused: the other one is of another owner or workspace, or was merged itself.
    """
    if ticket.id == into.id:
        raise Invalid("Choose another ticket than this one.", "into")
    for one in sorted((ticket, into), key=lambda it: it.id):
        lock(one)
    owner = (ticket.workspace_id, ticket.opened_by, ticket.contact_id)
    if owner != (into.workspace_id, into.opened_by, into.contact_id):
        raise Refused("Only tickets of one owner in one workspace are merged; link these instead.")
    if into.state is TicketState.MERGED:
        raise Refused(f"{into.ref} was merged itself; choose the one it went into.")
    states.check(ticket, TicketState.MERGED)
    before = ticket.state
    ticket.merged_into_id = into.id
    settle(ticket, TicketState.MERGED, now, reason="merged")
    changes = [Change("state", before, ticket.state), Change("merged_into_id", None, into.id)]
    tidings.ended(ticket, "merged", f"It goes on in {into.ref}.", voice, now)
    events.public(ticket, "ticket.merge", voice, now, changes, f"It goes on in {into.ref}.")
