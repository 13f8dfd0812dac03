"""What of the mail that comes in operators should look at."""

from datetime import datetime, timedelta

from sqlalchemy import func, select

from app.domain import notices
from app.domain.support import tidings
from app.extensions import db
from app.models import InboundMail, MailDecision, NoticeKind, Ticket

MOST_AN_HOUR = 10
"""So many mails held back ring one by one; the rest of the hour is one entry."""


def held(mail: InboundMail, ticket: Ticket | None, now: datetime, *, urgent: bool) -> None:
    """A mail was held back; ``urgent`` where somebody tried to speak for the desk."""
    hour = now - timedelta(hours=1)
    many = not urgent and _since(MailDecision.QUARANTINED, hour) >= MOST_AN_HOUR
    where = f" ({ticket.ref})" if ticket else ""
    notices.tell(
        [it.id for it in tidings.operators()],
        "Many mails are held back" if many else f"A mail is held back{where}",
        key=f"mail in many {now:%Y-%m-%d %H}" if many else f"mail in {mail.id}",
        now=now,
        body="Somebody wrote in an operator's name without proof." if urgent else "",
        path="/operator/mail/in?decision=quarantined" if many else f"/operator/mail/in/{mail.id}",
        kind=NoticeKind.ALARM if urgent else NoticeKind.NOTICE,
    )


def loop(mail: InboundMail, now: datetime) -> None:
    """A letter of ours came back in: told once an hour, however many there are."""
    if _since(MailDecision.LOOP, now - timedelta(hours=1)):
        return
    notices.tell(
        [it.id for it in tidings.operators()],
        "Our own letters come back in",
        key=f"mail loop {mail.id}",
        now=now,
        body="Look for a mailbox that forwards to the desk's address.",
        path=f"/operator/mail/in/{mail.id}",
        kind=NoticeKind.ALARM,
    )


def failed(mail: InboundMail, now: datetime) -> None:
    """A mail could not be decided on."""
    notices.tell(
        [it.id for it in tidings.operators()],
        "A mail could not be read",
        key=f"mail in {mail.id}",
        now=now,
        path=f"/operator/mail/in/{mail.id}",
        kind=NoticeKind.ALARM,
    )


def _since(decision: MailDecision, moment: datetime) -> int:
    query = select(func.count()).select_from(InboundMail)
    query = query.where(InboundMail.decision == decision, InboundMail.decided_at > moment)
    return db.session.scalar(query) or 0
