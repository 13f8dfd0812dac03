"""The funnel of a bot: from candles to fills over a period, and what its components said."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select

from app.domain.decisions import counts, reading
from app.domain.decisions.counts import Said
from app.domain.decisions.keep import KEPT
from app.domain.decisions.reading import Period, Wanted
from app.extensions import db
from app.models import Bot, DecisionBlock, OrderRow, Run
from runner.metrics.funnel import Funnel
from runner.protocol import Mode
from runner.strategy import TIMEFRAMES

TODAY, VERSION = "today", "version"
PERIODS = {
    TODAY: "Today, UTC",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    VERSION: "Since this version began",
}
_DAYS = {"7d": 7, "30d": 30, "90d": 90}
_ENTRY = "entry"


@dataclass(frozen=True)
class Summary:
    """``counts``: the funnel by name (``runner.metrics.funnel``), fills included."""

    counts: dict[str, Any]
    said: Counter[Said]


def since(choice: str, now: datetime) -> datetime:
    """When a period begins; nothing older than what is kept is ever told."""
    if choice == TODAY:
        return now.replace(hour=0, minute=0, second=0, microsecond=0)
    return now - timedelta(days=_DAYS.get(choice, KEPT.days))


def runs(bot: Bot, mode: Mode, choice: str) -> tuple[str, ...]:
    """The runs of a bot in one mode; of its present version alone where that is the period."""
    query = select(Run.id).where(Run.bot_id == bot.id, Run.mode == mode)
    if choice == VERSION:
        query = query.where(Run.strategy_version_id == bot.strategy_version_id)
    return tuple(db.session.scalars(query))


def modes(bot: Bot) -> list[Mode]:
    """Those it has run in, and its present one."""
    found = set(db.session.scalars(select(Run.mode).where(Run.bot_id == bot.id).distinct()))
    return [mode for mode in Mode if mode in found | {bot.mode}]


def symbols(bot: Bot) -> list[str]:
    """All it has decided about, and those it trades now."""
    query = select(DecisionBlock.symbol).where(DecisionBlock.bot_id == bot.id).distinct()
    return sorted({*bot.symbols, *db.session.scalars(query)})


def asked(bot: Bot, mode: Mode, choice: str, now: datetime, symbol: str = "") -> Wanted:
    """All decisions of a bot in one mode over a period."""
    period = Period(since(choice, now))
    return Wanted(bot.id, runs(bot, mode, choice), symbol, period)


def summary(bot: Bot, wanted: Wanted) -> Summary:
    """Count what is wanted, whatever steps, blockers or verdicts were asked for."""
    funnel, said = Funnel(), Counter[Said]()
    columns = (DecisionBlock.number, DecisionBlock.first_at, DecisionBlock.last_at)
    period = wanted.period
    query = reading.blocks_query(wanted).with_only_columns(*columns, DecisionBlock.counts)
    for number, first, last, words in db.session.execute(query).all():
        if words and period.holds(first) and period.holds(last):
            found = counts.read(words)
        else:
            block = db.session.get_one(DecisionBlock, number)
            found = counts.of(reading.rows_of(block, period))
        counts.add(funnel, found.outcomes)
        said += found.said
    return Summary({**funnel.plain(), "filled": filled(bot, wanted)}, said)


def filled(bot: Bot, wanted: Wanted) -> int:
    """Entries of which the venue filled at least a part. An entry is decided as its candle ends."""
    span = timedelta(seconds=TIMEFRAMES[bot.version.rules["timeframe"]])
    query = select(func.count()).where(
        OrderRow.bot_id == bot.id,
        OrderRow.run_id.in_(wanted.runs or ()),
        OrderRow.purpose == _ENTRY,
        OrderRow.fill_seconds.is_not(None),
    )
    if wanted.symbol:
        query = query.where(OrderRow.symbol == wanted.symbol)
    if wanted.period.since is not None:
        query = query.where(OrderRow.decided_at >= wanted.period.since + span)
    return db.session.scalar(query) or 0
