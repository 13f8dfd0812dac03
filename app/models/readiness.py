"""Before real money: checks of what a bot did against a backtest, and what people were shown."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.backtest import LongRun
from app.models.base import Chosen, Document, Moment, Tenant, belongs_to, primary_key
from app.models.strategy import StrategyVersion
from runner.protocol import Mode


class ReadinessCheck(LongRun, Tenant, Model):
    """What a bot concluded and earned, beside a backtest on the very candles it saw.

    ``mode``, version and ``symbols`` are those of the runs it looked at; ``since`` and ``until``
    the candles it judged there. ``parity`` and ``drift`` say what came of it
    (``app/domain/parity.py``, ``app/domain/drift.py``); ``pinned`` is what made it so: engine and
    candles, each as a SHA-256.
    """

    __table_args__ = (
        UniqueConstraint("workspace_id", "id"),
        belongs_to("bot", "bot_id"),
        belongs_to("strategy_version", "strategy_version_id"),
        Index("ix_readiness_check_newest", "bot_id", "created_at"),
        Index("ix_readiness_check_state", "state", "heard_at"),
    )

    id: Mapped[str] = primary_key("rdy")
    bot_id: Mapped[str] = mapped_column(String(40))
    strategy_version_id: Mapped[str] = mapped_column(String(40), index=True)
    symbols: Mapped[list[str]] = mapped_column(Document)
    mode: Mapped[Mode] = mapped_column(Chosen(Mode))
    since: Mapped[datetime | None] = mapped_column(Moment)
    until: Mapped[datetime | None] = mapped_column(Moment)
    parity: Mapped[dict[str, Any] | None] = mapped_column(Document)
    drift: Mapped[dict[str, Any] | None] = mapped_column(Document)
    pinned: Mapped[dict[str, Any] | None] = mapped_column(Document)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Moment)

    version: Mapped[StrategyVersion] = relationship()


class GuideProgress(Model):
    """How far a person was led through one of the guides; their own, in every workspace.

    ``opened_at``, ``closed_at``: when they said that they saw a position open, and closed.
    ``hidden_at``: when they put the guide away.
    """

    user_id: Mapped[str] = mapped_column(
        ForeignKey("user.id", ondelete="CASCADE"), primary_key=True
    )
    guide: Mapped[str] = mapped_column(String(24), primary_key=True)
    opened_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)
    hidden_at: Mapped[datetime | None] = mapped_column(Moment)
