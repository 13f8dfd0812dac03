"""Help across the line between desk and workspace: contacts, bundles, access by consent."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, Tenant, belongs_to, primary_key
from app.models.ticket import TicketCategory

LEFT_DOMAIN = "left.invalid"
"""Where no mailbox is: the addresses of those who deleted their account."""


class Contact(Model):
    """Somebody without an account whose address was shown to be theirs."""

    id: Mapped[str] = primary_key("con")
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    verified_at: Mapped[datetime] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)

    @property
    def left(self) -> bool:
        """Whether they have deleted the account they had later: nothing reaches them any more."""
        return self.email_key.endswith(f"@{LEFT_DOMAIN}")


class ContactRequest(Model):
    """What somebody wrote at the contact door; a ticket once they followed the mailed link."""

    id: Mapped[str] = primary_key("crq")
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(254), index=True)
    name: Mapped[str] = mapped_column(String(80))
    subject: Mapped[str] = mapped_column(String(160))
    category: Mapped[TicketCategory] = mapped_column(Chosen(TicketCategory))
    body: Mapped[str] = mapped_column(Text)
    ip: Mapped[str] = mapped_column(String(45))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    confirmed_at: Mapped[datetime | None] = mapped_column(Moment)


class DiagnosticBundle(Tenant, Model):
    """What a bot's owner let the desk see of it, exactly as they previewed it."""

    __table_args__ = (belongs_to("ticket", "ticket_id"),)

    id: Mapped[str] = primary_key("dgn")
    ticket_id: Mapped[str] = mapped_column(String(40), index=True)
    bot_id: Mapped[str] = mapped_column(String(40))
    body: Mapped[dict[str, Any]] = mapped_column(Document)
    sha256: Mapped[str] = mapped_column(String(64))
    consented_by: Mapped[str] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)


class SupportAccess(Tenant, Model):
    """An operator asks to look into a workspace, read-only, for at most an hour.

    Nothing is open until ``granted_at``, and nothing after ``expires_at`` or ``ended_at``.
    """

    __table_args__ = (belongs_to("ticket", "ticket_id"),)

    id: Mapped[str] = primary_key("sac")
    ticket_id: Mapped[str] = mapped_column(String(40), index=True)
    operator_id: Mapped[str] = mapped_column(ForeignKey("user.id"), index=True)
    reason: Mapped[str] = mapped_column(String(300))
    minutes: Mapped[int]
    asked_at: Mapped[datetime] = mapped_column(Moment)
    answered_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    granted_at: Mapped[datetime | None] = mapped_column(Moment)
    refused_at: Mapped[datetime | None] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))


class Deflection(Model):
    """A hint shown before a ticket was sent, and whether it made the ticket needless."""

    id: Mapped[str] = primary_key("dfl")
    hint: Mapped[str] = mapped_column(String(40))
    helped: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(Moment, index=True)
