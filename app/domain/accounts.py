"""Signing up; login sessions; a person's own settings."""

import hashlib
import secrets
from dataclasses import replace
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import Select, bindparam, select, update

from app.domain import audit, audit_columns, devices, mailed_links, password_rules, workspaces
from app.domain.account_events import record
from app.domain.audit import Actor
from app.domain.errors import Conflict, Invalid
from app.extensions import change, db, prepared
from app.models import LinkPurpose, LoginSession, User

IDLE = timedelta(hours=12)
ABSOLUTE = timedelta(days=30)
MAX_SESSIONS = 20
THEMES = ("auto", "light", "dark")

# OWASP's minimum with one lane: 46 MiB, one pass.
HASHER = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)


class Taken(Invalid):
    """The address has an account already."""


def email_key(email: str) -> str:
    """The form of an address that must be unique. Raises ``Invalid``."""
    try:
        found = validate_email(email.strip(), check_deliverability=False)
    except EmailNotValidError as error:
        raise Invalid(f"That is no e-mail address: {error}", "email") from error
    return found.normalized.casefold()


def sign_up(*, email: str, name: str, password: str, by: Actor, now: datetime) -> User:
    """Create a person and their personal workspace.

    Hashes the password first; call it with no transaction open where others may wait for it.

    Raises:
        Taken: the address has an account.
        Invalid: it is no address, or the password is too easy.
    """
    key = email_key(email)
    password_rules.check(password, (email, name))
    password_hash = HASHER.hash(password)
    if db.session.scalar(select(User.id).where(User.email_key == key)) is not None:
        raise Taken("An account with this address exists; sign in instead.", "email")
    user = User(
        email=email.strip(),
        email_key=key,
        name=name.strip(),
        password_hash=password_hash,
        created_at=now,
    )
    db.session.add(user)
    db.session.flush()
    actor = by.as_person(user)
    workspaces.create_personal(user, by=actor, now=now)
    audit.record("account.create", by=actor, now=now, account_id=user.id, target_id=user.id)
    return user


def open_session(
    user: User,
    *,
    ip: str,
    user_agent: str,
    by: Actor,
    now: datetime,
    method: str = "password",
) -> str:
    """Begin a login session and return its token; only the hash of the token is kept.

    ``method`` is what the person proved themselves with, all factors named.
    """
    token = secrets.token_urlsafe(32)
    opened = LoginSession(
        user_id=user.id,
        token_hash=_digest(token),
        ip=ip,
        user_agent=user_agent[:200],
        created_at=now,
        seen_at=now,
        expires_at=now + ABSOLUTE,
        confirmed_at=now,
        method=method,
    )
    db.session.add(opened)
    db.session.flush()
    mailed_links.void(user, [LinkPurpose.RESET], now=now)
    for surplus in live_sessions(user, now)[MAX_SESSIONS:]:
        surplus.revoked_at = now
    devices.warn_if_new(user, opened)
    by = replace(by, session_id=opened.id, method=opened.method)
    record(user, "account.sign_in", by, now)
    return token


def find_session(token: str, now: datetime) -> LoginSession | None:
    """The live session of a token: not revoked, not idle for too long, not too old."""
    found = db.session.scalar(_session_of_token(), {"digest": _digest(token)})
    if found is None or not _alive(found, now) or found.user.suspended:
        return None
    return found


def owner_of(token: str) -> str | None:
    """The id of whose session a token belonged to, also when that has ended."""
    return db.session.scalar(
        select(LoginSession.user_id).where(LoginSession.token_hash == _digest(token))
    )


@prepared
def _session_of_token() -> Select[LoginSession]:
    query = select(LoginSession).where(LoginSession.token_hash == bindparam("digest"))
    return query.options(db.joinedload(LoginSession.user))


def confirm(found: LoginSession, *, by: Actor, now: datetime) -> str:
    """Note that its owner proved again who they are; the session goes on under a new token.

    Raises:
        Conflict: the session ended or was confirmed elsewhere meanwhile.
    """
    token = renew(found, now=now)
    record(found.user, "account.confirm", by, now)
    return token


def renew(found: LoginSession, *, now: datetime) -> str:
    """Give a session a new token after what proves its owner has changed; the old one is dead.

    Raises:
        Conflict: the session ended or was renewed elsewhere meanwhile.
    """
    token = secrets.token_urlsafe(32)
    renewed = change(
        update(LoginSession)
        .where(
            LoginSession.id == found.id,
            LoginSession.token_hash == found.token_hash,
            LoginSession.revoked_at.is_(None),
        )
        .values(token_hash=_digest(token), confirmed_at=now)
    )
    if renewed != 1:
        raise Conflict("This session has changed meanwhile. Load the page again.")
    return token


def touch(session_id: str, now: datetime) -> None:
    """Remember that a session was used."""
    statement = update(LoginSession).where(LoginSession.id == session_id)
    db.session.execute(statement.values(seen_at=now))


def live_sessions(user: User, now: datetime) -> list[LoginSession]:
    """All live sessions of a person, newest first."""
    query = select(LoginSession).where(LoginSession.user_id == user.id)
    rows = db.session.scalars(query.order_by(LoginSession.created_at.desc()))
    return [row for row in rows if _alive(row, now)]


def revoke(user: User, session_id: str, *, by: Actor, now: datetime) -> bool:
    """End one session of this person; ``False`` if there is no such live session."""
    ended = change(
        update(LoginSession)
        .where(
            LoginSession.id == session_id,
            LoginSession.user_id == user.id,
            LoginSession.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )
    if ended != 1:
        return False
    record(user, "account.sign_out", by, now)
    return True


def revoke_others(keep: LoginSession, *, by: Actor, now: datetime) -> int:
    """End all sessions of a person but this one; says how many."""
    ended = end_sessions(keep.user, keep=keep.id, now=now)
    record(keep.user, "account.sign_out_others", by, now)
    return ended


def end_sessions(user: User, *, keep: str | None, now: datetime) -> int:
    """End all sessions of a person but one; says how many. The verb that calls it is the event."""
    return change(
        update(LoginSession)
        .where(
            LoginSession.user_id == user.id,
            LoginSession.id != (keep or ""),
            LoginSession.revoked_at.is_(None),
        )
        .values(revoked_at=now)
    )


def update_profile(user: User, *, name: str, theme: str, by: Actor, now: datetime) -> None:
    """Change a person's name and theme. Raises ``Invalid`` for an unknown theme."""
    if theme not in THEMES:
        raise Invalid(f"Choose one of {', '.join(THEMES)}.", "theme")
    before = audit_columns.values_of(user)
    user.name, user.theme = name.strip(), theme
    changes = audit_columns.changes_in(user, before)
    if changes:
        record(user, "account.update", by, now, changes=changes)


def _alive(row: LoginSession, now: datetime) -> bool:
    return row.revoked_at is None and now < row.expires_at and now - row.seen_at < IDLE


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
