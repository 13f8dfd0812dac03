"""Rotation of the master keys: every kept credential is opened, and sealed for the first of them.

It runs in batches, each a transaction of its own, and needs no memory of where it was: what is
sealed for the newest key is left alone. So it may be killed, repeated and run twice at once.
"""

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, select

from app.domain import connections
from app.domain.audit import Actor
from app.extensions import db
from app.gateways.vault import Opener, Sealer, VaultError
from app.models import Connection

BATCH = 50


@dataclass(frozen=True)
class Unreadable:
    """A credential that none of the keys opens, and why."""

    connection_id: str
    why: str


@dataclass
class Batch:
    """What became of some connections; ``last`` is where to go on, ``None`` at the end."""

    last: str | None = None
    looked_at: int = 0
    resealed: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)


def total() -> int:
    """How many credentials are kept."""
    return db.session.scalar(select(func.count()).where(Connection.deleted_at.is_(None))) or 0


def reseal_batch(
    after: str, *, opener: Opener, sealer: Sealer, by: Actor, now: datetime, limit: int = BATCH
) -> Batch:
    """Take the next connections by id. One that does not open is named and left as it is."""
    batch = Batch()
    for connection in _next(after, limit):
        batch.last = connection.id
        batch.looked_at += 1
        try:
            batch.resealed += connections.reseal(
                connection, opener=opener, sealer=sealer, by=by, now=now
            )
        except VaultError as error:
            batch.unreadable.append(Unreadable(connection.id, str(error)))
    return batch


def unreadable(opener: Opener) -> list[Unreadable]:
    """Every kept credential that none of the keys opens. Changes nothing."""
    found, after = [], ""
    while rows := _next(after, BATCH):
        for row in rows:
            try:
                opener.open(row.sealed, row.seal_context)
            except VaultError as error:
                found.append(Unreadable(row.id, str(error)))
        after = rows[-1].id
    return found


def _next(after: str, limit: int) -> list[Connection]:
    query = select(Connection).where(Connection.id > after, Connection.deleted_at.is_(None))
    ordered = query.order_by(Connection.id).limit(limit)
    return list(db.session.scalars(ordered, execution_options={"populate_existing": True}))
