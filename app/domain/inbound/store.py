"""Keeps mail as it came, locked, before anybody looks at it, and forgets it after thirty days."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite

from app import tenancy
from app.domain import outbox
from app.extensions import db
from app.gateways.locker import Locked, Locker
from app.models import InboundMail, MailDecision
from app.models.base import new_id

QUEUE, JOB = "desk", "take_in_mail"
RAW_KEPT = timedelta(days=30)
LOST_AFTER = timedelta(minutes=2)
"""A mail that waits so long was forgotten by the queue."""

_PURPOSE = "mail in"
_LONGEST = 254


@dataclass(frozen=True)
class Arrival:
    """One mail as a provider handed it over.

    ``told`` are headers in which the provider itself says what it found about the sender; what
    the sender wrote stands in ``raw`` alone.
    """

    provider: str
    event_id: str
    envelope_from: str
    envelope_to: str
    raw: bytes = field(repr=False)
    told: Sequence[tuple[str, str]] = ()


def keep(arrival: Arrival, *, locker: Locker, now: datetime) -> bool:
    """Keep a mail and ask for its decision, together; ``False`` if it is here already.

    The same event of the same provider is one mail, and so is the same content to one address,
    however often and however many at once it is delivered.
    """
    number, digest = new_id("inm"), hashlib.sha256(arrival.raw).hexdigest()
    to, event = _address(arrival.envelope_to), _storable(arrival.event_id)
    told = [[_storable(name), _storable(value)] for name, value in arrival.told]
    row = {
        "id": number,
        "provider": arrival.provider,
        "event_id": event or hashlib.sha256(f"{digest} {to}".encode()).hexdigest(),
        "sha256": digest,
        "envelope_from": _address(arrival.envelope_from),
        "envelope_to": to,
        "raw": locker.close(_PURPOSE, number, arrival.raw),
        "size": len(arrival.raw),
        "verdicts": {"told": told} if told else {},
        "received_at": now,
        "raw_until": now + RAW_KEPT,
    }
    with tenancy.everywhere("mail comes in before anybody knows whose it is"):
        if db.session.scalar(_unless_kept().values(row).returning(InboundMail.id)) is None:
            return False
        outbox.put(QUEUE, JOB, now=now, mail_id=number)
    return True


def raw(mail: InboundMail, locker: Locker) -> bytes | None:
    """A mail as it came; ``None`` once it is gone or its key is."""
    if mail.raw is None:
        return None
    try:
        return locker.open(_PURPOSE, mail.id, mail.raw)
    except Locked:
        return None


def sweep(now: datetime, limit: int = 200) -> int:
    """Ask anew for decisions that the queue has forgotten; returns how many."""
    waiting = select(InboundMail.id).where(
        InboundMail.decision == MailDecision.WAITING, InboundMail.received_at <= now - LOST_AFTER
    )
    found = db.session.scalars(waiting.order_by(InboundMail.received_at).limit(limit)).all()
    for number in found:
        outbox.put(QUEUE, JOB, now=now, mail_id=number)
    return len(found)


def forget(now: datetime) -> None:
    """Drop what mails held after thirty days; that they came, and what became of them, stays."""
    old = (InboundMail.raw_until <= now, InboundMail.raw.is_not(None))
    db.session.execute(update(InboundMail).where(*old).values(raw=None))


def _unless_kept() -> Any:
    dialect = db.session.get_bind().dialect.name
    insert = postgresql.insert if dialect == "postgresql" else sqlite.insert
    return insert(InboundMail).on_conflict_do_nothing()


def _address(text: str) -> str:
    """An envelope's address as its column takes it; what is none is kept as far as it reads."""
    return _storable(text).strip().strip("<>").strip().lower()[:_LONGEST]


def _storable(text: str) -> str:
    """Without what no database takes in a text: NUL and halves of characters, among others."""
    return "".join(sign for sign in text if sign.isprintable())
