"""Signing in with a password: too many tries are refused, and hashing keeps no transaction open.

Three steps, since hashing takes long by design and a transaction may hold SQLite's one write lock:
``begin`` reads, ``verify`` hashes without the database, ``finish`` writes.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select, true

from app.domain import accounts, audit, password_rules, throttle
from app.domain.audit import Actor
from app.domain.throttle import Limit
from app.extensions import db
from app.models import AuditEvent, AuditOutcome, User

ACTION = "account.sign_in"
CONFIRM = "account.confirm"
WINDOW = timedelta(minutes=5)
MOST_FROM_ADDRESS = 10
MOST_FROM_ADDRESS_A_DAY = 100
MOST_IN_ALL = 1_000
# Ten addresses' worth: enough against guessing from many, out of reach for one who would lock a
# person out by trying wrong passwords.
MOST_FOR_ACCOUNT = 100
MOST_TO_CONFIRM = 10
FROM_ADDRESS = (
    Limit(MOST_FROM_ADDRESS, WINDOW),
    Limit(3 * MOST_FROM_ADDRESS, timedelta(hours=1)),
    Limit(MOST_FROM_ADDRESS_A_DAY, timedelta(days=1)),
)
TOO_MANY = "Too many tries. Wait a few minutes, then try again."
NOBODYS = accounts.HASHER.hash(secrets.token_urlsafe(16))
"""The hash of a password that nobody knows."""


@dataclass(frozen=True)
class Attempt:
    """One try: the account it is for, or a name for the account there is not."""

    target: str
    user_id: str | None
    label: str
    password_hash: str


@dataclass(frozen=True)
class Proof:
    """What hashing found: whether it matches, and the hash to keep from now on."""

    attempt: Attempt
    matches: bool
    renewed: str | None


def begin(*, email: str, by: Actor, now: datetime) -> Attempt:
    """Look the account up.

    Raises:
        TooMany: this address or this account was denied too often lately; the same for
            accounts that do not exist.
    """
    key = email.strip().casefold()
    user: User | None = db.session.scalar(select(User).where(User.email_key == key))
    if user is None:
        attempt = Attempt(_nobody(key), None, "", NOBODYS)
    else:
        attempt = Attempt(user.id, user.id, user.email, user.password_hash)
    _throttle(by, attempt.target, MOST_FOR_ACCOUNT, ACTION, now)
    return attempt


def begin_confirm(user: User, *, by: Actor, now: datetime) -> Attempt:
    """The same for somebody signed in; strangers at the door do not count against them.

    Raises:
        TooMany: they were denied too often lately.
    """
    _throttle(by, user.id, MOST_TO_CONFIRM, CONFIRM, now)
    return Attempt(user.id, user.id, user.email, user.password_hash)


def verify(attempt: Attempt, password: str) -> Proof:
    """Hash the password; takes as long for accounts that do not exist. Reads no database."""
    try:
        accounts.HASHER.verify(attempt.password_hash, password[: password_rules.LONGEST])
    except (VerificationError, InvalidHashError):
        return Proof(attempt, matches=False, renewed=None)
    stale = accounts.HASHER.check_needs_rehash(attempt.password_hash)
    renewed = accounts.HASHER.hash(password) if stale and attempt.user_id else None
    return Proof(attempt, attempt.user_id is not None, renewed)


def finish(proof: Proof, *, by: Actor, now: datetime, action: str = ACTION) -> User | None:
    """The person, if the password is still theirs; else keep the denied try."""
    attempt = proof.attempt
    user = db.session.get(User, attempt.user_id) if proof.matches else None
    if user is None or user.suspended or user.password_hash != attempt.password_hash:
        audit.record(
            action,
            by=by,
            now=now,
            account_id=attempt.user_id,
            target_id=attempt.target,
            target_label=attempt.label,
            outcome=AuditOutcome.DENIED,
        )
        return None
    user.password_hash = proof.renewed or user.password_hash
    return user


def _throttle(by: Actor, target: str, most: int, action: str, now: datetime) -> None:
    """Per account, per address with a delay that grows, and for everybody together."""
    throttle.check(AuditEvent.target_id == target, action, [Limit(most, WINDOW)], TOO_MANY, now)
    if by.ip:
        throttle.check(AuditEvent.ip == by.ip, action, FROM_ADDRESS, TOO_MANY, now)
    throttle.check(true(), action, [Limit(MOST_IN_ALL, WINDOW)], TOO_MANY, now)


def _nobody(key: str) -> str:
    """A name for an unknown account: what was typed may be a password, so it is not kept."""
    return f"unknown-{hashlib.sha256(key.encode()).hexdigest()[:32]}"
