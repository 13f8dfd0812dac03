"""Telegram: who is linked, which message belongs to which ticket, what came in and goes out."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    String,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, primary_key
from app.models.mail import Audience


class CallState(StrEnum):
    """A call is queued until Telegram took it; ``unknown`` may have arrived and is marked so."""

    QUEUED = "queued"
    SENT = "sent"
    UNKNOWN = "unknown"
    FAILED = "failed"
    CANCELLED = "cancelled"


class TelegramCall(Model):
    """One thing to be told or done. ``dedupe_key``: the same event to the same chat goes out once.

    ``destination`` is ``operators``, ``topics``, a user's id, ``chat`` and a number, or ``button``
    and the id of a press; what waits for one of them goes out in order. ``claimed_until`` stands
    while a try is under way: a try that never came to an end may have arrived. ``values`` fill the
    text and remember how far it got.
    """

    __table_args__ = (
        CheckConstraint("note_id IS NULL OR audience = 'operator'", name="notes_stay_inside"),
        Index(
            "ix_telegram_call_queued",
            "destination",
            "created_at",
            sqlite_where=text("state = 'queued'"),
            postgresql_where=text("state = 'queued'"),
        ),
    )

    id: Mapped[str] = primary_key("tgc")
    destination: Mapped[str] = mapped_column(String(64))
    audience: Mapped[Audience] = mapped_column(Chosen(Audience))
    recipient_id: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    kind: Mapped[str] = mapped_column(String(40))
    ticket_id: Mapped[str | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    message_id: Mapped[str | None] = mapped_column(String(40))
    note_id: Mapped[str | None] = mapped_column(ForeignKey("ticket_note.id"))
    values: Mapped[dict[str, Any]] = mapped_column(Document)
    dedupe_key: Mapped[str] = mapped_column(String(160), unique=True)
    state: Mapped[CallState] = mapped_column(Chosen(CallState), default=CallState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)
    try_at: Mapped[datetime] = mapped_column(Moment)
    claimed_until: Mapped[datetime | None] = mapped_column(Moment)
    tried_at: Mapped[datetime | None] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)


class TelegramUpdate(Model):
    """An update that came in, once; the oldest go after some weeks."""

    bot_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    update_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    body: Mapped[dict[str, Any]] = mapped_column(Document)
    decision: Mapped[str] = mapped_column(String(40), default="waiting")
    reason: Mapped[str] = mapped_column(String(300), default="")
    received_at: Mapped[datetime] = mapped_column(Moment, index=True)
    decided_at: Mapped[datetime | None] = mapped_column(Moment)


class TelegramLink(Model):
    """A person's Telegram account. Operators confirm on the web before they answer through it."""

    id: Mapped[str] = primary_key("tgl")
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), unique=True)
    telegram_id: Mapped[int] = mapped_column(BigInteger, unique=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    name: Mapped[str] = mapped_column(String(120))
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)
    inactive_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)


class TelegramLinkToken(Model):
    """A deep link that links once, within ten minutes. Only the token's SHA-256 is kept."""

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    used_at: Mapped[datetime | None] = mapped_column(Moment)


class TelegramTopic(Model):
    """The forum topic of a ticket in the operators' chat."""

    __table_args__ = (UniqueConstraint("chat_id", "thread_id"),)

    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    chat_id: Mapped[int] = mapped_column(BigInteger)
    thread_id: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(Moment)


class TelegramMessage(Model):
    """Which ticket a message in a chat belongs to."""

    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    message_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id"), index=True)
    kind: Mapped[str] = mapped_column(String(40))
    made_id: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(Moment)


class TelegramChat(Model):
    """What is known of a chat, and when it may be written to again.

    ``name`` is the bot's own in the row of the bot. ``free_at`` is the earliest moment for the next
    message, ``paced_at`` the one at which it would be if all had gone out evenly. Number 0 stands
    for all chats together.
    """

    chat_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64), default="")
    forum: Mapped[bool | None]
    looked_at: Mapped[datetime | None] = mapped_column(Moment)
    moved_to: Mapped[int | None] = mapped_column(BigInteger)
    free_at: Mapped[datetime] = mapped_column(Moment)
    paced_at: Mapped[datetime] = mapped_column(Moment)
