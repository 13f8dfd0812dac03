"""What letters to operators say."""

from typing import Any

from app.domain.letters import House
from app.domain.support import owner_values
from app.domain.support.recipients import Void
from app.extensions import db
from app.models import Contact, Mail, NoteFile, Ticket, TicketNote, User, Workspace


def fill(mail: Mail, house: House) -> dict[str, Any]:
    """The values of a letter's templates. Raises ``Void`` if what it carries is gone."""
    ticket = db.session.get_one(Ticket, mail.ticket_id)
    said = _note(mail.note_id) if mail.note_id else {}
    if mail.ticket_message_id:
        said = owner_values.said(mail.ticket_message_id)
    return {
        **owner_values.common(ticket, house),
        "owner": _owner(ticket),
        "workspace": db.session.get_one(Workspace, ticket.workspace_id).name,
        "category": str(ticket.category),
        "priority": str(ticket.priority),
        "link": f"{house.base_url}/operator/tickets/{ticket.id}",
        **said,
    }


def _owner(ticket: Ticket) -> str:
    if ticket.contact_id:
        contact = db.session.get_one(Contact, ticket.contact_id)
        return f"{contact.name} ({contact.email}, no account)"
    user = db.session.get_one(User, ticket.opened_by)
    return f"{user.name} ({user.email})"


def _note(note_id: str) -> dict[str, Any]:
    note = db.session.get(TicketNote, note_id)
    if note is None:
        raise Void("The note does not exist any more.")
    author = db.session.get(User, note.author_id) if note.author_id else None
    files: list[NoteFile] = note.files
    return {
        "author": author.name if author else "An operator",
        "body": note.body,
        "files": [file.name for file in files],
    }
