"""How a ticket may move; the one place that says so.

``NEW`` nobody answered yet. ``OPEN`` the desk is the one to answer. ``WAITING_USER`` its owner is.
``ON_HOLD`` both wait for something else. ``RESOLVED`` somebody said that it is solved. ``CLOSED``
it is over without that. ``MERGED`` it goes on in another ticket.
"""

from datetime import datetime, timedelta

from app.domain.errors import Conflict
from app.models import AuthorKind, Ticket, TicketState

REOPENS_FOR = timedelta(days=30)
"""How long after its end a ticket is reopened; later a new one follows it."""

_N, _O, _W, _H, _R, _C, _M = TicketState

MOVES: dict[TicketState, frozenset[TicketState]] = {
    _N: frozenset({_O, _W, _H, _R, _C, _M}),
    _O: frozenset({_W, _H, _R, _C, _M}),
    _W: frozenset({_O, _H, _R, _C, _M}),
    _H: frozenset({_O, _W, _R, _C, _M}),
    _R: frozenset({_O, _W, _H, _C}),
    _C: frozenset({_O, _W, _H, _R}),
    _M: frozenset(),
}
"""Where each state may go by a person's or the timer's doing."""

AFTER_ANSWER = (_W, _O, _H, _R)
"""What an operator may leave a ticket in with an answer, the usual one first."""

SETTLED = (_R, _C)


def check(ticket: Ticket, to: TicketState) -> None:
    """Raises ``Conflict`` where a ticket cannot go there from where it stands."""
    if to is not ticket.state and to not in MOVES[ticket.state]:
        raise Conflict(f"{ticket.ref} is {LABELS[ticket.state]}; it cannot become {LABELS[to]}.")


def after_message(ticket: Ticket, author: AuthorKind) -> TicketState:
    """Where a message of a person's own hand leaves a ticket, if its author says nothing else."""
    if author is AuthorKind.OPERATOR:
        return TicketState.WAITING_USER
    if author is AuthorKind.SYSTEM or ticket.state is TicketState.NEW:
        return ticket.state
    return TicketState.OPEN


def reopens(ticket: Ticket, now: datetime) -> bool:
    """Whether an answer to a ticket that is over reopens it; else another one follows."""
    return ticket.closed_at is None or now <= ticket.closed_at + REOPENS_FOR


LABELS: dict[TicketState, str] = {
    _N: "new",
    _O: "open",
    _W: "waiting for you",
    _H: "on hold",
    _R: "solved",
    _C: "closed",
    _M: "merged",
}
"""What its owner reads."""

DESK_LABELS = LABELS | {_W: "waiting for user"}
"""What operators read."""
