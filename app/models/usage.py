"""Usage: when a machine or an address existed. The statement is computed from these rows."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Chosen, Moment, Tenant, belongs_to, primary_key


class Resource(StrEnum):
    """What is metered."""

    MACHINE = "machine"
    ADDRESS = "address"


class UsageInterval(Tenant, Model):
    """One stretch of one resource of one bot, half-open; open-ended while it exists."""

    __table_args__ = (
        belongs_to("bot", "bot_id"),
        Index(
            "uq_usage_interval_open",
            "bot_id",
            "resource",
            unique=True,
            sqlite_where=text("ended_at IS NULL"),
            postgresql_where=text("ended_at IS NULL"),
        ),
    )

    id: Mapped[str] = primary_key("use")
    bot_id: Mapped[str] = mapped_column(String(40), index=True)
    resource: Mapped[Resource] = mapped_column(Chosen(Resource))
    generation: Mapped[int | None]
    region: Mapped[str] = mapped_column(String(40))
    started_at: Mapped[datetime] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)
