"""Backtests: what was asked for, how far it is, what came of it."""

from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, Tenant, belongs_to, primary_key
from app.models.strategy import StrategyVersion


class BacktestState(StrEnum):
    """Where a backtest is; the last three are for good."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class BacktestKind(StrEnum):
    """What is run: the rules once, every combination of a grid, or a choice judged afterwards."""

    SINGLE = "single"
    SWEEP = "sweep"
    WALK_FORWARD = "walk_forward"


WAITING = (BacktestState.QUEUED, BacktestState.RUNNING)


class LongRun:
    """What a worker carries out for minutes in a process of its own.

    ``holder`` is the worker's hold: what another one says does not count. ``attempt`` counts how
    often a worker began; one that is lost the last of ``ATTEMPTS`` times fails with what ``LOST``
    says. ``fault`` names component, field and message. ``CANCEL_WINS``: once it is to end, nothing
    but its log is kept, also where its answer comes at that moment.
    """

    ATTEMPTS: ClassVar[int] = 2
    CANCEL_WINS: ClassVar[bool] = True
    LOST: ClassVar[str] = (
        "the worker was lost twice while it ran; run it again, over a shorter period if it has one"
    )

    state: Mapped[BacktestState] = mapped_column(Chosen(BacktestState))
    step: Mapped[str] = mapped_column(String(40), default="")
    percent: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=0)
    holder: Mapped[str] = mapped_column(String(40), default="")
    cancel_at: Mapped[datetime | None] = mapped_column(Moment)
    heard_at: Mapped[datetime] = mapped_column(Moment)
    started_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    log: Mapped[str] = mapped_column(Text, default="")
    fault: Mapped[dict[str, Any] | None] = mapped_column(Document)

    @property
    def over(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.state not in WAITING


class Backtest(LongRun, Tenant, Model):
    """One strategy version on history. What was asked for never changes.

    ``asked`` is the request without its rules, which the version pins; ``values`` in it are
    parameters set otherwise than the version has them, by path, and ``options`` are those of its
    kind. ``result`` holds the bytes
    the runner answered with, compressed, and ``digest`` is their SHA-256; ``figures`` repeats the
    few that lists show.
    """

    __table_args__ = (
        UniqueConstraint("workspace_id", "id"),
        belongs_to("strategy_version", "strategy_version_id"),
        Index("ix_backtest_newest", "workspace_id", "created_at"),
        Index("ix_backtest_state", "state", "heard_at"),
    )

    id: Mapped[str] = primary_key("bkt")
    strategy_version_id: Mapped[str] = mapped_column(String(40), index=True)
    kind: Mapped[BacktestKind] = mapped_column(Chosen(BacktestKind), default=BacktestKind.SINGLE)
    note: Mapped[str] = mapped_column(String(120), default="")
    asked: Mapped[dict[str, Any]] = mapped_column(Document)
    figures: Mapped[dict[str, Any] | None] = mapped_column(Document)
    digest: Mapped[str | None] = mapped_column(String(64))
    result: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Moment)

    version: Mapped[StrategyVersion] = relationship()
