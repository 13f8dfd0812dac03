"""What a bot concluded, candle by candle, as it is compared with a backtest.

The one place of readiness that knows how decisions are stored.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from sqlalchemy import select

from app.extensions import db
from app.models import DecisionRow


class Conclusion(NamedTuple):
    """One candle. ``values``: of the components in their order; empty where it was not fit.

    ``fired``: of the exits; ``None`` where no position was held.
    """

    symbol: str
    candle_at: datetime
    close: Decimal
    action: str
    values: list[int | None]
    fired: list[int] | None


def newest(run_ids: Sequence[str], symbol: str, limit: int) -> list[Conclusion]:
    """The newest conclusions of these runs on one symbol, oldest first, each candle once."""
    query = (
        select(
            DecisionRow.symbol,
            DecisionRow.candle_at,
            DecisionRow.close,
            DecisionRow.action,
            DecisionRow.verdicts,
        )
        .where(DecisionRow.run_id.in_(run_ids), DecisionRow.symbol == symbol)
        .order_by(DecisionRow.candle_at.desc(), DecisionRow.number.desc())
        .limit(limit)
    )
    found: dict[datetime, Conclusion] = {}
    for name, at, close, action, verdicts in db.session.execute(query):
        values = [one["value"] for one in verdicts if one["role"] != "exit"]
        fired = [one["value"] for one in verdicts if one["role"] == "exit"]
        found.setdefault(at, Conclusion(name, at, close, action, values, fired or None))
    return list(found.values())[::-1]


def at(run_ids: Sequence[str], symbol: str, candle_at: datetime) -> DecisionRow | None:
    """The whole conclusion on one candle, with its words, for a page."""
    query = select(DecisionRow).where(
        DecisionRow.run_id.in_(run_ids),
        DecisionRow.symbol == symbol,
        DecisionRow.candle_at == candle_at,
    )
    return db.session.scalar(query.order_by(DecisionRow.number.desc()).limit(1))


def is_newer(run_ids: Sequence[str], after: datetime) -> bool:
    """Whether a candle later than ``after`` was judged."""
    query = select(DecisionRow.number).where(
        DecisionRow.run_id.in_(run_ids), DecisionRow.candle_at > after
    )
    return db.session.scalar(query.limit(1)) is not None
