"""The two halves of deciding on a mail: it is read between them, outside every transaction."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import or_, select, update

from app.domain import clock
from app.domain.errors import DomainError
from app.domain.inbound import alarms, decide, store, verdict
from app.domain.inbound.case import Case, Desk, Outcome, held
from app.domain.inbound.parse import Letter
from app.extensions import change, db
from app.gateways.files import Files
from app.gateways.locker import Locker
from app.models import InboundMail, MailDecision

MOST_TRIES = 3
"""A mail that ends its worker so often is put aside."""

TRY_LASTS = timedelta(seconds=90)
"""Longer than a job may run, so that nobody else tries meanwhile."""

REASON = 300


@dataclass(frozen=True)
class Waiting:
    """A mail that nobody has decided on yet."""

    mail_id: str
    raw: bytes = field(repr=False)


def begin(mail_id: str, locker: Locker, now: datetime) -> Waiting | None:
    """Claim a mail for one try; ``None`` if it is decided on, being tried, gone, or given up."""
    now = clock.database_now(now)
    mine = update(InboundMail).where(
        InboundMail.id == mail_id,
        InboundMail.decision == MailDecision.WAITING,
        or_(InboundMail.tried_at.is_(None), InboundMail.tried_at <= now - TRY_LASTS),
    )
    if not change(mine.values(attempts=InboundMail.attempts + 1, tried_at=now)):
        return None
    mail = db.session.get_one(InboundMail, mail_id, populate_existing=True)
    raw = store.raw(mail, locker)
    if raw is None:
        _give_up(mail, "It cannot be opened: INBOUND_MAIL_KEY has changed.", now)
        return None
    if mail.attempts > MOST_TRIES:
        _give_up(mail, f"Reading it failed {MOST_TRIES} times.", now)
        return None
    return Waiting(mail.id, raw)


def finish(
    waiting: Waiting, letter: Letter, *, desk: Desk, storage: Files, now: datetime
) -> MailDecision | None:
    """Decide and do what follows, in one transaction; ``None`` if somebody else has."""
    query = select(InboundMail).where(InboundMail.id == waiting.mail_id)
    mail = db.session.scalars(query.with_for_update()).one()
    if mail.decision is not MailDecision.WAITING:
        return None
    mail.sender, mail.rfc_message_id = letter.sender[:254], letter.message_id[:254]
    told = [(name, value) for name, value in mail.verdicts.get("told", [])]
    found = verdict.of(letter, provider=mail.provider, told=told, authserv_id=desk.authserv_id)
    about = {"proof": found.proof.value, "why": found.why, "subject": letter.subject[:200]}
    mail.verdicts = mail.verdicts | about
    db.session.flush()
    case = Case(mail, letter, found, desk, storage, now)
    _write_down(mail, _decided(case), now)
    return mail.decision


def _decided(case: Case) -> Outcome:
    """What a rule refuses is held back, and nothing of the attempt is kept."""
    try:
        with db.session.begin_nested():
            return decide.on(case)
    except DomainError as error:
        db.session.refresh(case.mail)
        return held(str(error))


def _write_down(mail: InboundMail, outcome: Outcome, now: datetime) -> None:
    if outcome.decision is MailDecision.QUARANTINED:
        alarms.held(mail, outcome.ticket, now, urgent=outcome.urgent)
    mail.decision, mail.reason = outcome.decision, outcome.reason[:REASON]
    mail.ticket_id = outcome.ticket.id if outcome.ticket else None
    mail.message_id, mail.decided_at = outcome.message_id, now


def _give_up(mail: InboundMail, why: str, now: datetime) -> None:
    mail.decision, mail.reason, mail.decided_at = MailDecision.ERROR, why, now
    alarms.failed(mail, now)
