"""What only operators see. No row here carries a workspace: no tenant's query can reach it.

On PostgreSQL the row policies open these tables to the platform alone.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, primary_key
from app.models.ticket import Channel


class TicketNote(Model):
    """Something only operators may read. ``key``: the same delivery is one note, however often."""

    __table_args__ = (UniqueConstraint("ticket_id", "key"),)

    id: Mapped[str] = primary_key("nte")
    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id"), index=True)
    author_id: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    channel: Mapped[Channel] = mapped_column(Chosen(Channel), default=Channel.WEB)
    key: Mapped[str | None] = mapped_column(String(120))
    body: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    edited_at: Mapped[datetime | None] = mapped_column(Moment)

    files: Mapped[list["NoteFile"]] = relationship(order_by="NoteFile.id", viewonly=True)


class NoteMention(Model):
    """An operator whom a note calls by name."""

    note_id: Mapped[str] = mapped_column(ForeignKey("ticket_note.id"), primary_key=True)
    operator_id: Mapped[str] = mapped_column(ForeignKey("user.id"), primary_key=True)


class NoteFile(Model):
    """A file beside a note."""

    id: Mapped[str] = primary_key("nfl")
    note_id: Mapped[str] = mapped_column(ForeignKey("ticket_note.id"), index=True)
    name: Mapped[str] = mapped_column(String(120))
    declared_type: Mapped[str] = mapped_column(String(120))
    sniffed_type: Mapped[str] = mapped_column(String(120))
    size: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    storage_key: Mapped[str] = mapped_column(String(80), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)


class DeskEvent(Model):
    """One change that only operators see: assigned, tagged, noted, linked, answered twice."""

    id: Mapped[str] = primary_key("dev")
    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id"), index=True)
    action: Mapped[str] = mapped_column(String(40))
    actor_id: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    channel: Mapped[Channel] = mapped_column(Chosen(Channel))
    changes: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    created_at: Mapped[datetime] = mapped_column(Moment)


class TicketHandling(Model):
    """Who looks after a ticket."""

    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    assignee_id: Mapped[str | None] = mapped_column(ForeignKey("user.id"), index=True)


class ClockKind(StrEnum):
    """What the desk promises a time for."""

    FIRST_RESPONSE = "first_response"
    RESOLUTION = "resolution"


class TicketClock(Model):
    """One promise of the desk. ``spent`` are business seconds; it runs since ``running_since``."""

    __table_args__ = (Index("ix_ticket_clock_due", "due_at"),)

    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    kind: Mapped[ClockKind] = mapped_column(Chosen(ClockKind), primary_key=True)
    allowed: Mapped[int]
    spent: Mapped[int] = mapped_column(default=0)
    running_since: Mapped[datetime | None] = mapped_column(Moment)
    due_at: Mapped[datetime | None] = mapped_column(Moment)
    met_at: Mapped[datetime | None] = mapped_column(Moment)
    breached_at: Mapped[datetime | None] = mapped_column(Moment)


class DeskSetting(Model):
    """When the desk is open, by the wall clock of ``zone``, and what it promises; one row.

    ``targets``: open seconds by priority and kind of promise. ``closes`` 00:00 ends the day.
    """

    id: Mapped[str] = mapped_column(String(20), primary_key=True)
    zone: Mapped[str] = mapped_column(String(64))
    weekdays: Mapped[list[int]] = mapped_column(Document)
    opens: Mapped[str] = mapped_column(String(5))
    closes: Mapped[str] = mapped_column(String(5))
    holidays: Mapped[list[str]] = mapped_column(Document)
    targets: Mapped[dict[str, dict[str, int]]] = mapped_column(Document)
    updated_at: Mapped[datetime] = mapped_column(Moment)


class CannedReply(Model):
    """A text answered with often; ``{name}`` and such are filled from the ticket."""

    id: Mapped[str] = primary_key("can")
    title: Mapped[str] = mapped_column(String(80), unique=True)
    body: Mapped[str] = mapped_column(Text)
    archived_at: Mapped[datetime | None] = mapped_column(Moment)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)


class Tag(Model):
    """A word that operators sort tickets by."""

    id: Mapped[str] = primary_key("tag")
    name: Mapped[str] = mapped_column(String(40), unique=True)
    created_at: Mapped[datetime] = mapped_column(Moment)


class TicketTag(Model):
    """A tag on a ticket."""

    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    tag_id: Mapped[str] = mapped_column(ForeignKey("tag.id"), primary_key=True, index=True)


class TicketLink(Model):
    """Two tickets that operators see together, whoever owns them."""

    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    other_id: Mapped[str] = mapped_column(ForeignKey("ticket.id"), primary_key=True, index=True)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)


class PresenceMode(StrEnum):
    """What an operator does at a ticket."""

    LOOKING = "looking"
    TYPING = "typing"


class Presence(Model):
    """An operator at a ticket, worth half a minute from ``seen_at``."""

    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    operator_id: Mapped[str] = mapped_column(ForeignKey("user.id"), primary_key=True)
    mode: Mapped[PresenceMode] = mapped_column(Chosen(PresenceMode))
    seen_at: Mapped[datetime] = mapped_column(Moment)


class Draft(Model):
    """What an operator has typed and not sent."""

    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    operator_id: Mapped[str] = mapped_column(ForeignKey("user.id"), primary_key=True)
    body: Mapped[str] = mapped_column(Text)
    saved_at: Mapped[datetime] = mapped_column(Moment)


class TicketRating(Model):
    """One answer to "did this help?", asked for once when a ticket is over."""

    __table_args__ = (UniqueConstraint("token_hash"),)

    ticket_id: Mapped[str] = mapped_column(ForeignKey("ticket.id"), primary_key=True)
    token_hash: Mapped[str] = mapped_column(String(64))
    asked_at: Mapped[datetime] = mapped_column(Moment)
    good: Mapped[bool | None]
    rated_at: Mapped[datetime | None] = mapped_column(Moment)
