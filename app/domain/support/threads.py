"""How letters about one ticket hang together in a mailbox, and where an answer to them goes.

Each recipient has a thread of their own per ticket, and notes have another one, so that no mail
program shows a note among messages.
"""

import hashlib
import re
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select

from app.domain.letters import Replies
from app.domain.support import reply_tokens, return_paths
from app.domain.support.recipients import Person
from app.extensions import db
from app.models import Contact, Mail, MailState, Ticket, TicketMessage, TokenPurpose

LAST = 10
"""How many earlier letters a letter names, beside the first of its thread."""

_ID = re.compile(r"<[!-;=?-~]{1,120}@[!-;=?-~]{1,120}>", re.ASCII)


@dataclass(frozen=True)
class Route:
    """The headers of a letter's way, and where it comes back to if it does not arrive."""

    headers: tuple[tuple[str, str], ...] = field(repr=False)
    return_path: str = ""


def route(mail: Mail, person: Person, replies: Replies, sender: str, now: datetime) -> Route:
    """How a letter travels. Where mail is taken in it gets an address to answer to."""
    root = _root(mail, sender.rpartition("@")[2])
    theirs = _written_by(person, mail) if mail.note_id is None else []
    headers = [
        ("References", " ".join([root, *_newest(_letters(mail) + theirs)])),
        ("In-Reply-To", theirs[-1][1] if theirs else root),
    ]
    if not replies.open:
        return Route(tuple(headers))
    ticket = db.session.get_one(Ticket, mail.ticket_id)
    purpose = TokenPurpose.PUBLIC if mail.note_id is None else TokenPurpose.INTERNAL
    token = reply_tokens.issue(ticket, person.who, purpose, now, replies.key)
    headers.append(("Reply-To", f"<{reply_tokens.address(token, replies.domain)}>"))
    return Route(tuple(headers), return_paths.make(mail.id, replies.key, replies.domain))


def _root(mail: Mail, domain: str) -> str:
    """The id that begins the thread; no letter has it, all letters of the thread name it."""
    kind = "notes" if mail.note_id else "messages"
    named = hashlib.sha256(f"{mail.ticket_id} {mail.recipient_id} {kind}".encode()).hexdigest()
    return f"<t.{named[:26]}@{domain}>"


def _letters(mail: Mail) -> list[tuple[datetime, str]]:
    """Earlier letters of the thread that may have arrived."""
    notes = Mail.note_id.is_not(None) if mail.note_id else Mail.note_id.is_(None)
    query = select(Mail.created_at, Mail.message_id).where(
        Mail.ticket_id == mail.ticket_id,
        Mail.recipient_id == mail.recipient_id,
        Mail.id != mail.id,
        Mail.created_at <= mail.created_at,
        Mail.state.in_((MailState.SENT, MailState.UNKNOWN)),
        notes,
    )
    newest = query.order_by(Mail.created_at.desc(), Mail.id).limit(LAST)
    return [(at, found) for at, found in db.session.execute(newest)]


def _written_by(person: Person, mail: Mail) -> list[tuple[datetime, str]]:
    """Mails of the recipient's own that became messages, oldest first."""
    query = select(TicketMessage.created_at, TicketMessage.rfc_message_id).where(
        TicketMessage.ticket_id == mail.ticket_id,
        TicketMessage.rfc_message_id != "",
        TicketMessage.created_at <= mail.created_at,
    )
    if isinstance(person.who, Contact):
        query = query.where(TicketMessage.author_id.is_(None), TicketMessage.author == "contact")
    else:
        query = query.where(TicketMessage.author_id == person.who.id)
    newest = query.order_by(TicketMessage.seq.desc()).limit(LAST)
    found = [(at, told) for at, told in db.session.execute(newest) if _ID.fullmatch(told)]
    return found[::-1]


def _newest(dated: list[tuple[datetime, str]]) -> list[str]:
    return [told for _, told in sorted(dated)[-LAST:]]
