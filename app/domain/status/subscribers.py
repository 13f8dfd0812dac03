"""Who wants to hear of incidents by mail: asked twice, told once, free to leave with one press."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select, update

from app import tenancy
from app.domain import accounts, mail, strangers
from app.domain.audit import Actor
from app.domain.errors import Conflict
from app.extensions import change, db
from app.models import Mail, MailState, StatusSubscriber

LINK_LASTS = timedelta(days=3)
OVER = "This link was used, replaced, or is too old. Subscribe again to get a new one."


def ask(email: str, *, link_to: Callable[[str], str], by: Actor, now: datetime) -> None:
    """Mail a link that confirms a subscription; who has one already gets no letter.

    The answer is the same for every address.

    Raises:
        Invalid: it is no address.
        TooMany: too many letters were asked for from where this comes, or by everybody.
    """
    key = accounts.email_key(email)
    if not strangers.may_write("status.subscribe_ask", key, by=by, now=now):
        return
    with tenancy.everywhere("a subscription to incidents belongs to no workspace"):
        known = _by_key(key)
        if known is not None and known.confirmed_at is not None and known.ended_at is None:
            return
        token = secrets.token_urlsafe(32)
        if known is None:
            known = StatusSubscriber(email=email.strip(), email_key=key)
            db.session.add(known)
        known.token_hash, known.asked_at = _digest(token), now
        mail.post("status_confirm", to=email.strip(), now=now, link=link_to(token))


def waiting(token: str, now: datetime) -> StatusSubscriber | None:
    """Whose link this is, if it is still good. Reads only."""
    query = select(StatusSubscriber).where(
        StatusSubscriber.token_hash == _digest(token),
        StatusSubscriber.asked_at > now - LINK_LASTS,
    )
    with tenancy.everywhere("a mailed link is good for whoever holds it"):
        return db.session.scalar(query)


def confirm(token: str, now: datetime) -> None:
    """The mailbox is theirs and they want it. Raises ``Conflict`` if the link is not good."""
    found = waiting(token, now)
    with tenancy.everywhere("a mailed link is good for whoever holds it"):
        spent = found is not None and change(
            update(StatusSubscriber)
            .where(StatusSubscriber.id == found.id, StatusSubscriber.token_hash == found.token_hash)
            .values(confirmed_at=now, ended_at=None, token_hash=_digest(secrets.token_hex(32)))
        )
        if not spent or found is None:
            raise Conflict(OVER)


def leaver(token: str) -> StatusSubscriber | None:
    """Whose subscription a token ends: the random id of its row, which stands in its letters alone.

    It is good for nothing else, and the same in every letter, however old.
    """
    with tenancy.everywhere("a mailed link is good for whoever holds it"):
        return db.session.get(StatusSubscriber, token)


def leave(token: str, now: datetime) -> None:
    """End a subscription with the letters that wait; ending it twice changes nothing.

    Raises:
        Conflict: the token is nobody's.
    """
    found = leaver(token)
    if found is None:
        raise Conflict("This link belongs to no subscription.")
    with tenancy.everywhere("a mailed link is good for whoever holds it"):
        going = StatusSubscriber.id == found.id, StatusSubscriber.ended_at.is_(None)
        change(update(StatusSubscriber).where(*going).values(ended_at=now))
        waiting = Mail.recipient_id == found.id, Mail.state.in_(mail.WAITING)
        why = "Its reader wants to hear of no more incidents."
        change(update(Mail).where(*waiting).values(state=MailState.CANCELLED, error=why))


def count() -> int:
    """How many will be told."""
    alive = StatusSubscriber.confirmed_at.is_not(None), StatusSubscriber.ended_at.is_(None)
    return db.session.scalar(select(func.count()).select_from(StatusSubscriber).where(*alive)) or 0


def forget(now: datetime) -> None:
    """Drop addresses whose owner never confirmed."""
    never = StatusSubscriber.confirmed_at.is_(None), StatusSubscriber.asked_at < now - LINK_LASTS
    db.session.execute(delete(StatusSubscriber).where(*never))


def _by_key(key: str) -> StatusSubscriber | None:
    return db.session.scalar(select(StatusSubscriber).where(StatusSubscriber.email_key == key))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
