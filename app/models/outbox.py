"""The transactional outbox: effects that a transaction asks for, done after its commit."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Document, Moment
from app.models.telemetry import RowNumber


class OutboxMessage(Model):
    """One hint to be sent: which queue, which job, with which ids. Sent at least once."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index(
            "ix_outbox_unsent",
            "not_before",
            sqlite_where=text("sent_at IS NULL"),
            postgresql_where=text("sent_at IS NULL"),
        ),
    )

    number: Mapped[int] = mapped_column(RowNumber, primary_key=True)
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspace.id"))
    queue: Mapped[str] = mapped_column(String(24))
    job: Mapped[str] = mapped_column(String(60))
    arguments: Mapped[dict[str, Any]] = mapped_column(Document)
    not_before: Mapped[datetime] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
