"""What stands behind an open position, from what its runner told; old words are said to be old."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import select

from app.domain.overview import Holding
from app.extensions import db
from app.models import Bot, PositionRow, ProtectionRow
from runner.protocol import PositionState, ProtectionState

STALE_AFTER = timedelta(seconds=60)
"""A runner tells every few seconds while it holds something; after this it has fallen silent."""


class Kind(StrEnum):
    """How far a stop can be counted on."""

    SEEN = "seen"
    STALE = "stale"
    MISSING = "missing"
    NONE = "none"
    UNTOLD = "untold"


@dataclass(frozen=True, slots=True)
class Stop:
    """One position's protection in what a page needs to say; ``at``: when it was seen or told."""

    symbol: str
    kind: Kind
    price: Decimal | None = None
    quantity: Decimal | None = None
    at: datetime | None = None
    why: str = ""


def of(bot: Bot, positions: Iterable[Holding | PositionRow], now: datetime) -> list[Stop]:
    """For each open position, in their order."""
    held = list(positions)
    if not held:
        return []
    query = select(ProtectionRow).where(ProtectionRow.bot_id == bot.id)
    rows = {row.symbol: row for row in db.session.scalars(query)}
    return [read(rows.get(position.symbol), position, now) for position in held]


def read(row: ProtectionRow | None, position: Holding | PositionRow, now: datetime) -> Stop:
    """What the newest word means for this position now."""
    symbol = position.symbol
    if row is None or row.why == PositionState.FLAT.value:
        return Stop(symbol, Kind.UNTOLD)
    silent = now - row.reported_at > STALE_AFTER
    if row.state is ProtectionState.VERIFIED:
        if (row.quantity or Decimal(0)) < abs(position.quantity):
            return Stop(symbol, Kind.MISSING, at=row.reported_at, why="it covers less than is held")
        seen = row.verified_at or row.reported_at
        kind = Kind.STALE if now - seen > STALE_AFTER else Kind.SEEN
        return Stop(symbol, kind, row.price, row.quantity, seen)
    kind = Kind.MISSING if row.state is ProtectionState.MISSING else Kind.NONE
    return Stop(symbol, kind, row.price, at=row.reported_at if silent else None, why=row.why)
