"""Letters to operators. An answer to one about a note can only become a note.

Call these where all workspaces are open, in the transaction of what they tell.
"""

from collections.abc import Iterable
from datetime import datetime

from app.domain import mail
from app.domain.mail import Desk
from app.domain.support import recipients
from app.extensions import db
from app.models import Audience, Ticket, TicketHandling, TicketMessage, TicketNote, User


def opened(ticket: Ticket, message: TicketMessage, people: Iterable[User], now: datetime) -> None:
    """Somebody asks: all operators hear of it."""
    for person in people:
        _post("ticket_opened", ticket, person, now, message_id=message.id)


def written(ticket: Ticket, message: TicketMessage, people: Iterable[User], now: datetime) -> None:
    """Its owner wrote: whoever looks after the ticket hears of it, or all, if nobody does.

    What a machine wrote in the owner's name rings nobody: two machines would go on for ever.
    """
    if message.automatic:
        return
    handling = db.session.get(TicketHandling, ticket.id)
    assignee = handling.assignee_id if handling else None
    found = list(people)
    for person in [it for it in found if it.id == assignee] or found:
        _post("ticket_message", ticket, person, now, message_id=message.id)


def mentioned(ticket: Ticket, note: TicketNote, people: Iterable[User], now: datetime) -> None:
    """A note names them."""
    for person in people:
        _post("note_mention", ticket, person, now, note_id=note.id)


def _post(
    letter: str,
    ticket: Ticket,
    person: User,
    now: datetime,
    *,
    message_id: str | None = None,
    note_id: str | None = None,
) -> None:
    if not recipients.reachable(person):
        return
    mail.post(
        letter,
        to=person.email,
        name=person.name,
        now=now,
        desk=Desk(
            Audience.OPERATOR,
            person.id,
            ticket.id,
            f"{letter} {message_id or note_id} {person.id}",
            message_id=message_id,
            note_id=note_id,
        ),
    )
