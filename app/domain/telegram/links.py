"""Whose Telegram account is whose.

A person begins in their signed-in session and gets a link that works once, for ten minutes, in a
private chat with the bot. What it linked counts only after they confirmed, on the web, the name
that Telegram gave: a link that somebody else got hold of is seen there, and refused.
"""

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.exc import IntegrityError

from app.domain import alerts
from app.domain.account_events import record
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Refused
from app.extensions import change, db
from app.models import TelegramLink, TelegramLinkToken, User
from app.models.base import new_id

TOKEN_LASTS = timedelta(minutes=10)
MOST_TOKENS = 5
BOT = Actor("telegram", "Telegram", source="worker")


def begin(user: User, now: datetime) -> str:
    """Make a token for a deep link; at most five wait at a time.

    Raises:
        Conflict: an account is linked already.
    """
    if of(user) is not None:
        raise Conflict("A Telegram account is linked already. Unlink it first.")
    mine = TelegramLinkToken.user_id == user.id
    db.session.execute(delete(TelegramLinkToken).where(mine, TelegramLinkToken.expires_at <= now))
    kept = select(TelegramLinkToken).where(mine).order_by(TelegramLinkToken.created_at.desc())
    for old in db.session.scalars(kept.offset(MOST_TOKENS - 1)):
        db.session.delete(old)
    token = secrets.token_urlsafe(16)
    db.session.add(
        TelegramLinkToken(
            token_hash=_hash(token), user_id=user.id, created_at=now, expires_at=now + TOKEN_LASTS
        )
    )
    return token


def of(user: User) -> TelegramLink | None:
    """The link of a person, whatever its state."""
    return db.session.scalars(
        select(TelegramLink)
        .where(TelegramLink.user_id == user.id)
        .execution_options(populate_existing=True)
    ).first()


def by_telegram(telegram_id: int) -> TelegramLink | None:
    """The link of a Telegram account, whatever its state."""
    query = select(TelegramLink).where(TelegramLink.telegram_id == telegram_id)
    return db.session.scalars(query.execution_options(populate_existing=True)).first()


def use(token: str, *, telegram_id: int, chat_id: int, name: str, now: datetime) -> User:
    """Link the Telegram account that brought a token from its private chat.

    Raises:
        Refused: the token is unknown, used or too old, or either side is linked already.
    """
    live = (
        TelegramLinkToken.token_hash == _hash(token),
        TelegramLinkToken.used_at.is_(None),
        TelegramLinkToken.expires_at > now,
    )
    if not change(update(TelegramLinkToken).where(*live).values(used_at=now)):
        raise Refused("This link was used or is too old. Make a new one in your account.")
    found = db.session.get_one(TelegramLinkToken, _hash(token), populate_existing=True)
    user = db.session.get_one(User, found.user_id)
    if user.suspended_at is not None or user.deleted_at is not None:
        raise Refused("This link was used or is too old. Make a new one in your account.")
    if by_telegram(telegram_id) is not None or of(user) is not None:
        raise Refused("This account is linked already. Unlink it first, on the web.")
    link = TelegramLink(
        id=new_id("tgl"),
        user_id=user.id,
        telegram_id=telegram_id,
        chat_id=chat_id,
        name=name[:120] or str(telegram_id),
        created_at=now,
    )
    try:
        with db.session.begin_nested():
            db.session.add(link)
    except IntegrityError as error:
        raise Refused("This account is linked already. Unlink it first, on the web.") from error
    alerts.warn(
        user,
        "A Telegram account was linked to your account",
        f"Telegram calls it {link.name}. It counts once you confirm it under Telegram in your "
        "account; unlink it there if it is not yours.",
        now=now,
    )
    record(user, "account.telegram_link", BOT, now, changes=[Change("name", None, link.name)])
    return user


def confirm(user: User, link_id: str, *, by: Actor, now: datetime) -> None:
    """Say that the Telegram account shown is one's own.

    Raises:
        Conflict: it is another one by now, or none.
    """
    waiting = (
        TelegramLink.id == link_id,
        TelegramLink.user_id == user.id,
        TelegramLink.confirmed_at.is_(None),
    )
    if not change(update(TelegramLink).where(*waiting).values(confirmed_at=now)):
        raise Conflict("That account is not linked any more. Look at what is shown now.")
    record(user, "account.telegram_confirm", by, now, changes=[Change("confirmed_at", None, now)])


def unlink(user: User, *, by: Actor, now: datetime) -> None:
    """Take the link away; tokens that wait go with it. Without a link nothing happens."""
    db.session.execute(delete(TelegramLinkToken).where(TelegramLinkToken.user_id == user.id))
    if not change(delete(TelegramLink).where(TelegramLink.user_id == user.id)):
        return
    alerts.warn(
        user,
        "Your Telegram account was unlinked",
        "Nothing of your tickets is sent there any more.",
        now=now,
    )
    record(user, "account.telegram_unlink", by, now)


def shut(user_id: str, now: datetime) -> None:
    """The person blocked the bot: nothing more is sent there until they start it again."""
    active = (TelegramLink.user_id == user_id, TelegramLink.inactive_at.is_(None))
    if change(update(TelegramLink).where(*active).values(inactive_at=now)):
        user = db.session.get_one(User, user_id)
        record(user, "account.telegram_off", BOT, now, changes=[Change("inactive_at", None, now)])


def wake(telegram_id: int, now: datetime) -> None:
    """They started the bot again."""
    link = by_telegram(telegram_id)
    if link is None or link.inactive_at is None:
        return
    before, link.inactive_at = link.inactive_at, None
    user = db.session.get_one(User, link.user_id)
    record(user, "account.telegram_on", BOT, now, changes=[Change("inactive_at", before, None)])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
