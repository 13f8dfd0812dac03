"""Signals from outside: where a bot takes them in, and what became of each."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, Tenant, belongs_to, primary_key
from runner.protocol import SignalAction, SignalOutcome


class SignalState(StrEnum):
    """Where a signal is. ``LOST``: its machine was gone before it told what became of it."""

    REJECTED = "rejected"
    TESTED = "tested"
    WAITING = "waiting"
    DELIVERED = "delivered"
    DECIDED = "decided"
    EXPIRED = "expired"
    LOST = "lost"


class SignalHook(Tenant, Model):
    """The signal webhook of one bot. Without ``sealed`` it is revoked and takes nothing.

    ``sealed``: its secret, locked with the installation's key; ``hint`` its last four characters.
    ``sources``: addresses or networks that may send, all where empty. ``aliases``: what a sender
    calls a symbol, to the bot's. A message older than ``max_age`` seconds is rejected.
    """

    __tablename__ = "signal_hook"
    __table_args__ = (belongs_to("bot", "bot_id"),)

    bot_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    sealed: Mapped[bytes | None] = mapped_column(LargeBinary)
    hint: Mapped[str] = mapped_column(String(4), default="")
    max_age: Mapped[int] = mapped_column(default=60)
    sources: Mapped[list[str]] = mapped_column(Document, default=list)
    aliases: Mapped[dict[str, str]] = mapped_column(Document, default=dict)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    rotated_at: Mapped[datetime] = mapped_column(Moment)


class Signal(Tenant, Model):
    """One message to the webhook. ``reason``: why it was rejected, or what its bot said of it.

    ``key`` tells repeats: unique among what a bot's webhook ever took. ``said`` holds what the
    sender wrote, cut short and without the secret. ``times``: how often the same came, the last
    one at ``last_at``. ``machine_id``: the machine it was handed to, the only one ever.
    ``order_id``: our id of the order it led to.
    """

    __tablename__ = "signal"
    __table_args__ = (
        belongs_to("bot", "bot_id"),
        UniqueConstraint("bot_id", "key"),
        Index("ix_signal_newest", "bot_id", "received_at"),
        Index("ix_signal_state", "bot_id", "state"),
    )

    id: Mapped[str] = primary_key("sig")
    bot_id: Mapped[str] = mapped_column(String(40))
    state: Mapped[SignalState] = mapped_column(Chosen(SignalState))
    key: Mapped[str | None] = mapped_column(String(64))
    symbol: Mapped[str] = mapped_column(String(40), default="")
    action: Mapped[SignalAction | None] = mapped_column(Chosen(SignalAction))
    said: Mapped[dict[str, str]] = mapped_column(Document, default=dict)
    reason: Mapped[str] = mapped_column(String(300), default="")
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    received_at: Mapped[datetime] = mapped_column(Moment)
    expires_at: Mapped[datetime | None] = mapped_column(Moment)
    times: Mapped[int] = mapped_column(default=1)
    last_at: Mapped[datetime] = mapped_column(Moment)
    machine_id: Mapped[str | None] = mapped_column(String(40))
    delivered_at: Mapped[datetime | None] = mapped_column(Moment)
    decided_at: Mapped[datetime | None] = mapped_column(Moment)
    outcome: Mapped[SignalOutcome | None] = mapped_column(Chosen(SignalOutcome))
    verdicts: Mapped[list[dict[str, Any]]] = mapped_column(Document, default=list)
    order_id: Mapped[str] = mapped_column(String(60), default="")
