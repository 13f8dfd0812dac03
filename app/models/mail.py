"""Letters to people, and the inbox in the app."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, primary_key


class Audience(StrEnum):
    """For whose eyes something goes out."""

    USER = "user"
    OPERATOR = "operator"


class MailState(StrEnum):
    """Queued until sent or given up; unsent where no mail server is set.

    ``unknown``: the server may have taken it. ``cancelled``: no longer true when its turn came.
    """

    QUEUED = "queued"
    SENT = "sent"
    FAILED = "failed"
    UNSENT = "unsent"
    UNKNOWN = "unknown"
    CANCELLED = "cancelled"


class Mail(Model):
    """One letter to one address. ``message_id`` is fixed: sent twice, it is still one letter.

    ``values`` fill the letter's template; secrets among them go once it was sent. Letters of the
    support desk say for whose eyes they are and what of which ticket they carry; ``dedupe_key``
    makes the same event to the same person one letter, ``envelope`` holds headers of its own.
    """

    __table_args__ = (
        CheckConstraint("note_id IS NULL OR audience = 'operator'", name="notes_stay_inside"),
        Index(
            "ix_mail_queued",
            "try_at",
            sqlite_where=text("state IN ('queued', 'unknown')"),
            postgresql_where=text("state IN ('queued', 'unknown')"),
        ),
    )

    id: Mapped[str] = primary_key("mail")
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspace.id"))
    letter: Mapped[str] = mapped_column(String(40))
    to_email: Mapped[str] = mapped_column(String(254))
    to_name: Mapped[str] = mapped_column(String(80), default="")
    values: Mapped[dict[str, Any]] = mapped_column(Document)
    message_id: Mapped[str] = mapped_column(String(120), unique=True)
    audience: Mapped[Audience] = mapped_column(Chosen(Audience), default=Audience.USER)
    recipient_id: Mapped[str | None] = mapped_column(String(40))
    ticket_id: Mapped[str | None] = mapped_column(String(40), index=True)
    ticket_message_id: Mapped[str | None] = mapped_column(String(40))
    note_id: Mapped[str | None] = mapped_column(String(40))
    dedupe_key: Mapped[str | None] = mapped_column(String(160), unique=True)
    envelope: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    state: Mapped[MailState] = mapped_column(Chosen(MailState), default=MailState.QUEUED)
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)
    try_at: Mapped[datetime] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)


class NoticeKind(StrEnum):
    """A notice tells; an alarm wants something done."""

    NOTICE = "notice"
    ALARM = "alarm"


class Notice(Model):
    """One entry of one person's inbox. ``key`` makes telling the same thing twice one entry."""

    __table_args__ = (
        UniqueConstraint("user_id", "key"),
        Index("ix_notice_inbox", "user_id", "created_at"),
    )

    id: Mapped[str] = primary_key("ntc")
    user_id: Mapped[str] = mapped_column(ForeignKey("user.id", ondelete="CASCADE"))
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspace.id"), index=True)
    kind: Mapped[NoticeKind] = mapped_column(Chosen(NoticeKind))
    key: Mapped[str] = mapped_column(String(120))
    title: Mapped[str] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(String(500), default="")
    path: Mapped[str] = mapped_column(String(200), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
    read_at: Mapped[datetime | None] = mapped_column(Moment)
