"""The book of mail that came in, for operators."""

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import func, select

from app.domain.inbound.answers import Holder, holder_of
from app.extensions import db
from app.models import InboundMail, MailDecision, ReplyToken, Ticket

PAGE = 50


def recent(decision: MailDecision | None, page: int) -> list[InboundMail]:
    """Mails, newest first: one more than a page, if there is one more."""
    query = select(InboundMail).order_by(InboundMail.received_at.desc(), InboundMail.id.desc())
    if decision is not None:
        query = query.where(InboundMail.decision == decision)
    return list(db.session.scalars(query.offset((page - 1) * PAGE).limit(PAGE + 1)))


def counts() -> Mapping[MailDecision, int]:
    """How many mails met each decision."""
    query = select(InboundMail.decision, func.count()).group_by(InboundMail.decision)
    return dict(db.session.execute(query).all())


def find(mail_id: str) -> InboundMail | None:
    """One mail."""
    return db.session.get(InboundMail, mail_id)


def ticket_of(mail: InboundMail) -> Ticket | None:
    """The ticket it is about, if any."""
    return db.session.get(Ticket, mail.ticket_id) if mail.ticket_id else None


def holder(mail: InboundMail) -> Holder | None:
    """Whom the reply address was given to that it was sent to."""
    token = db.session.get(ReplyToken, mail.verdicts.get("token", ""))
    return holder_of(token) if token else None


def last_at() -> datetime | None:
    """When the last mail came in."""
    return db.session.scalar(select(func.max(InboundMail.received_at)))


def waiting_since(moment: datetime) -> int:
    """How many mails came before ``moment`` and have met no decision yet."""
    waiting = (InboundMail.decision == MailDecision.WAITING, InboundMail.received_at < moment)
    return db.session.scalar(select(func.count()).select_from(InboundMail).where(*waiting)) or 0
