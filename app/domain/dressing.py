"""What a letter wears when its turn comes: the values of its templates and its own headers.

Letters of the support desk carry ids only. Whether they still may go out, to which address, and
what they say is read here, at the last moment; what is not so any more is void.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from app.domain.letters import House
from app.domain.support import desk_values, owner_values, recipients, threads
from app.domain.support.recipients import Void
from app.extensions import db
from app.models import AddressHealth, Audience, BillingContact, Mail

__all__ = ["LEFT", "Dress", "Void", "dress", "message_id", "reading"]

_ANSWERS = frozenset({"ticket_answered"})
"""Letters in which a person speaks: no machine said so."""
_OF_COSTS = frozenset({"billing_confirm", "budget_alert", "statement"})
"""Letters that go to billing contacts; members get some of them too, and are named by none."""
LEFT = "Its reader is told of costs no more."


@dataclass(frozen=True)
class Dress:
    """What a letter's templates are filled with, and how it travels."""

    values: dict[str, Any] = field(repr=False)
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    return_path: str = ""
    automatic: bool = True


def message_id(mail: Mail, sender: str) -> str:
    """The id a letter keeps for good: given before its first try, unlike any other."""
    domain = sender.rpartition("@")[2]
    if mail.ticket_id is None:
        return f"<{mail.id}@{domain}>"
    return f"<t.{mail.id.removeprefix('mail_')}@{domain}>"


def dress(mail: Mail, house: House, sender: str, now: datetime) -> Dress:
    """Make a letter ready to go.

    Raises:
        Void: it must not go any more; the message says why.
    """
    values, headers = dict(mail.values), tuple(mail.envelope.get("headers", {}).items())
    if mail.ticket_id is None:
        _demand_contact(mail)
        return Dress(values, headers)
    person = recipients.check(mail)
    mail.to_email, mail.to_name = person.email, person.name
    _demand_health(person.who.email_key)
    values |= _said(mail, house)
    route = threads.route(mail, person, house.replies, sender, now)
    automatic = mail.letter not in _ANSWERS
    return Dress(values, (*headers, *route.headers), route.return_path, automatic)


def reading(mail: Mail, house: House) -> dict[str, Any]:
    """What its templates are filled with, for an operator who looks at it."""
    try:
        return mail.values | _said(mail, house) if mail.ticket_id else mail.values
    except Void:
        return mail.values


def _said(mail: Mail, house: House) -> dict[str, Any]:
    """Letters for owners know no table of the desk's: see ``owner_values``."""
    fill = owner_values.fill if mail.audience is Audience.USER else desk_values.fill
    return fill(mail, house)


def _demand_contact(mail: Mail) -> None:
    """Letters about costs name the row of their address; it ends with the row."""
    if mail.letter not in _OF_COSTS or mail.recipient_id is None:
        return
    there = select(BillingContact.id).where(BillingContact.id == mail.recipient_id)
    if db.session.scalar(there) is None:
        raise Void(LEFT)


def _demand_health(email_key: str) -> None:
    found = db.session.get(AddressHealth, email_key)
    if found is not None and found.disabled_at is not None:
        raise Void("The address takes no mail: earlier letters came back.")
