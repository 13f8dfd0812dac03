"""The clock of closing: seven days of silence of its owner close a ticket, never unannounced.

It runs only while a ticket waits for its owner and its last message of a person is an operator's.
``silence`` is who looks at it.
"""

import zlib
from datetime import datetime, timedelta

from app.models import Ticket, TicketState

WARN_AFTER = timedelta(days=5)
CLOSE_AFTER = timedelta(days=7)
SPREAD = 600
"""Seconds over which warnings that fell due together are spread."""


def restart(ticket: Ticket, now: datetime) -> None:
    """Set the clock anew for a locked ticket, or stop it. A warning given before is void."""
    ticket.warned_at = None
    if ticket.state is TicketState.WAITING_USER and ticket.incident_id is None:
        later = timedelta(seconds=zlib.crc32(ticket.id.encode()) % SPREAD)
        ticket.warn_due_at, ticket.close_due_at = now + WARN_AFTER + later, now + CLOSE_AFTER
    else:
        ticket.warn_due_at = ticket.close_due_at = None


def hold_for_bounce(ticket: Ticket) -> None:
    """Stop the clock of a ticket whose owner was not reached by mail; their next answer, or one of
    the desk, sets it anew.
    """
    ticket.warn_due_at = ticket.warned_at = ticket.close_due_at = None
