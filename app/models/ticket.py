"""Tickets, as their owners and the operators see them.

What only operators may see lies in ``desk.py``, in tables that no page, letter or export for others
ever reads: a note can never become a message.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, Tenant, belongs_to, primary_key


class TicketState(StrEnum):
    """Where a ticket stands."""

    NEW = "new"
    OPEN = "open"
    WAITING_USER = "waiting_user"
    ON_HOLD = "on_hold"
    RESOLVED = "resolved"
    CLOSED = "closed"
    MERGED = "merged"


class TicketCategory(StrEnum):
    """What a ticket is about."""

    BILLING = "billing"
    TECHNICAL = "technical"
    ACCOUNT = "account"
    BOT = "bot"
    OTHER = "other"


class TicketPriority(StrEnum):
    """How soon it hurts."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    URGENT = "urgent"


class AuthorKind(StrEnum):
    """Who wrote: a person with an account, one without, the desk, or the platform itself."""

    USER = "user"
    CONTACT = "contact"
    OPERATOR = "operator"
    SYSTEM = "system"


class Channel(StrEnum):
    """The way something came in."""

    WEB = "web"
    EMAIL = "email"
    TELEGRAM = "telegram"
    CONTACT = "contact"
    TIMER = "timer"


class Verification(StrEnum):
    """How sure it is that the author wrote it."""

    SESSION = "session"
    DMARC = "dmarc"
    TELEGRAM = "telegram"
    UNVERIFIED = "unverified"


class Subject(StrEnum):
    """What a ticket can be opened from."""

    BOT = "bot"
    CONNECTION = "connection"
    STATEMENT = "statement"


class Ticket(Tenant, Model):
    """A question to the operators, numbered per workspace (T-1042).

    ``opened_by`` or ``contact_id`` owns it. ``priority`` may be raised over ``asked_priority`` by
    facts. ``last_seq`` numbers its messages without gaps; ``seen_seq`` is the last that its owner
    has seen. ``version`` grows with each public change. The clock of closing (``warn_due_at``,
    ``warned_at``, ``close_due_at``) runs only while it waits for its owner.
    """

    __table_args__ = (
        UniqueConstraint("workspace_id", "id"),
        UniqueConstraint("workspace_id", "number"),
        belongs_to("ticket", "merged_into_id"),
        belongs_to("ticket", "follows_id"),
        CheckConstraint("(opened_by IS NULL) <> (contact_id IS NULL)", name="one_owner"),
        Index("ix_ticket_owner", "opened_by", "created_at"),
        Index("ix_ticket_contact_id", "contact_id"),
        Index("ix_ticket_incident_id", "incident_id"),
        Index("ix_ticket_state", "state", "last_public_at"),
        Index("ix_ticket_warn_due_at", "warn_due_at"),
        Index("ix_ticket_close_due_at", "close_due_at"),
    )

    id: Mapped[str] = primary_key("tkt")
    number: Mapped[int]
    opened_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    contact_id: Mapped[str | None] = mapped_column(ForeignKey("contact.id"))
    subject: Mapped[str] = mapped_column(String(160))
    category: Mapped[TicketCategory] = mapped_column(Chosen(TicketCategory))
    priority: Mapped[TicketPriority] = mapped_column(Chosen(TicketPriority))
    asked_priority: Mapped[TicketPriority] = mapped_column(Chosen(TicketPriority))
    state: Mapped[TicketState] = mapped_column(Chosen(TicketState))
    via: Mapped[Channel] = mapped_column(Chosen(Channel))
    about: Mapped[Subject | None] = mapped_column(Chosen(Subject))
    about_id: Mapped[str | None] = mapped_column(String(40))
    last_seq: Mapped[int] = mapped_column(default=0)
    seen_seq: Mapped[int] = mapped_column(default=0)
    last_public_at: Mapped[datetime] = mapped_column(Moment)
    last_user_at: Mapped[datetime | None] = mapped_column(Moment)
    last_operator_at: Mapped[datetime | None] = mapped_column(Moment)
    first_answered_at: Mapped[datetime | None] = mapped_column(Moment)
    warn_due_at: Mapped[datetime | None] = mapped_column(Moment)
    warned_at: Mapped[datetime | None] = mapped_column(Moment)
    close_due_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    close_reason: Mapped[str] = mapped_column(String(40), default="")
    reopen_count: Mapped[int] = mapped_column(default=0)
    merged_into_id: Mapped[str | None] = mapped_column(String(40))
    follows_id: Mapped[str | None] = mapped_column(String(40))
    incident_id: Mapped[str | None] = mapped_column(ForeignKey("incident.id"))
    version: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(Moment)

    messages: Mapped[list["TicketMessage"]] = relationship(
        order_by="TicketMessage.seq", viewonly=True
    )

    @property
    def ref(self) -> str:
        """How people name it."""
        return f"T-{self.number}"

    @property
    def over(self) -> bool:
        """Whether nothing more is expected of anybody."""
        return self.state in (TicketState.RESOLVED, TicketState.CLOSED, TicketState.MERGED)


class TicketMessage(Tenant, Model):
    """Something both sides may read. Never deleted: ``redacted_at`` leaves an empty body.

    ``key`` makes the same delivery one message, however often it arrives. ``automatic``: written by
    a machine on the author's behalf, which moves no clock.
    """

    __table_args__ = (
        belongs_to("ticket", "ticket_id"),
        UniqueConstraint("workspace_id", "id"),
        UniqueConstraint("ticket_id", "seq"),
        UniqueConstraint("ticket_id", "key"),
        Index("ix_ticket_message_author", "author_id", "created_at"),
    )

    id: Mapped[str] = primary_key("msg")
    ticket_id: Mapped[str] = mapped_column(String(40))
    seq: Mapped[int]
    author: Mapped[AuthorKind] = mapped_column(Chosen(AuthorKind))
    author_id: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    channel: Mapped[Channel] = mapped_column(Chosen(Channel))
    verification: Mapped[Verification] = mapped_column(Chosen(Verification))
    automatic: Mapped[bool] = mapped_column(default=False)
    body: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(String(120))
    rfc_message_id: Mapped[str] = mapped_column(String(254), default="")
    inbound_id: Mapped[str | None] = mapped_column(String(40))
    created_at: Mapped[datetime] = mapped_column(Moment)
    edited_at: Mapped[datetime | None] = mapped_column(Moment)
    redacted_at: Mapped[datetime | None] = mapped_column(Moment)

    files: Mapped[list["MessageFile"]] = relationship(order_by="MessageFile.id", viewonly=True)


class MessageEdit(Tenant, Model):
    """What a message said before it was edited."""

    __table_args__ = (belongs_to("ticket_message", "message_id"),)

    id: Mapped[str] = primary_key("edt")
    message_id: Mapped[str] = mapped_column(String(40), index=True)
    body: Mapped[str] = mapped_column(Text)
    edited_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    edited_at: Mapped[datetime] = mapped_column(Moment)


class MessageFile(Tenant, Model):
    """A file sent with a message. ``name`` is ours to show; ``storage_key`` is random."""

    __table_args__ = (belongs_to("ticket_message", "message_id"),)

    id: Mapped[str] = primary_key("fil")
    message_id: Mapped[str] = mapped_column(String(40), index=True)
    name: Mapped[str] = mapped_column(String(120))
    declared_type: Mapped[str] = mapped_column(String(120))
    sniffed_type: Mapped[str] = mapped_column(String(120))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    storage_key: Mapped[str] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)


class TicketEvent(Tenant, Model):
    """One change of a ticket that its owner may see; replayed in order they give the ticket.

    ``changes`` lists ``{field, before, after}``.
    """

    __table_args__ = (belongs_to("ticket", "ticket_id"), UniqueConstraint("ticket_id", "seq"))

    id: Mapped[str] = primary_key("tev")
    ticket_id: Mapped[str] = mapped_column(String(40))
    seq: Mapped[int]
    action: Mapped[str] = mapped_column(String(40))
    actor: Mapped[AuthorKind] = mapped_column(Chosen(AuthorKind))
    actor_id: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    channel: Mapped[Channel] = mapped_column(Chosen(Channel))
    changes: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    reason: Mapped[str] = mapped_column(String(300), default="")
    created_at: Mapped[datetime] = mapped_column(Moment)
