"""The audit log: append-only events, chained by hash per workspace."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, primary_key


class AuditOutcome(StrEnum):
    """How an act ended."""

    SUCCESS = "success"
    DENIED = "denied"
    FAILED = "failed"


class AuditEvent(Model):
    """Who did what, when. Account events (sign-in, sign-out) carry no workspace.

    Actor and targets are copies, not keys: they still read well when the row they named is gone.
    """

    __table_args__ = (
        UniqueConstraint("chain", "seq"),
        Index("ix_audit_event_workspace", "workspace_id", "seq"),
    )

    id: Mapped[str] = primary_key("evt")
    workspace_id: Mapped[str | None] = mapped_column(ForeignKey("workspace.id"))
    chain: Mapped[str] = mapped_column(String(40))
    seq: Mapped[int]
    occurred_at: Mapped[datetime] = mapped_column(Moment, index=True)
    action: Mapped[str] = mapped_column(String(60))
    outcome: Mapped[AuditOutcome] = mapped_column(Chosen(AuditOutcome))
    actor_kind: Mapped[str] = mapped_column(String(16))
    actor_id: Mapped[str | None] = mapped_column(String(40), index=True)
    actor_label: Mapped[str] = mapped_column(String(254))
    target_id: Mapped[str | None] = mapped_column(String(40), index=True)
    target_label: Mapped[str] = mapped_column(String(254), default="")
    changes: Mapped[list[dict[str, Any]]] = mapped_column(Document, default=list)
    reason: Mapped[str] = mapped_column(String(300), default="")
    ip: Mapped[str | None] = mapped_column(String(45))
    request_id: Mapped[str | None] = mapped_column(String(40))
    on_behalf_of: Mapped[str] = mapped_column(String(254), default="")
    session_id: Mapped[str | None] = mapped_column(String(40), index=True)
    method: Mapped[str] = mapped_column(String(24), default="")
    user_agent: Mapped[str] = mapped_column(String(200), default="")
    source: Mapped[str] = mapped_column(String(16), default="")
    route: Mapped[str] = mapped_column(String(80), default="")
    correlation_id: Mapped[str | None] = mapped_column(String(40), index=True)
    schema: Mapped[int] = mapped_column(default=1)
    release: Mapped[str] = mapped_column(String(24), default="")
    recorded_at: Mapped[datetime | None] = mapped_column(Moment)
    salt: Mapped[str] = mapped_column(String(32))
    payload_hash: Mapped[str] = mapped_column(String(64))
    previous_hash: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class AuditCheckpoint(Model):
    """A signed statement of where one chain stood; also kept outside, by owners and in storage."""

    __table_args__ = (UniqueConstraint("chain", "seq"),)

    id: Mapped[str] = primary_key("chk")
    chain: Mapped[str] = mapped_column(String(40))
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
    made_at: Mapped[datetime] = mapped_column(Moment)
    signature: Mapped[str] = mapped_column(String(128))
    key_id: Mapped[str] = mapped_column(String(24))


class AuditHead(Model):
    """The end of one chain; its row is locked while an event is appended."""

    chain: Mapped[str] = mapped_column(String(40), primary_key=True)
    seq: Mapped[int]
    hash: Mapped[str] = mapped_column(String(64))
