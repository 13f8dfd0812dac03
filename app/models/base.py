"""What all rows share: column types, random public ids, the tenant's key."""

import base64
import secrets
from datetime import UTC, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    JSON,
    DateTime,
    Dialect,
    ForeignKeyConstraint,
    Numeric,
    String,
    TypeDecorator,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from app.extensions import db

Document = JSON().with_variant(JSONB(), "postgresql")


class Moment(TypeDecorator[datetime]):
    """A point in time, always UTC, always aware. Refuses naive values: a guess is a bug."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"naive time {value!r}: give it a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, _dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Amount(TypeDecorator[Decimal]):
    """An exact decimal: text on SQLite, which has none, unconstrained ``NUMERIC`` on PostgreSQL."""

    impl = Numeric
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        kind = String(60) if dialect.name == "sqlite" else Numeric()
        return dialect.type_descriptor(kind)

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if not value.is_finite():
            raise ValueError("an amount must be finite")
        return format(value, "f") if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, _dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Chosen(TypeDecorator[StrEnum]):
    """An enum stored as its value in plain text, so that adding a member needs no migration."""

    impl = String(24)
    cache_ok = True

    def __init__(self, kind: type[StrEnum]) -> None:
        super().__init__()
        self.kind = kind

    def process_bind_param(self, value: StrEnum | None, _dialect: Dialect) -> str | None:
        return None if value is None else self.kind(value).value

    def process_result_value(self, value: str | None, _dialect: Dialect) -> StrEnum | None:
        return None if value is None else self.kind(value)


def new_id(prefix: str) -> str:
    """A random 128-bit public id, e.g. ``bot_`` and 26 letters and digits in lower case."""
    text = base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=").lower()
    return f"{prefix}_{text}"


def primary_key(prefix: str) -> Mapped[str]:
    """The random public id of a row as its primary key."""
    return mapped_column(String(40), primary_key=True, default=lambda: new_id(prefix))


def belongs_to(table: str, column: str, **options: Any) -> ForeignKeyConstraint:
    """A foreign key that carries the workspace, so that no row can point into another one."""
    return ForeignKeyConstraint(
        ["workspace_id", column], [f"{table}.workspace_id", f"{table}.id"], **options
    )


class Keyed:
    """A row that names its workspace."""

    workspace_id: Mapped[str] = mapped_column(
        String(40), db.ForeignKey("workspace.id", ondelete="RESTRICT"), index=True
    )


class Owned:
    """A row of one workspace: while another one is open it does not exist (``app.tenancy``)."""

    workspace_id: Mapped[str] = mapped_column(String(40))


class Tenant(Keyed, Owned):
    """A row that a workspace owns."""
