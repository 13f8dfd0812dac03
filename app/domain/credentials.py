"""A person's password: changing it, and setting a new one by a mailed link.

Hashing takes long by design: ``hashed`` runs without a transaction, the verbs take its result.
"""

import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import func, select, update

from app.domain import accounts, alerts, audit, mail, mailed_links, password_rules, workspaces
from app.domain.account_events import record
from app.domain.audit import Actor
from app.domain.errors import Invalid, TooMany
from app.extensions import db
from app.models import (
    AuditEvent,
    AuditOutcome,
    LinkPurpose,
    LoginSession,
    MailedLink,
    User,
)

ASK = "account.reset_ask"
ASK_WINDOW = timedelta(hours=1)
MOST_ASKED_FROM_ADDRESS = 20


def about(user: User) -> list[str]:
    """What others may know of a person; no password is made of it."""
    names = [item.workspace.name for item in workspaces.memberships(user)]
    return [user.email, user.name, *names]


def hashed(password: str, about: list[str]) -> str:
    """Check a new password and hash it. Reads no database. Raises ``Invalid``."""
    password_rules.check(password, about)
    return accounts.HASHER.hash(password)


def change(user: User, password_hash: str, *, keep: LoginSession, by: Actor, now: datetime) -> None:
    """Set a password known to be wanted; every other session ends."""
    _set(user, password_hash, now)
    accounts.end_sessions(user, keep=keep.id, now=now)
    alerts.warn(
        user,
        "Your password was changed",
        "All other sessions have ended. If it was not you, set a new password by “Forgot your "
        "password?” on the sign-in page at once, and tell whoever runs this server.",
        now=now,
    )
    record(user, "account.password_change", by, now)


def ask_for_reset(email: str, *, link_to: Callable[[str], str], by: Actor, now: datetime) -> None:
    """Mail a link for a new password, if the address has an account; say nothing of whether.

    Either way one event is written, and the answer is the same.

    Raises:
        TooMany: this address of the net asked too often; whatever it asked for.
    """
    _throttle(by, now)
    try:
        key = accounts.email_key(email)
    except Invalid:
        key = email.strip().casefold()
    user: User | None = db.session.scalar(select(User).where(User.email_key == key))
    if user is None or user.suspended:
        name = f"unknown-{hashlib.sha256(key.encode()).hexdigest()[:32]}"
        audit.record(ASK, by=by, now=now, target_id=name, outcome=AuditOutcome.FAILED)
        return
    enough = mailed_links.enough(user, LinkPurpose.RESET, now=now)
    if not enough:
        token = mailed_links.issue(user, LinkPurpose.RESET, user.email, now=now)
        mail.post("password_reset", to=user.email, name=user.name, now=now, link=link_to(token))
    record(user, ASK, by, now, AuditOutcome.DENIED if enough else AuditOutcome.SUCCESS)


def reset(token: str, password_hash: str, *, by: Actor, now: datetime) -> User:
    """Set a new password by a mailed link. All sessions end, and nobody is signed in by it.

    Raises:
        Conflict: the link is not good any more.
    """
    link: MailedLink = mailed_links.spend(token, LinkPurpose.RESET, now=now)
    user = link.user
    if user.email == link.email and not user.verified:
        user.email_verified_at = now
    _set(user, password_hash, now)
    accounts.end_sessions(user, keep=None, now=now)
    alerts.warn(
        user,
        "Your password was reset",
        "It was set by a link that was mailed to you. All sessions have ended. If it was not you, "
        "somebody else reads this mailbox: change its password first, then the one here.",
        now=now,
    )
    record(user, "account.password_reset", by, now)
    return user


def _set(user: User, password_hash: str, now: datetime) -> None:
    db.session.execute(update(User).where(User.id == user.id).values(password_hash=password_hash))
    # Who knew the old one may have asked for another address, to take the account there.
    mailed_links.void(user, [LinkPurpose.RESET, LinkPurpose.CHANGE_EMAIL], now=now)


def _throttle(by: Actor, now: datetime) -> None:
    query = select(func.count()).where(
        AuditEvent.action == ASK, AuditEvent.ip == by.ip, AuditEvent.occurred_at > now - ASK_WINDOW
    )
    if by.ip and (db.session.scalar(query) or 0) >= MOST_ASKED_FROM_ADDRESS:
        raise TooMany("Too many links were asked for. Wait an hour, then try again.", 3600)
