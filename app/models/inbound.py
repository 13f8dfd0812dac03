"""Mail that came in, who may answer by mail, and how well addresses take it."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, primary_key


class MailDecision(StrEnum):
    """What became of a mail that came in."""

    WAITING = "waiting"
    APPENDED = "appended"
    NOTE = "note"
    OPENED = "opened"
    DUPLICATE = "duplicate"
    AUTOMATIC = "automatic"
    BOUNCE = "bounce"
    LOOP = "loop"
    QUARANTINED = "quarantined"
    REFUSED = "refused"
    ERROR = "error"


class InboundMail(Model):
    """One mail as it came in; ``raw`` is locked, and gone after ``raw_until``.

    ``sender`` and ``rfc_message_id`` are what its headers say once it was read; ``verdicts`` hold
    what is known of the sender and the digests by which a repeat is told.
    """

    __table_args__ = (
        UniqueConstraint("provider", "event_id"),
        UniqueConstraint("sha256", "envelope_to"),
        Index(
            "ix_inbound_mail_waiting",
            "received_at",
            sqlite_where=text("decision = 'waiting'"),
            postgresql_where=text("decision = 'waiting'"),
        ),
    )

    id: Mapped[str] = primary_key("inm")
    provider: Mapped[str] = mapped_column(String(24))
    event_id: Mapped[str] = mapped_column(String(120))
    sha256: Mapped[str] = mapped_column(String(64))
    envelope_from: Mapped[str] = mapped_column(String(254))
    envelope_to: Mapped[str] = mapped_column(String(254))
    sender: Mapped[str] = mapped_column(String(254), default="")
    rfc_message_id: Mapped[str] = mapped_column(String(254), default="", index=True)
    raw: Mapped[bytes | None] = mapped_column(LargeBinary)
    size: Mapped[int]
    verdicts: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    decision: Mapped[MailDecision] = mapped_column(
        Chosen(MailDecision), default=MailDecision.WAITING
    )
    reason: Mapped[str] = mapped_column(String(300), default="")
    attempts: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[datetime | None] = mapped_column(Moment)
    ticket_id: Mapped[str | None] = mapped_column(ForeignKey("ticket.id"), index=True)
    message_id: Mapped[str | None] = mapped_column(String(40))
    received_at: Mapped[datetime] = mapped_column(Moment, index=True)
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    raw_until: Mapped[datetime] = mapped_column(Moment)


class TokenPurpose(StrEnum):
    """What a reply to an address may become."""

    PUBLIC = "public"
    INTERNAL = "internal"


class ReplyToken(Model):
    """The right of one holder to answer one ticket by mail, if the sender proves to be them.

    Held by a user (owner or operator) or by a contact. Only the SHA-256 of the token is kept.
    """

    id: Mapped[str] = primary_key("rpt")
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id"), index=True)
    holder_id: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    contact_id: Mapped[str | None] = mapped_column(ForeignKey("contact.id"))
    purpose: Mapped[TokenPurpose] = mapped_column(Chosen(TokenPurpose))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)


class AddressHealth(Model):
    """How well an address takes mail; ``disabled_at`` once it proved not to exist."""

    email_key: Mapped[str] = mapped_column(String(254), primary_key=True)
    score: Mapped[int] = mapped_column(default=0)
    scored_at: Mapped[datetime] = mapped_column(Moment)
    reason: Mapped[str] = mapped_column(String(300), default="")
    disabled_at: Mapped[datetime | None] = mapped_column(Moment)
