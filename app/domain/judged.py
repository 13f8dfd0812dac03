"""What a bot concluded, candle by candle, as it is compared with a backtest.

The one place of readiness that knows how decisions are stored.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from app.domain.decisions import reading
from app.domain.decisions.judged import Judged
from app.domain.decisions.reading import Period, Wanted
from app.extensions import db
from app.models import Bot

_LEAST = timedelta(microseconds=1)


class Conclusion(NamedTuple):
    """One candle. ``values``: of the components in their order; empty where it was not fit.

    ``fired``: of the exits; ``None`` where no position was held.
    """

    symbol: str
    candle_at: datetime
    close: Decimal
    action: str
    values: list[int | None]
    fired: list[int | None] | None


def newest(bot: Bot, run_ids: Sequence[str], symbol: str, limit: int) -> list[Conclusion]:
    """The newest conclusions of these runs on one symbol, oldest first, each candle once."""
    found: dict[datetime, Conclusion] = {}
    for line in reading.newest(Wanted(bot.id, tuple(run_ids), symbol), limit):
        row = line.row
        values = [one.value for one in row.verdicts if one.role != "exit"]
        fired = [one.value for one in row.verdicts if one.role == "exit"]
        said = Conclusion(symbol, row.candle_at, row.close, row.action, values, fired or None)
        found.setdefault(row.candle_at, said)
    return list(found.values())[:limit][::-1]


def at(bot: Bot, run_ids: Sequence[str], symbol: str, candle_at: datetime) -> Judged | None:
    """The whole conclusion on one candle, with its words, for a page."""
    period = Period(candle_at, candle_at + _LEAST)
    found = reading.newest(Wanted(bot.id, tuple(run_ids), symbol, period), 1)
    return found[0].row if found else None


def is_newer(bot: Bot, run_ids: Sequence[str], after: datetime) -> bool:
    """Whether a candle later than ``after`` was judged."""
    wanted = Wanted(bot.id, tuple(run_ids), period=Period(after + _LEAST))
    return db.session.scalar(reading.blocks_query(wanted).limit(1)) is not None
