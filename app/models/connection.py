"""Connections: a workspace's credentials at an exchange, sealed."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, LargeBinary, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import Model
from app.models.base import Chosen, Document, Moment, Tenant, primary_key


class Environment(StrEnum):
    """Where a key is valid. Paper needs none."""

    TESTNET = "testnet"
    LIVE = "live"


class Connection(Tenant, Model):
    """A key at an exchange. ``sealed`` can be opened by the gate alone; nothing here shows it.

    An inactive one is not handed to runners; a rotated one had its key replaced since.
    ``account_digest`` is of the key, ``venue_account`` of the account as the venue named it: two
    keys of one account differ in the first alone.
    """

    __table_args__ = (UniqueConstraint("workspace_id", "id"),)

    id: Mapped[str] = primary_key("con")
    exchange: Mapped[str] = mapped_column(String(24))
    environment: Mapped[Environment] = mapped_column(Chosen(Environment))
    label: Mapped[str] = mapped_column(String(60))
    key_hint: Mapped[str] = mapped_column(String(8))
    account_digest: Mapped[str] = mapped_column(String(64), index=True)
    venue_account: Mapped[str | None] = mapped_column(String(64), index=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    checked_at: Mapped[datetime | None] = mapped_column(Moment)
    findings: Mapped[dict[str, Any]] = mapped_column(Document, default=dict)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("user.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(Moment)
    inactive_at: Mapped[datetime | None] = mapped_column(Moment)
    rotated_at: Mapped[datetime | None] = mapped_column(Moment)
    deleted_at: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def seal_context(self) -> str:
        """What the seal is bound to: a copy of it in another row cannot be opened."""
        return f"{self.workspace_id}|{self.id}"
