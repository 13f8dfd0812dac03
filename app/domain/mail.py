"""Letters: asked for inside a transaction, sent after its commit by the mail worker.

``begin`` claims a letter and commits to one try; ``finish`` writes down what came of it. A worker
that dies in between leaves the letter queued, and the sweep has it tried again under the same
Message-ID, by which the receiver's side can tell a repeat.
"""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update

from app.domain import clock, dressing, letters, outbox
from app.domain.dressing import Void
from app.domain.letters import House, Unreadable
from app.extensions import change, db
from app.gateways.mail import Delivery, Fate, Letter
from app.models import Audience, Mail, MailState
from app.models.base import new_id

QUEUE = "mail"
JOB = "send_mail"
TRY_LASTS = timedelta(seconds=90)
"""Longer than a job may run, so that nobody else tries meanwhile."""

LOST_AFTER = timedelta(minutes=2)
"""A letter whose moment passed so long ago was forgotten by the queue."""

PAUSES = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(hours=1),
    timedelta(hours=6),
)
"""Between tries; the last one repeats."""

MOST_TRIES = 16
"""With those pauses three days go by."""

KEPT = timedelta(days=90)
"""How long a letter can be looked at after it was asked for."""

SECRET = "link"  # noqa: S105 -- the name of a value, not a secret
WAITING = (MailState.QUEUED, MailState.UNKNOWN)
"""What is tried again; of the latter the server may have taken an earlier try."""


@dataclass(frozen=True)
class Desk:
    """For whose eyes a letter of the support desk is, and what of which ticket it carries.

    It carries ids: what they stand for is read when the letter is sent. ``key`` makes the same
    event to the same person one letter.
    """

    audience: Audience
    recipient_id: str
    ticket_id: str
    key: str
    message_id: str | None = None
    note_id: str | None = None


@dataclass(frozen=True)
class Errand:
    """One try, to be made outside; ``attempt`` tells it from the next one."""

    mail_id: str
    attempt: int
    letter: Letter


def post(
    letter: str,
    *,
    to: str,
    now: datetime,
    name: str = "",
    workspace_id: str | None = None,
    desk: Desk | None = None,
    **values: Any,
) -> Mail:
    """Ask for one letter to one address. The same ``desk.key`` again is the same letter.

    Args:
        letter: the name of its template under ``templates/mail/``.
        to: the address, as its owner wrote it.
        now: the moment, UTC.
        name: of the person, if known.
        workspace_id: the workspace it is about, if any.
        desk: for letters of the support desk.
        values: what the template shows, plain JSON. ``link`` is dropped once the letter was sent.
    """
    if desk is not None and (known := _by_key(desk.key)) is not None:
        return known
    found = Mail(
        id=new_id("mail"),
        workspace_id=workspace_id,
        letter=letter,
        to_email=to,
        to_name=name,
        values=values,
        created_at=now,
        try_at=now,
    )
    if desk is not None:
        found.audience, found.recipient_id = desk.audience, desk.recipient_id
        found.ticket_id, found.dedupe_key = desk.ticket_id, desk.key
        found.ticket_message_id, found.note_id = desk.message_id, desk.note_id
    found.message_id = found.id  # the first try, which knows the sender, gives it its domain
    db.session.add(found)
    ask(found, now=now)
    return found


def ask(mail: Mail, *, now: datetime) -> None:
    """Have the worker look at a letter when its moment has come."""
    outbox.put(
        QUEUE,
        JOB,
        now=now,
        not_before=mail.try_at,
        workspace_id=mail.workspace_id,
        mail_id=mail.id,
    )


def begin(mail_id: str, now: datetime, *, house: House, sender: str) -> Errand | None:
    """Claim a letter for one try; ``None`` if it is not due, taken, done, void or unwritable."""
    now = clock.database_now(now)
    due = (Mail.id == mail_id, Mail.state.in_(WAITING), Mail.try_at <= now)
    claim = update(Mail).where(*due)
    if not change(claim.values(attempts=Mail.attempts + 1, try_at=now + TRY_LASTS)):
        return None
    mail = db.session.get_one(Mail, mail_id, populate_existing=True)
    if mail.message_id == mail.id:
        mail.message_id = dressing.message_id(mail, sender)
    try:
        dress = dressing.dress(mail, house, sender, now)
        said = letters.render(mail.letter, dress.values, name=mail.to_name, house=house)
    except Void as void:
        mail.state, mail.error = MailState.CANCELLED, str(void)[:300]
        return None
    except Unreadable as error:
        mail.state, mail.error = MailState.FAILED, f"It cannot be written: {error}"[:300]
        return None
    letter = Letter(
        message_id=mail.message_id,
        to_email=mail.to_email,
        to_name=mail.to_name,
        subject=said.subject,
        text=said.text,
        html=said.html,
        headers=dress.headers,
        return_path=dress.return_path,
        automatic=dress.automatic,
    )
    return Errand(mail.id, mail.attempts, letter)


def finish(errand: Errand, delivery: Delivery, now: datetime) -> bool:
    """Write down what came of a try, once; ``False`` if it no longer matters.

    That a letter went out is true whoever has tried since; everything else gives way to them.
    """
    mail = db.session.scalar(select(Mail).where(Mail.id == errand.mail_id).with_for_update())
    if mail is None or mail.state is MailState.SENT:
        return False
    if delivery.fate is Fate.SENT:
        _sent(mail, now)
        return True
    if mail.state not in WAITING or mail.attempts != errand.attempt:
        return False
    mail.error = delivery.detail[:300]
    if delivery.fate is Fate.UNSENT:
        mail.state = MailState.UNSENT
        mail.message_id = mail.id  # nobody has seen it; the sender may be another next time
    elif delivery.fate is Fate.FAILED:
        mail.state = MailState.FAILED
    else:
        if delivery.fate is Fate.UNKNOWN:
            mail.state = MailState.UNKNOWN
        _try_later(mail, now)
    return True


def _by_key(key: str) -> Mail | None:
    found: Mail | None = db.session.scalar(select(Mail).where(Mail.dedupe_key == key))
    return found


def _sent(mail: Mail, now: datetime) -> None:
    mail.state, mail.sent_at, mail.error = MailState.SENT, now, ""
    mail.values = {key: value for key, value in mail.values.items() if key != SECRET}


def _try_later(mail: Mail, now: datetime) -> None:
    if mail.attempts >= MOST_TRIES:
        mail.state = MailState.FAILED
        mail.error = f"Given up after {MOST_TRIES} tries. {mail.error}"[:300]
        return
    pause = PAUSES[min(mail.attempts, len(PAUSES)) - 1]
    jitter = random.uniform(0.8, 1.2)  # noqa: S311 -- spreads the tries, no secret
    mail.try_at = clock.database_now(now) + pause * jitter
    ask(mail, now=now)


def sweep(now: datetime, limit: int = 200) -> int:
    """Ask anew for letters that the queue has forgotten; returns how many."""
    forgotten = select(Mail).where(
        Mail.state.in_(WAITING), Mail.try_at <= clock.database_now(now) - LOST_AFTER
    )
    found = db.session.scalars(forgotten.order_by(Mail.try_at).limit(limit)).all()
    for mail in found:
        mail.try_at = now
        ask(mail, now=now)
    return len(found)


def forget(now: datetime) -> None:
    """Drop letters that were settled long ago, and with them the links of those never sent."""
    old = (Mail.state.not_in(WAITING), Mail.created_at < now - KEPT)
    db.session.execute(delete(Mail).where(*old))
