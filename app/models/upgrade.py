"""A rolling upgrade: every machine gets a successor with the newest runner, a few at a time."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Chosen, Moment, primary_key
from app.models.compute import Renewal

_OPEN = text("ended_at IS NULL")


class UpgradeState(StrEnum):
    """Where an upgrade stands. The last two are its ends."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    CANCELLED = "cancelled"


class FleetUpgrade(Model):
    """One upgrade to one version of the runner. ``why``: what it waits for, or why it ended.

    ``total``: how many machines were of another version as it began.
    """

    __table_args__ = (
        Index(
            "uq_fleet_upgrade_open",
            "version",
            unique=True,
            sqlite_where=_OPEN,
            postgresql_where=_OPEN,
        ),
    )

    id: Mapped[str] = primary_key("upg")
    version: Mapped[str] = mapped_column(String(20))
    policy: Mapped[Renewal] = mapped_column(Chosen(Renewal))
    at_once: Mapped[int]
    total: Mapped[int] = mapped_column(default=0)
    state: Mapped[UpgradeState] = mapped_column(Chosen(UpgradeState), default=UpgradeState.RUNNING)
    why: Mapped[str] = mapped_column(String(400), default="")
    started_by: Mapped[str | None] = mapped_column(ForeignKey("user.id"))
    started_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)


class StepEnd(StrEnum):
    """How the part of an upgrade that concerned one machine ended."""

    RENEWED = "renewed"
    ASLEEP = "asleep"
    PUT_BACK = "put_back"
    CALLED_OFF = "called_off"


class UpgradeStep(Model):
    """One machine's part of an upgrade, begun and perhaps over.

    ``generation`` is the one that is to go. ``PUT_BACK``: it took a position meanwhile, and its
    turn comes again.
    """

    __table_args__ = (
        Index("ix_upgrade_step_upgrade_id_ended_at", "upgrade_id", "ended_at"),
        Index("ix_upgrade_step_bot_id", "bot_id"),
    )

    id: Mapped[str] = primary_key("ups")
    upgrade_id: Mapped[str] = mapped_column(ForeignKey("fleet_upgrade.id"))
    bot_id: Mapped[str] = mapped_column(String(40))
    generation: Mapped[int]
    asked_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
    outcome: Mapped[StepEnd | None] = mapped_column(Chosen(StepEnd))
