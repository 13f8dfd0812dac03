"""What letters to the owner of a ticket say: read off the ticket and its messages, nothing else.

No table that only operators may see is imported here or by what this imports; a test looks.
"""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.letters import House
from app.domain.mail_text import MARKER
from app.domain.support import states
from app.domain.support.recipients import Void
from app.extensions import db
from app.models import AuthorKind, Mail, Ticket, TicketMessage, TicketState, User, Workspace


def fill(mail: Mail, house: House) -> dict[str, Any]:
    """The values of a letter's templates. Raises ``Void`` if its message was removed."""
    ticket = db.session.get_one(Ticket, mail.ticket_id)
    return {
        **common(ticket, house),
        "link": _page(ticket, house),
        "over": ticket.state in (TicketState.RESOLVED, TicketState.CLOSED),
        "closes": _day(ticket, ticket.close_due_at),
        "reopens_until": _day(ticket, ticket.closed_at, later=True),
        **(said(mail.ticket_message_id) if mail.ticket_message_id else {}),
    }


def common(ticket: Ticket, house: House) -> dict[str, Any]:
    """What every letter about a ticket knows, whoever reads it."""
    return {
        "ref": ticket.ref,
        "about": ticket.subject,
        "by_mail": house.replies.open,
        "marker": MARKER,
    }


def said(message_id: str) -> dict[str, Any]:
    """One message as a letter shows it: who, what, and the names of its files."""
    message = db.session.get(TicketMessage, message_id)
    if message is None or message.redacted_at is not None:
        raise Void("The message was removed.")
    return {
        "author": _author(message),
        "body": message.body,
        "files": [file.name for file in message.files],
    }


def _author(message: TicketMessage) -> str:
    """As on its owner's page: the desk speaks with one voice."""
    if message.author is AuthorKind.OPERATOR:
        return "Support"
    user = db.session.get(User, message.author_id) if message.author_id else None
    return user.name if user else "The sender"


def _page(ticket: Ticket, house: House) -> str:
    """Where its owner reads it; empty for people without an account, who have no page."""
    if ticket.opened_by is None:
        return ""
    return f"{house.base_url}/w/{ticket.workspace_id}/tickets/{ticket.id}"


def _day(ticket: Ticket, moment: datetime | None, *, later: bool = False) -> str:
    """A moment in the zone of the ticket's workspace; ``later``: when it can be reopened until."""
    if moment is None:
        return ""
    zone = db.session.get_one(Workspace, ticket.workspace_id).zone
    shown = (moment + states.REOPENS_FOR if later else moment).astimezone(ZoneInfo(zone))
    return f"{shown:%A, %-d %B %Y, %H:%M} ({zone})"
