"""People without an account: what they write waits until the mailbox they name proves theirs."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, or_, select, update
from sqlalchemy.exc import IntegrityError

from app import tenancy
from app.domain import accounts, mail, strangers
from app.domain.audit import Actor
from app.domain.errors import Conflict, Invalid
from app.domain.support import front_desk, tickets
from app.domain.support.events import Voice
from app.domain.support.said import Said, Wanted, clean_body, clean_subject
from app.extensions import change, db
from app.models import (
    AuthorKind,
    Channel,
    Contact,
    ContactRequest,
    Ticket,
    TicketCategory,
    User,
)
from app.models.base import new_id

LINK_LASTS = timedelta(hours=24)
KEPT = timedelta(days=30)
NAME = 80
OVER = "This link was used, or is too old. Write again to get a new one."


@dataclass(frozen=True)
class Letter:
    """What somebody wrote at the door."""

    name: str
    email: str
    subject: str
    category: TicketCategory
    body: str


def ask(
    letter: Letter, *, link_to: Callable[[str], str], sign_in: str, by: Actor, now: datetime
) -> None:
    """Keep what was written and mail a link that makes it a ticket.

    An address that has an account is told to sign in and ask there. From outside both look the
    same, and nothing that was written here goes out: the door sends nobody's words to strangers.

    Raises:
        Invalid: something is missing or too long, or the address is none.
        TooMany: too many letters were asked for from where this comes, or by everybody.
    """
    key = accounts.email_key(letter.email)
    name = " ".join(letter.name.split())
    if not 1 <= len(name) <= NAME:
        raise Invalid(f"Give your name in 1 to {NAME} characters.", "name")
    subject, body = clean_subject(letter.subject), clean_body(Said(letter.body))
    if not strangers.may_write("contact.ask", key, by=by, now=now):
        return
    email = letter.email.strip()
    if db.session.scalar(select(User.id).where(User.email_key == key)) is not None:
        mail.post("contact_account", to=email, now=now, sign_in=sign_in)
        return
    token = secrets.token_urlsafe(32)
    with tenancy.everywhere("what is written at the door belongs to no workspace"):
        db.session.add(
            ContactRequest(
                email=email,
                email_key=key,
                name=name,
                subject=subject,
                category=letter.category,
                body=body,
                ip=by.ip or "",
                token_hash=_digest(token),
                created_at=now,
                expires_at=now + LINK_LASTS,
            )
        )
    mail.post("contact_confirm", to=email, now=now, link=link_to(token))


def find(token: str, now: datetime) -> ContactRequest | None:
    """What a link is about, if it is still good. Reads only: mail scanners open links too."""
    query = select(ContactRequest).where(
        ContactRequest.token_hash == _digest(token),
        ContactRequest.confirmed_at.is_(None),
        ContactRequest.expires_at > now,
    )
    with tenancy.everywhere("a mailed link is good for whoever holds it"):
        return db.session.scalar(query)


def confirm(token: str, *, by: Actor, now: datetime) -> Ticket:
    """Open the ticket. Of two who try at once, one does.

    Raises:
        Conflict: the link is not good any more.
        TooMany: this person has ten open tickets.
    """
    request = find(token, now)
    with tenancy.everywhere("a contact's tickets lie at the front desk"):
        spent = request is not None and change(
            update(ContactRequest)
            .where(ContactRequest.id == request.id, ContactRequest.confirmed_at.is_(None))
            .values(confirmed_at=now)
        )
        if request is None or not spent:
            raise Conflict(OVER)
        contact = _contact(request, now)
        return tickets.open_ticket(
            front_desk.workspace(by=by, now=now),
            contact,
            Wanted(request.subject, request.category),
            Said(request.body, key=request.id),
            voice=Voice(AuthorKind.CONTACT, by, channel=Channel.CONTACT),
            now=now,
        )


def forget(now: datetime) -> None:
    """Drop what nobody confirmed in time, and copies of what became a ticket."""
    unanswered = ContactRequest.confirmed_at.is_(None) & (ContactRequest.expires_at < now)
    done = ContactRequest.confirmed_at < now - KEPT
    db.session.execute(delete(ContactRequest).where(or_(unanswered, done)))


def _contact(request: ContactRequest, now: datetime) -> Contact:
    known = select(Contact).where(Contact.email_key == request.email_key)
    found = db.session.scalar(known)
    if found is not None:
        return found
    try:
        with db.session.begin_nested():
            made = Contact(
                id=new_id("con"),
                email=request.email,
                email_key=request.email_key,
                name=request.name,
                verified_at=now,
                created_at=now,
            )
            db.session.add(made)
    except IntegrityError:
        return db.session.scalars(known).one()
    return made


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
