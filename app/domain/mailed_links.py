"""Single-use links that were mailed to somebody: only the hash of a token is kept."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from app.domain.errors import Conflict
from app.extensions import change, db
from app.models import LinkPurpose, MailedLink, User

OVER = "This link was used, replaced, or is too old. Ask for a new one."
LASTS = {
    LinkPurpose.VERIFY: timedelta(days=3),
    LinkPurpose.RESET: timedelta(hours=1),
    LinkPurpose.CHANGE_EMAIL: timedelta(hours=24),
    LinkPurpose.UNDO_EMAIL: timedelta(days=7),
}
DAILY = 5


def issue(user: User, purpose: LinkPurpose, email: str, *, now: datetime) -> str:
    """Make a link and return its token. Older links of the kind end, except those that undo."""
    if purpose is not LinkPurpose.UNDO_EMAIL:
        void(user, [purpose], now=now)
    token = secrets.token_urlsafe(32)
    link = MailedLink(
        user_id=user.id,
        purpose=purpose,
        token_hash=_digest(token),
        email=email,
        created_at=now,
        expires_at=now + LASTS[purpose],
    )
    db.session.add(link)
    db.session.flush()
    return token


def find(token: str, purpose: LinkPurpose, *, now: datetime) -> MailedLink | None:
    """The link of a token if it is still good. Reads only, for mail scanners open links too."""
    query = select(MailedLink).where(
        MailedLink.token_hash == _digest(token),
        MailedLink.purpose == purpose,
        MailedLink.used_at.is_(None),
        MailedLink.expires_at > now,
    )
    found: MailedLink | None = db.session.scalar(query)
    return found if found is not None and not found.user.suspended else None


def spend(token: str, purpose: LinkPurpose, *, now: datetime) -> MailedLink:
    """Use a link up; of two who try at once, one does.

    Raises:
        Conflict: it is not good any more.
    """
    link = find(token, purpose, now=now)
    mine = link is not None and change(
        update(MailedLink)
        .where(MailedLink.id == link.id, MailedLink.used_at.is_(None))
        .values(used_at=now)
    )
    if link is None or mine != 1:
        raise Conflict(OVER)
    return link


def void(user: User, purposes: Iterable[LinkPurpose], *, now: datetime) -> None:
    """End all links of these kinds that a person has."""
    db.session.execute(
        update(MailedLink)
        .where(
            MailedLink.user_id == user.id,
            MailedLink.purpose.in_(list(purposes)),
            MailedLink.used_at.is_(None),
        )
        .values(used_at=now)
    )


def void_later(link: MailedLink, *, now: datetime) -> None:
    """End the links of the same kind that its person was given after it."""
    db.session.execute(
        update(MailedLink)
        .where(
            MailedLink.user_id == link.user_id,
            MailedLink.purpose == link.purpose,
            MailedLink.created_at > link.created_at,
            MailedLink.used_at.is_(None),
        )
        .values(used_at=now)
    )


def enough(user: User, purpose: LinkPurpose, *, now: datetime) -> bool:
    """Whether so many were mailed within a day that no more are."""
    query = select(func.count()).where(
        MailedLink.user_id == user.id,
        MailedLink.purpose == purpose,
        MailedLink.created_at > now - timedelta(days=1),
    )
    return (db.session.scalar(query) or 0) >= DAILY


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
