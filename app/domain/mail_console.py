"""What the operator sees of letters and does about them."""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select, update

from app.domain import audit, dressing, letters, mail
from app.domain.audit import Actor
from app.domain.errors import Refused
from app.domain.letters import House, Unreadable
from app.extensions import change, db
from app.models import Mail, MailState, User

PAGE = 50
GONE = "(the link was removed when this was sent)"
_STUCK = (MailState.FAILED, MailState.UNSENT)


@dataclass(frozen=True)
class Reading:
    """A letter as it reads; without its link once it was sent."""

    subject: str
    text: str = field(repr=False)


def recent(state: MailState | None, page: int) -> list[Mail]:
    """Letters, newest first: one more than a page, if there is one more."""
    query = select(Mail).order_by(Mail.created_at.desc(), Mail.id.desc())
    if state is not None:
        query = query.where(Mail.state == state)
    return list(db.session.scalars(query.offset((page - 1) * PAGE).limit(PAGE + 1)))


def counts() -> dict[MailState, int]:
    """How many letters there are in each state."""
    query = select(Mail.state, func.count()).group_by(Mail.state)
    return dict(db.session.execute(query).all())


def waiting_since(moment: datetime) -> int:
    """How many letters were asked for before ``moment`` and nobody has tried yet."""
    untried = (Mail.state == MailState.QUEUED, Mail.attempts == 0, Mail.created_at < moment)
    return db.session.scalar(select(func.count()).where(*untried)) or 0


def failed_since(moment: datetime) -> int:
    """How many letters asked for since ``moment`` have failed."""
    lost = (Mail.state == MailState.FAILED, Mail.created_at >= moment)
    return db.session.scalar(select(func.count()).where(*lost)) or 0


def find(mail_id: str) -> Mail | None:
    """One letter."""
    return db.session.get(Mail, mail_id)


def read(letter: Mail, house: House) -> Reading:
    """What it says; what cannot be written says why instead."""
    values = dressing.reading(letter, house)
    if letter.state is MailState.SENT:
        values = {mail.SECRET: GONE, **values}
    try:
        said = letters.render(letter.letter, values, name=letter.to_name, house=house)
    except Unreadable as error:
        return Reading("(cannot be written)", str(error))
    return Reading(said.subject, said.text)


def send_again(letter: Mail, *, by: Actor, now: datetime) -> None:
    """Put a letter that failed or was not sent back into the queue.

    Raises:
        Refused: it is sent or waiting already.
    """
    stuck = update(Mail).where(Mail.id == letter.id, Mail.state.in_(_STUCK))
    if not change(stuck.values(state=MailState.QUEUED, attempts=0, try_at=now, error="")):
        raise Refused("This letter was sent or is waiting already. Look again in a minute.")
    db.session.refresh(letter)
    mail.ask(letter, now=now)
    audit.record("mail.send_again", by=by, now=now, target_id=letter.id, target_label=letter.letter)


def check(operator: User, *, console: str, by: Actor, now: datetime) -> Mail:
    """Send the operator a letter, to see whether letters arrive."""
    letter = mail.post(
        "mail_check", to=operator.email, name=operator.name, now=now, console=console
    )
    audit.record("mail.check", by=by, now=now, target_id=letter.id, target_label=letter.letter)
    return letter
