"""A person's address: proving that it is theirs, changing it, and taking a change back."""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy import select

from app.domain import accounts, alerts, mail, mailed_links, passwords
from app.domain.account_events import record
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid, TooMany
from app.extensions import db
from app.models import LinkPurpose, User

ENOUGH = "So many letters went to that address today that no more are sent. Try again tomorrow."
DAY = 86_400


def ask_to_verify(user: User, *, link_to: Callable[[str], str], by: Actor, now: datetime) -> None:
    """Mail a link that proves the address; at most five a day.

    Raises:
        TooMany: five were sent within a day.
    """
    if mailed_links.enough(user, LinkPurpose.VERIFY, now=now):
        raise TooMany(ENOUGH, DAY)
    token = mailed_links.issue(user, LinkPurpose.VERIFY, user.email, now=now)
    mail.post("verify_email", to=user.email, name=user.name, now=now, link=link_to(token))
    record(user, "account.verify_ask", by, now)


def verify(token: str, *, by: Actor, now: datetime) -> User:
    """The address is theirs: whoever holds the link reads its mail.

    Raises:
        Conflict: the link is not good any more, or the address has changed since.
    """
    link = mailed_links.spend(token, LinkPurpose.VERIFY, now=now)
    if link.email != link.user.email:
        raise Conflict(mailed_links.OVER)
    if not link.user.verified:
        link.user.email_verified_at = now
        record(link.user, "account.verify", by, now)
    return link.user


def ask_to_change(
    user: User, email: str, *, link_to: Callable[[str], str], by: Actor, now: datetime
) -> None:
    """Mail a link to the new address; until it is followed nothing changes.

    An address that has an account gets no letter, and the answer is the same.

    Raises:
        Invalid: it is no address, or the present one.
        TooMany: five were sent within a day.
    """
    key = accounts.email_key(email)
    if key == user.email_key:
        raise Invalid("That is your address already.", "email")
    if mailed_links.enough(user, LinkPurpose.CHANGE_EMAIL, now=now):
        raise TooMany(ENOUGH, DAY)
    token = mailed_links.issue(user, LinkPurpose.CHANGE_EMAIL, email.strip(), now=now)
    if not _taken(key, user):
        mail.post("email_change", to=email.strip(), name=user.name, now=now, link=link_to(token))
    record(user, "account.email_ask", by, now)


def confirm_change(token: str, *, undo_to: Callable[[str], str], by: Actor, now: datetime) -> User:
    """Take the new address; the old one gets a link that takes it back, for seven days.

    Raises:
        Conflict: the link is not good any more, or somebody else has the address meanwhile.
    """
    link = mailed_links.spend(token, LinkPurpose.CHANGE_EMAIL, now=now)
    user, old = link.user, link.user.email
    _move(user, link.email, now)
    undo = mailed_links.issue(user, LinkPurpose.UNDO_EMAIL, old, now=now)
    alerts.warn(
        user,
        "The address of your account was changed",
        f"It is now {link.email}. If it was not you, take it back within seven days.",
        now=now,
        to=old,
        link=undo_to(undo),
    )
    record(user, "account.email_change", by, now, changes=[Change("email", old, link.email)])
    return user


def undo_change(token: str, *, reset_to: Callable[[str], str], by: Actor, now: datetime) -> User:
    """Bring the old address back, end every session, and mail a link for a new password there.

    The password opens nothing from then on: who changed the address knew it. Nor do the links
    undo anything that went to addresses the account had only since.

    Raises:
        Conflict: the link is not good any more, or somebody else has the address meanwhile.
    """
    link = mailed_links.spend(token, LinkPurpose.UNDO_EMAIL, now=now)
    user, wrong = link.user, link.user.email
    _move(user, link.email, now)
    mailed_links.void_later(link, now=now)
    user.password_hash = passwords.NOBODYS
    accounts.end_sessions(user, keep=None, now=now)
    reset = mailed_links.issue(user, LinkPurpose.RESET, link.email, now=now)
    mail.post("password_reset", to=link.email, name=user.name, now=now, link=reset_to(reset))
    record(user, "account.email_undo", by, now, changes=[Change("email", wrong, link.email)])
    return user


def _move(user: User, email: str, now: datetime) -> None:
    key = accounts.email_key(email)
    if _taken(key, user):
        raise Conflict("That address belongs to another account now. Choose another one.")
    user.email, user.email_key, user.email_verified_at = email, key, now
    pending = [LinkPurpose.RESET, LinkPurpose.VERIFY, LinkPurpose.CHANGE_EMAIL]
    mailed_links.void(user, pending, now=now)
    db.session.flush()


def _taken(key: str, user: User) -> bool:
    query = select(User.id).where(User.email_key == key, User.id != user.id)
    return db.session.scalar(query) is not None
