"""Requests that need a second person."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, Tenant, belongs_to, primary_key
from app.models.bot import Bot
from app.models.user import User


class ApprovalKind(StrEnum):
    """What a second person is asked for."""

    GO_LIVE = "go_live"
    RAISE_BOT_LIMITS = "raise_bot_limits"
    RAISE_CEILINGS = "raise_ceilings"
    END_TWO_PERSON = "end_two_person"


class ApprovalState(StrEnum):
    """Pending until one of the others, for good. Void: what it was about has changed since."""

    PENDING = "pending"
    APPROVED = "approved"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    VOID = "void"


class Approval(Tenant, Model):
    """One request. ``digest`` binds it to exactly what was shown; ``wanted`` is what will be done.

    ``changes`` is the diff as both people read it.
    """

    __table_args__ = (belongs_to("bot", "bot_id"),)

    id: Mapped[str] = primary_key("apr")
    kind: Mapped[ApprovalKind] = mapped_column(Chosen(ApprovalKind))
    bot_id: Mapped[str | None] = mapped_column(String(40), index=True)
    state: Mapped[ApprovalState] = mapped_column(
        Chosen(ApprovalState), default=ApprovalState.PENDING
    )
    digest: Mapped[str] = mapped_column(String(64))
    wanted: Mapped[dict[str, Any]] = mapped_column(Document)
    changes: Mapped[list[dict[str, Any]]] = mapped_column(Document)
    reason: Mapped[str] = mapped_column(String(300), default="")
    requested_by: Mapped[str] = mapped_column(ForeignKey("user.id"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime] = mapped_column(Moment)
    decided_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    answer: Mapped[str] = mapped_column(String(300), default="")

    bot: Mapped[Bot | None] = relationship(overlaps="workspace")
    requester: Mapped[User] = relationship(foreign_keys=[requested_by])
    decider: Mapped[User | None] = relationship(foreign_keys=[decided_by])
