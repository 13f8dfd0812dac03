"""Previews: what rules that nobody saved yet would have done lately; a cache of one day."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, Tenant, primary_key


class PreviewState(StrEnum):
    """Where a preview is; one that is not wanted any more is no row."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Preview(Tenant, Model):
    """One set of rules on one symbol and one stretch of candles.

    ``asked`` is the request as the runner reads it, rules included, and ``digest`` its SHA-256: who
    asks for the same gets the same row. ``answer`` is what the runner said, compressed. ``holder``
    is the worker's hold. ``fault`` names component, field and message.
    """

    __table_args__ = (
        UniqueConstraint("workspace_id", "digest"),
        Index("ix_preview_newest", "workspace_id", "asked_at"),
        Index("ix_preview_old", "asked_at"),
    )

    id: Mapped[str] = primary_key("pvw")
    digest: Mapped[str] = mapped_column(String(64))
    asked: Mapped[dict[str, Any]] = mapped_column(Document)
    state: Mapped[PreviewState] = mapped_column(Chosen(PreviewState))
    step: Mapped[str] = mapped_column(String(40), default="")
    holder: Mapped[str] = mapped_column(String(40), default="")
    heard_at: Mapped[datetime] = mapped_column(Moment)
    asked_at: Mapped[datetime] = mapped_column(Moment)
    asked_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    fault: Mapped[dict[str, Any] | None] = mapped_column(Document)
    answer: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)

    @property
    def over(self) -> bool:
        """Whether a worker is through with it."""
        return self.state in {PreviewState.DONE, PreviewState.FAILED}
