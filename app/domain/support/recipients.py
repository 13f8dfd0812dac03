"""Who a letter of the desk may go to, looked at when its turn has come."""

from dataclasses import dataclass

from sqlalchemy import select

from app.domain import access
from app.domain.support import access_rules
from app.extensions import db
from app.models import (
    Audience,
    Contact,
    Mail,
    Membership,
    Ticket,
    TicketMessage,
    TicketState,
    User,
)


class Void(Exception):
    """A letter that must not go any more. The message says why, for operators."""


@dataclass(frozen=True)
class Person:
    """Somebody a letter goes to, at an address that was shown to be theirs."""

    who: User | Contact
    name: str
    email: str


def check(mail: Mail) -> Person:
    """Who may get a letter about a ticket, at the address they have now.

    Raises:
        Void: they may not see the ticket any more, have no proven address, or it is out of date.
    """
    ticket = db.session.get(Ticket, mail.ticket_id, populate_existing=True)
    if ticket is None:
        raise Void("The ticket does not exist any more.")
    person = _operator(mail) if mail.audience is Audience.OPERATOR else _owner(mail, ticket)
    _demand_true(mail, ticket)
    return person


def reachable(user: User | Contact) -> bool:
    """Whether letters of the desk may go to a person at all."""
    if isinstance(user, Contact):
        return not user.left
    return user.verified and not user.suspended and user.deleted_at is None


def _operator(mail: Mail) -> Person:
    user = db.session.get(User, mail.recipient_id)
    if user is None or not user.operator:
        raise Void("The recipient is no operator any more.")
    return _user(user)


def _owner(mail: Mail, ticket: Ticket) -> Person:
    if mail.recipient_id not in (ticket.opened_by, ticket.contact_id):
        raise Void("The ticket is not the recipient's.")
    contact = db.session.get(Contact, ticket.contact_id) if ticket.contact_id else None
    if contact is not None:
        if contact.left:
            raise Void("The recipient has left.")
        return Person(contact, contact.name, contact.email)
    query = select(Membership).where(
        Membership.user_id == ticket.opened_by, Membership.workspace_id == ticket.workspace_id
    )
    membership = db.session.scalar(query)
    if membership is None or not access.may_enter(membership):
        raise Void("The recipient may not see the ticket any more.")
    return _user(membership.user)


def _user(user: User) -> Person:
    if not reachable(user):
        raise Void("The recipient has left, is suspended, or their address is not proven.")
    return Person(user, user.name, user.email)


def _demand_true(mail: Mail, ticket: Ticket) -> None:
    """Raises ``Void`` where what the letter says is not so any more."""
    if mail.ticket_message_id is not None:
        message = db.session.get(TicketMessage, mail.ticket_message_id, populate_existing=True)
        if message is None or message.redacted_at is not None:
            raise Void("The message was removed.")
    if mail.letter == "ticket_warning" and not _warned(mail, ticket):
        raise Void("The ticket was answered or moved since: the warning is void.")
    if mail.letter == "ticket_closed" and not ticket.over:
        raise Void("The ticket is open again.")
    if mail.letter == "ticket_access" and not access_rules.waits(mail.values["access_id"]):
        raise Void("The question was answered or taken back.")


def _warned(mail: Mail, ticket: Ticket) -> bool:
    waits = ticket.state is TicketState.WAITING_USER and ticket.incident_id is None
    return waits and ticket.warned_at == mail.created_at
