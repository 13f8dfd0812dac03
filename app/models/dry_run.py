"""Dry runs: a code strategy's source on recent candles, before it may become a version."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.backtest import BacktestState, LongRun
from app.models.base import Document, Moment, Tenant, belongs_to, primary_key
from app.models.strategy import Strategy


class DryRun(LongRun, Tenant, Model):
    """One source as it was typed; it never changes. ``digest`` is its SHA-256.

    ``strategy_id`` and ``base``: the strategy it is to be the next version of, and the version it
    was made from; without one it is to be a strategy of its own, called ``name``. ``told`` is what
    the run showed.
    """

    __table_args__ = (
        UniqueConstraint("workspace_id", "id"),
        belongs_to("strategy", "strategy_id"),
        Index("ix_dry_run_state", "state", "heard_at"),
        Index("ix_dry_run_digest", "workspace_id", "digest"),
    )

    id: Mapped[str] = primary_key("dry")
    strategy_id: Mapped[str | None] = mapped_column(String(40), index=True)
    base: Mapped[int] = mapped_column(default=0)
    name: Mapped[str] = mapped_column(String(80))
    summary: Mapped[str] = mapped_column(String(300), default="")
    source: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(String(64))
    asked: Mapped[dict[str, Any]] = mapped_column(Document)
    told: Mapped[dict[str, Any] | None] = mapped_column(Document)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Moment)

    strategy: Mapped[Strategy | None] = relationship()

    @property
    def passed(self) -> bool:
        """Whether this very source may become a version."""
        return self.state is BacktestState.DONE
