"""What operators do about mail that was held back. Each leaves one event with who decided it."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy import select

from app.domain import audit
from app.domain.audit import Actor
from app.domain.errors import Conflict, Refused
from app.domain.inbound import attachments, bodies, book, parse, store
from app.domain.support import reply_tokens, tickets
from app.domain.support.said import Said
from app.extensions import db
from app.gateways.files import Files
from app.gateways.locker import Locker
from app.models import InboundMail, MailDecision, TicketMessage, Verification


def appendable(mail: InboundMail) -> str:
    """Why a mail cannot be put into its ticket by hand; empty if it can.

    Nobody speaks for the desk by a mail that was held back, and none becomes a note.
    """
    holder = book.holder(mail)
    if mail.decision is not MailDecision.QUARANTINED:
        return "It is not held back."
    if holder is None:
        return "It was sent to no reply address, so it belongs to no ticket."
    if holder.desk:
        return "It was sent to an operator's reply address. Answer in the ticket yourself."
    if mail.raw is None:
        return "Its text is gone: mails are kept for thirty days."
    return ""


def append(
    mail: InboundMail, *, locker: Locker, storage: Files, by: Actor, now: datetime
) -> TicketMessage:
    """Put it into the ticket of its address as its owner's, marked as unverified.

    The event names both: the operator who decided, and the person it is written down as.

    Raises:
        Refused: it cannot be, or it says nothing.
        Conflict: another operator was faster.
    """
    _lock(mail)
    holder, raw = book.holder(mail), store.raw(mail, locker)
    if problem := appendable(mail):
        raise Refused(problem)
    if holder is None or raw is None:
        raise Refused("It cannot be opened: INBOUND_MAIL_KEY has changed.")
    letter = parse.take_apart(raw)
    files, remarks = attachments.keep(letter, storage)
    said = Said(
        bodies.fitted(bodies.visible(letter), remarks),
        key=f"mail {mail.id}",
        verification=Verification.UNVERIFIED,
        rfc_message_id=mail.rfc_message_id,
        inbound_id=mail.id,
        files=files,
    )
    if not said.body and not files:
        raise Refused("It says nothing that could be put into a ticket.")
    voice = replace(holder.voice, by=replace(by, on_behalf_of=holder.person.email))
    message = tickets.post(holder.ticket, said, voice=voice, now=now)
    mail.ticket_id, mail.message_id = message.ticket_id, message.id
    _settle(mail, MailDecision.APPENDED, f"Put in by {by.label}. {mail.reason}", now)
    return message


def refuse(mail: InboundMail, *, by: Actor, now: datetime) -> None:
    """Leave it out for good. Raises ``Conflict`` if it is not held back any more."""
    _lock(mail)
    _settle(mail, MailDecision.REFUSED, f"Refused by {by.label}. {mail.reason}", now)
    _record(mail, "mail_in.refuse", by, now)


def rotate(mail: InboundMail, *, by: Actor, now: datetime) -> None:
    """End the reply addresses of whoever held the one it was sent to; letters get new ones.

    Raises:
        Refused: it was sent to no reply address.
    """
    holder = book.holder(mail)
    if holder is None:
        raise Refused("It was sent to no reply address.")
    reply_tokens.rotate(holder.ticket, holder.person, now)
    _record(mail, "mail_in.rotate", by, now)


def _lock(mail: InboundMail) -> None:
    db.session.execute(select(InboundMail.id).where(InboundMail.id == mail.id).with_for_update())
    db.session.refresh(mail)
    if mail.decision is not MailDecision.QUARANTINED:
        raise Conflict("This mail is not held back any more. Load the page again.")


def _settle(mail: InboundMail, decision: MailDecision, reason: str, now: datetime) -> None:
    mail.decision, mail.reason, mail.decided_at = decision, reason[:300], now


def _record(mail: InboundMail, action: str, by: Actor, now: datetime) -> None:
    audit.record(action, by=by, now=now, target_id=mail.id, target_label=mail.sender)
