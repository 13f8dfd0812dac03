"""Strategies and their immutable versions."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.extensions import Model
from app.models.base import Document, Moment, Owned, Tenant, belongs_to, primary_key


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
    tags: Mapped[list["StrategyTag"]] = relationship(viewonly=True, order_by="StrategyTag.name")

    @property
    def latest(self) -> "StrategyVersion":
        """The newest version."""
        return self.versions[0]

    @property
    def tag_names(self) -> list[str]:
        """Its tags, by name."""
        return [tag.name for tag in self.tags]


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


class StrategyTag(Owned, Model):
    """A word that people of the workspace put on a strategy, to find it again."""

    __table_args__ = (
        belongs_to("strategy", "strategy_id"),
        Index("ix_strategy_tag_name", "workspace_id", "name"),
    )

    strategy_id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(30), primary_key=True)


def label_of(strategy: str, number: int) -> str:
    """A version's label, for whoever asked for these two columns alone."""
    return f"{strategy} v{number}"
