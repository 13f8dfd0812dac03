"""Letters of ours that came back: which one, whether for good, and what follows.

Which letter it was is taken from the signed return address or from the letter enclosed, and the
address from our own row, never from the report: nobody can shut somebody else's mailbox.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from app.domain import accounts, audit, notices
from app.domain.errors import Invalid
from app.domain.inbound import loops
from app.domain.inbound.parse import Letter, split
from app.domain.support import closing, events, states, tidings
from app.domain.support.events import Voice
from app.domain.support.tickets import lock
from app.extensions import db
from app.models import (
    AddressHealth,
    AuthorKind,
    Channel,
    Contact,
    Mail,
    MailState,
    NoticeKind,
    Ticket,
    TicketState,
    User,
)

HARD, SOFT, OFF_AT = 2, 1, 4
SOFT_AT_MOST = OFF_AT - 1
FORGIVEN_AFTER = timedelta(days=30)
_AT_ONCE = frozenset({"5.1.1", "5.1.10"})
_STATUS = re.compile(r"\b([245]\.\d{1,3}\.\d{1,3})\b")
_FIELD = re.compile(
    r"^(action|status|diagnostic-code)\s*:\s*(.{0,300})$", re.IGNORECASE | re.MULTILINE
)
_MAILERS = ("mailer-daemon", "postmaster", "mail-daemon")
_READ = 50_000
_VOICE = Voice(AuthorKind.SYSTEM, audit.Actor("system", "mail"), channel=Channel.EMAIL)


@dataclass(frozen=True)
class Report:
    """What a returned letter says: a status such as 5.1.1, and whether delivery was given up."""

    status: str = ""
    failed: bool = True
    said: str = ""

    @property
    def hard(self) -> bool:
        """Whether the address itself is what was wrong."""
        return self.failed and self.status.startswith("5.1.")


def is_one(letter: Letter, envelope_from: str, *, returned: bool) -> bool:
    """Whether a letter reports that one of ours did not arrive; ``returned``: it came to a return
    address of ours. Who is away answers to such addresses too: that is no report.
    """
    if letter.report or letter.all("x-failed-recipients"):
        return True
    if by_mailer(letter):
        return True
    away = envelope_from or loops.automatic(letter, "somebody")
    return returned and not away and _STATUS.search(letter.text[:_READ]) is not None


def by_mailer(letter: Letter) -> bool:
    """Whether a mail server wrote it, by its From, with or without a domain."""
    names = letter.all("from")
    local = letter.sender.partition("@")[0] or (names[0].strip().lower() if names else "")
    return local in _MAILERS


def read(letter: Letter) -> Report:
    """What it says. The fields of a delivery report decide; else the first status in its text."""
    found = [it for it in letter.parts if it.kind.type == "message/delivery-status"]
    text = "\n".join(it.content[:_READ].decode("utf-8", "replace") for it in found)
    fields = {name.lower(): value.strip() for name, value in reversed(_FIELD.findall(text))}
    if fields:
        status = _STATUS.search(fields.get("status", "") or fields.get("diagnostic-code", ""))
        failed = fields.get("action", "failed").lower() == "failed"
        return Report(status[1] if status else "", failed, fields.get("diagnostic-code", ""))
    status = _STATUS.search(letter.text[:_READ])
    return Report(status[1] if status else "", not status or status[1] >= "4", letter.subject)


def returned(letter: Letter, mail_id: str | None) -> Mail | None:
    """The letter of ours that came back, by its signed return address or as it is enclosed."""
    if mail_id is not None and (found := db.session.get(Mail, mail_id)) is not None:
        return found
    for part in letter.parts:
        if part.kind.type in ("message/rfc822", "text/rfc822-headers", "message/global"):
            for name, value in split(part.content[:_READ])[0]:
                if name == "message-id":
                    query = select(Mail).where(Mail.message_id == value.strip())
                    return db.session.scalars(query.limit(1)).first()
    return None


def take(mail: Mail, report: Report, now: datetime) -> str:
    """Draw the consequences; returns in words what was done.

    A bad address is no longer written to, the desk sees it in the ticket, its owner in the app,
    and nothing closes while they cannot be told. Delays are noted and change nothing.
    """
    if not report.failed:
        return f"The letter is delayed ({report.status or 'no status'})."
    mail.state, mail.error = MailState.FAILED, f"It came back: {report.status} {report.said}"[:300]
    key = _key(mail.to_email)
    health = _score(key, report, now)
    ticket = db.session.get(Ticket, mail.ticket_id) if mail.ticket_id else None
    person = db.session.scalar(select(User).where(User.email_key == key))
    shut = health.disabled_at == now
    if ticket is not None:
        lock(ticket)
        _hold(ticket, person, key)
    if shut:
        _tell(ticket, person, now)
        for other in _waiting(person, key):
            lock(other)
            closing.hold_for_bounce(other)
    if ticket is not None:
        what = "ticket.bounce_hard" if report.hard else "ticket.bounce_soft"
        events.internal(ticket, what, _VOICE, now)
    how = "and the address is no longer written to" if shut else f"score {health.score}"
    return f"A letter came back ({report.status or 'no status'}): {how}."


def _key(address: str) -> str:
    try:
        return accounts.email_key(address)
    except Invalid:
        return address.strip().casefold()[:254]


def _score(key: str, report: Report, now: datetime) -> AddressHealth:
    query = select(AddressHealth).where(AddressHealth.email_key == key).with_for_update()
    health = db.session.scalar(query)
    if health is None:
        health = AddressHealth(email_key=key, score=0, scored_at=now)
        db.session.add(health)
    if now - health.scored_at > FORGIVEN_AFTER:
        health.score = 0
    if report.hard:
        health.score += HARD
    else:
        health.score = max(health.score, min(health.score + SOFT, SOFT_AT_MOST))
    health.scored_at = now
    health.reason = f"{report.status} {report.said}".strip()[:300]
    off = report.hard and (report.status in _AT_ONCE or health.score >= OFF_AT)
    if off and health.disabled_at is None:
        health.disabled_at = now
    db.session.flush()
    return health


def _hold(ticket: Ticket, person: User | None, key: str) -> None:
    """What its owner never got is no reason to close."""
    contact = db.session.get(Contact, ticket.contact_id) if ticket.contact_id else None
    mine = person is not None and ticket.opened_by == person.id
    if mine or (contact is not None and contact.email_key == key):
        closing.hold_for_bounce(ticket)


def _waiting(person: User | None, key: str) -> list[Ticket]:
    """The tickets that wait for whoever has this address."""
    contact = db.session.scalar(select(Contact.id).where(Contact.email_key == key))
    owners = [Ticket.opened_by == person.id] if person else []
    owners += [Ticket.contact_id == contact] if contact else []
    alive = Ticket.state == TicketState.WAITING_USER
    return [it for own in owners for it in db.session.scalars(select(Ticket).where(own, alive))]


def _tell(ticket: Ticket | None, person: User | None, now: datetime) -> None:
    if person is not None:
        notices.tell(
            [person.id],
            "Letters to your address come back",
            key=f"bounce {person.id} {now:%Y-%m-%d}",
            now=now,
            body="We no longer write to it. Correct it under Security in your account; until then "
            "look here for answers.",
            path="/account/security",
            kind=NoticeKind.ALARM,
        )
    about = f"{ticket.ref} {states.DESK_LABELS[ticket.state]}" if ticket else "no ticket"
    notices.tell(
        [it.id for it in tidings.operators() if person is None or it.id != person.id],
        f"An address does not exist any more ({about})",
        key=f"bounce {ticket.id if ticket else 'none'} {now:%Y-%m-%d %H}",
        now=now,
        path=f"/operator/tickets/{ticket.id}" if ticket else "/operator/mail/in",
    )
