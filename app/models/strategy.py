"""Strategies and their immutable versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.base import Document, Moment, Tenant, belongs_to, primary_key


class Strategy(Tenant, Model):
    """A named, versioned configuration; what is traded, when to enter, when to leave.

    ``copied_from`` tells where it came from, in words of that time: another workspace's rows are
    nothing to point at.
    """

    __table_args__ = (UniqueConstraint("workspace_id", "id"),)

    id: Mapped[str] = primary_key("str")
    name: Mapped[str] = mapped_column(String(80))
    summary: Mapped[str] = mapped_column(String(300), default="")
    template: Mapped[str | None] = mapped_column(String(40))
    copied_from: Mapped[dict[str, Any] | None] = mapped_column(Document)
    archived_at: Mapped[datetime | None] = mapped_column(Moment)
    created_at: Mapped[datetime] = mapped_column(Moment)

    versions: Mapped[list["StrategyVersion"]] = relationship(
        back_populates="strategy", order_by="StrategyVersion.number.desc()"
    )

    @property
    def latest(self) -> "StrategyVersion":
        """The newest version."""
        return self.versions[0]


class StrategyVersion(Tenant, Model):
    """One immutable set of rules. A bot pins one."""

    __table_args__ = (
        UniqueConstraint("workspace_id", "id"),
        UniqueConstraint("strategy_id", "number"),
        belongs_to("strategy", "strategy_id"),
    )

    id: Mapped[str] = primary_key("stv")
    strategy_id: Mapped[str] = mapped_column(String(40), index=True)
    number: Mapped[int]
    rules: Mapped[dict[str, Any]] = mapped_column(Document)
    note: Mapped[str] = mapped_column(String(300), default="")
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Moment)

    strategy: Mapped[Strategy] = relationship(back_populates="versions", overlaps="versions")

    @property
    def label(self) -> str:
        """Name and number, as users read it."""
        return label_of(self.strategy.name, self.number)


def label_of(strategy: str, number: int) -> str:
    """A version's label, for whoever asked for these two columns alone."""
    return f"{strategy} v{number}"
