"""What an account leaves in tables of its own, and taking it out when its person leaves.

Addresses, proofs, devices, and whatever came in or waits to go out in their name.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, or_, select, update
from sqlalchemy.orm import InstrumentedAttribute

from app.domain.audit import Change
from app.extensions import change, db
from app.models import (
    AddressHealth,
    BillingContact,
    Contact,
    ContactRequest,
    DiagnosticBundle,
    Draft,
    GuideProgress,
    InboundMail,
    LoginSession,
    Mail,
    MailedLink,
    Notice,
    Presence,
    RecoveryCode,
    ReplyToken,
    StatusSubscriber,
    SupportAccess,
    TelegramCall,
    TelegramLink,
    TelegramLinkToken,
    TelegramMessage,
    TicketHandling,
    TicketMessage,
    TotpFactor,
    User,
)
from app.models.support import LEFT_DOMAIN

NAME = "Somebody who left"
"""What stands where their name stood."""

_LEFT = "It named the address of somebody who left."


def left_address(row_id: str) -> str:
    """What stands where an address stood; no mailbox can have it."""
    return f"{row_id}@{LEFT_DOMAIN}"


def remove(person: User, now: datetime) -> list[Change]:
    """Take all of it out; say how much there was. Call it before the address is forgotten."""
    key = person.email_key
    links = select(TelegramLink.chat_id).where(TelegramLink.user_id == person.id)
    chats = list(db.session.scalars(links))
    visitor = select(Contact.id).where(Contact.email_key == key)
    dropped: Sequence[tuple[str, type, ColumnElement[bool]]] = (
        ("sessions", LoginSession, LoginSession.user_id == person.id),
        ("second factors", TotpFactor, TotpFactor.user_id == person.id),
        ("recovery codes", RecoveryCode, RecoveryCode.user_id == person.id),
        ("mailed links", MailedLink, MailedLink.user_id == person.id),
        (
            "reply addresses",
            ReplyToken,
            or_(ReplyToken.holder_id == person.id, ReplyToken.contact_id.in_(visitor)),
        ),
        ("Telegram talk", TelegramMessage, TelegramMessage.chat_id.in_(chats)),
        ("Telegram links", TelegramLink, TelegramLink.user_id == person.id),
        ("Telegram link codes", TelegramLinkToken, TelegramLinkToken.user_id == person.id),
        (
            "Telegram messages",
            TelegramCall,
            or_(
                TelegramCall.recipient_id == person.id,
                TelegramCall.destination.in_([f"chat {it}" for it in chats]),
            ),
        ),
        ("notices", Notice, Notice.user_id == person.id),
        ("guides", GuideProgress, GuideProgress.user_id == person.id),
        ("letters", Mail, or_(_is(Mail.to_email, key), Mail.recipient_id == person.id)),
        ("contact requests", ContactRequest, ContactRequest.email_key == key),
        ("subscriptions", StatusSubscriber, StatusSubscriber.email_key == key),
        ("billing contacts", BillingContact, BillingContact.email_key == key),
        ("bundles", DiagnosticBundle, DiagnosticBundle.consented_by == person.id),
        ("drafts", Draft, Draft.operator_id == person.id),
        ("presence", Presence, Presence.operator_id == person.id),
        ("address health", AddressHealth, AddressHealth.email_key == key),
    )
    found = [(what, change(delete(kind).where(mine))) for what, kind, mine in dropped]
    found += [
        ("incoming mails", _empty_mails(person)),
        ("looks into workspaces", _end_looks(person, now)),
        ("names at the contact door", _forget_visitor(key)),
    ]
    held = update(TicketHandling).where(TicketHandling.assignee_id == person.id)
    db.session.execute(held.values(assignee_id=None))
    return [Change(what, count, 0) for what, count in found if count]


def _is(column: InstrumentedAttribute[str], key: str) -> ColumnElement[bool]:
    return func.lower(column) == key


def _empty_mails(person: User) -> int:
    """Raw mail of theirs goes; that something came in, and what was decided, stays."""
    written = select(TicketMessage.id).where(TicketMessage.author_id == person.id)
    key = person.email_key
    theirs = or_(
        _is(InboundMail.envelope_from, key),
        _is(InboundMail.sender, key),
        InboundMail.message_id.in_(written),
    )
    emptied = update(InboundMail).where(theirs)
    count = change(emptied.values(raw=None, envelope_from="", sender="", verdicts={}))
    told = update(InboundMail).where(InboundMail.reason.icontains(key, autoescape=True))
    db.session.execute(told.values(reason=_LEFT))
    mine = update(TicketMessage).where(TicketMessage.author_id == person.id)
    db.session.execute(mine.values(rfc_message_id=""))
    return count


def _forget_visitor(key: str) -> int:
    """What they asked at the contact door before they had an account stays, under nobody's name."""
    found = db.session.scalar(select(Contact).where(Contact.email_key == key))
    if found is None:
        return 0
    found.name = NAME
    found.email = found.email_key = left_address(found.id)
    return 1


def _end_looks(person: User, now: datetime) -> int:
    """Consent to look into a workspace ends with whoever gave it, and with whoever had it."""
    theirs = or_(SupportAccess.answered_by == person.id, SupportAccess.operator_id == person.id)
    running = update(SupportAccess).where(theirs, SupportAccess.ended_at.is_(None))
    return change(running.values(ended_at=now, ended_by=person.id))
