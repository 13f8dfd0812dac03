"""Bots, their runs and the orders given to them."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.base import Amount, Chosen, Document, Moment, Tenant, belongs_to, primary_key
from app.models.connection import Connection
from app.models.strategy import StrategyVersion
from app.models.workspace import Workspace
from runner.protocol import CommandKind, Mode, OnEnd


class Wish(StrEnum):
    """What people want of a bot: follow its schedule, rest until told otherwise, or be gone."""

    FOLLOW = "follow"
    REST = "rest"
    GONE = "gone"


class PauseRule(StrEnum):
    """What paused a bot: a person on its page, the kill switch, or a rule of the platform."""

    PERSON = "person"
    KILL = "kill switch"
    LIMIT = "risk limit"
    ACCOUNT = "account rule"
    CEILING = "ceiling"


class Bot(Tenant, Model):
    """A strategy version with symbols, limits, a schedule and a mode, on a machine of its own.

    ``keep_awake_until`` adds to the schedule, ``asleep_until`` takes from it; a person's wish of
    the day, over at that moment. Of both the later wish counts: setting one clears the other.
    ``grace_minutes``: entries without the platform, by the mode where ``None``.
    ``paused_at`` and what follows it tell of the pause that stands; ``paused_by`` is an id
    as the audit log has it, and refers to no row: nothing may keep a pause from being written.
    ``stop_reason``: why a rule stopped it; empty where a person did.
    ``approved_revision``: digest of what went live (``app/domain/revisions.py``).
    ``paper_reset_at``: no paper run from before goes on.
    """

    __table_args__ = (
        UniqueConstraint("workspace_id", "id"),
        belongs_to("strategy_version", "strategy_version_id"),
        belongs_to("connection", "testnet_connection_id"),
        belongs_to("connection", "live_connection_id"),
    )

    id: Mapped[str] = primary_key("bot")
    name: Mapped[str] = mapped_column(String(60))
    exchange: Mapped[str] = mapped_column(String(24))
    region: Mapped[str] = mapped_column(String(40))
    mode: Mapped[Mode] = mapped_column(Chosen(Mode))
    wish: Mapped[Wish] = mapped_column(Chosen(Wish))
    paused: Mapped[bool] = mapped_column(default=False)
    paused_at: Mapped[datetime | None] = mapped_column(Moment)
    paused_by: Mapped[str | None] = mapped_column(String(40))
    pause_rule: Mapped[PauseRule | None] = mapped_column(Chosen(PauseRule))
    pause_reason: Mapped[str] = mapped_column(String(300), default="")
    stop_reason: Mapped[str] = mapped_column(String(300), default="")
    symbols: Mapped[list[str]] = mapped_column(Document)
    strategy_version_id: Mapped[str] = mapped_column(String(40))
    testnet_connection_id: Mapped[str | None] = mapped_column(String(40))
    live_connection_id: Mapped[str | None] = mapped_column(String(40))
    disaster_stop_percent: Mapped[Decimal | None] = mapped_column(Amount)
    on_end: Mapped[OnEnd] = mapped_column(Chosen(OnEnd), default=OnEnd.PROTECTED)
    grace_minutes: Mapped[int | None]
    approved_revision: Mapped[str | None] = mapped_column(String(64))
    limits: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    schedule: Mapped[dict[str, Any]] = mapped_column(Document)
    keep_awake_until: Mapped[datetime | None] = mapped_column(Moment)
    asleep_until: Mapped[datetime | None] = mapped_column(Moment)
    starting_balance: Mapped[Decimal] = mapped_column(Amount)
    paper_reset_at: Mapped[datetime | None] = mapped_column(Moment)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)

    workspace: Mapped[Workspace] = relationship(
        overlaps="version,testnet_connection,live_connection"
    )
    version: Mapped[StrategyVersion] = relationship(
        overlaps="workspace,testnet_connection,live_connection"
    )
    testnet_connection: Mapped[Connection | None] = relationship(
        foreign_keys="[Bot.workspace_id, Bot.testnet_connection_id]",
        overlaps="workspace,version,live_connection",
    )
    live_connection: Mapped[Connection | None] = relationship(
        foreign_keys="[Bot.workspace_id, Bot.live_connection_id]",
        overlaps="workspace,version,testnet_connection",
    )

    @property
    def connection(self) -> Connection | None:
        """The key of its present mode; paper has none."""
        if self.mode is Mode.PAPER:
            return None
        return self.testnet_connection if self.mode is Mode.TESTNET else self.live_connection


class Run(Tenant, Model):
    """One stretch of one bot in one mode on one strategy version, with its own ledger.

    It keeps symbols and account too: a bot given others still manages what the run may hold.
    """

    __table_args__ = (
        UniqueConstraint("workspace_id", "id"),
        belongs_to("bot", "bot_id"),
        belongs_to("strategy_version", "strategy_version_id"),
        belongs_to("connection", "connection_id"),
    )

    id: Mapped[str] = primary_key("run")
    bot_id: Mapped[str] = mapped_column(String(40), index=True)
    mode: Mapped[Mode] = mapped_column(Chosen(Mode))
    strategy_version_id: Mapped[str] = mapped_column(String(40))
    symbols: Mapped[list[str]] = mapped_column(Document)
    connection_id: Mapped[str | None] = mapped_column(String(40))
    starting_balance: Mapped[Decimal] = mapped_column(Amount)
    started_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class BotCommand(Tenant, Model):
    """Something asked of the runner; sent with every answer until the runner reports it done."""

    __table_args__ = (belongs_to("bot", "bot_id"),)

    id: Mapped[str] = primary_key("cmd")
    bot_id: Mapped[str] = mapped_column(String(40), index=True)
    kind: Mapped[CommandKind] = mapped_column(Chosen(CommandKind))
    arguments: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    created_at: Mapped[datetime] = mapped_column(Moment)
    done_at: Mapped[datetime | None] = mapped_column(Moment)
    outcome: Mapped[str] = mapped_column(String(200), default="")
