"""The clock that leases, fences and proofs go by: the database's, which all processes share."""

from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select

from app.extensions import db
from app.models.base import Moment


def database_now(now: datetime) -> datetime:
    """The moment by the database's clock; read it after waiting for a lock.

    SQLite lives on one host and has no clock but the host's, which ``now`` was read from.
    """
    if not has_clock():
        return now
    found: datetime = db.session.scalars(select(moment(now))).one()
    return found


def moment(now: datetime) -> Any:
    """The same as an SQL expression, true at the moment a row is looked at."""
    return func.clock_timestamp(type_=Moment) if has_clock() else literal(now, Moment)


def has_clock() -> bool:
    """Whether the database has a clock of its own."""
    return db.session.get_bind().dialect.name == "postgresql"
