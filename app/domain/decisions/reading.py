"""Decisions of a bot for reading: the newest, those that were asked for, one, all of a period."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Select, and_, or_, select

from app.domain.decisions import counts
from app.domain.decisions.block import Damaged, unpacked
from app.domain.decisions.counts import Counts
from app.domain.decisions.judged import Judged
from app.extensions import db
from app.models import DecisionBlock

log = logging.getLogger(__name__)

_BATCH, _MOST = 4, 64


@dataclass(frozen=True)
class Period:
    """Candles that opened within ``[since, until)``; no end on a side that is ``None``."""

    since: datetime | None = None
    until: datetime | None = None

    def holds(self, moment: datetime) -> bool:
        """Whether it is within."""
        late_enough = self.since is None or moment >= self.since
        return late_enough and (self.until is None or moment < self.until)


ALWAYS = Period()


@dataclass(frozen=True)
class Wanted:
    """Which decisions of a bot. ``runs``: all of them where ``None``; empty texts ask for nothing.

    ``step``: one of ``counts.STEPS``. ``said``: component, role and value.
    """

    bot_id: str
    runs: tuple[str, ...] | None = None
    symbol: str = ""
    period: Period = ALWAYS
    step: str = ""
    blocker: str = ""
    said: counts.Said | None = None

    @property
    def whole(self) -> bool:
        """Whether each candle of the period is wanted."""
        return not (self.step or self.blocker or self.said)


@dataclass(frozen=True)
class Line:
    """One decision with where it belongs."""

    run_id: str
    symbol: str
    row: Judged

    @property
    def day(self) -> str:
        """The day its candle opened, UTC."""
        return f"{self.row.candle_at:%Y-%m-%d}"

    @property
    def key(self) -> str:
        """Unlike that of any other line."""
        at, signal, enters = self.row.key
        asked = f"_{signal}_{int(enters)}" if signal else ""
        return f"{self.run_id}_{self.symbol}_{at:%Y%m%d%H%M%S%f}{asked}"


def newest(wanted: Wanted, limit: int) -> list[Line]:
    """The latest that are wanted, the newest first, and whoever shares the last one's candle."""
    found: list[Line] = []
    for block in blocks(wanted):
        if len(found) >= limit and block.last_at < found[limit - 1].row.candle_at:
            break
        found += _lines(block, wanted)
        found.sort(key=_order, reverse=True)
    if len(found) <= limit:
        return found
    last = found[limit - 1].row.candle_at
    return [line for line in found if line.row.candle_at >= last]


def every(wanted: Wanted) -> Iterator[Line]:
    """All that are wanted, block by block, the newest block first."""
    for block in blocks(wanted):
        yield from reversed(_lines(block, wanted))


def _order(line: Line) -> tuple[datetime, str, str, bool]:
    at, signal, enters = line.row.key
    return at, line.symbol, signal, enters


def at(run_id: str, symbol: str, moment: datetime) -> Line | None:
    """The decision on the last candle that opened no later than a moment."""
    found = all_at(run_id, symbol, moment)
    return next((line for line in found if not line.row.signal), None)


def all_at(run_id: str, symbol: str, moment: datetime) -> list[Line]:
    """The same with what was decided on signals from outside after that candle."""
    block = block_at(run_id, symbol, moment)
    rows = rows_of(block, ALWAYS) if block is not None else []
    newest = max((row.candle_at for row in rows if row.candle_at <= moment), default=None)
    return [Line(run_id, symbol, row) for row in rows if row.candle_at == newest]


def block_at(run_id: str, symbol: str, moment: datetime) -> DecisionBlock | None:
    """The block a candle belongs to: the newest that begins no later."""
    query = select(DecisionBlock).where(
        DecisionBlock.run_id == run_id,
        DecisionBlock.symbol == symbol,
        DecisionBlock.first_at <= moment,
    )
    return db.session.scalar(query.order_by(DecisionBlock.first_at.desc()).limit(1))


def counts_of(block: DecisionBlock) -> Counts:
    """What stands in a block; those from before decisions had codes are read for it."""
    return counts.read(block.counts) if block.counts else counts.of(rows_of(block, ALWAYS))


def rows_of(block: DecisionBlock, period: Period) -> list[Judged]:
    """Its decisions within a period, oldest first; none where it is damaged."""
    try:
        rows = unpacked(block.body)
    except Damaged:
        log.exception("block %s of the decisions of %s", block.number, block.bot_id)
        return []
    return [row for row in rows if period.holds(row.candle_at)]


def blocks(wanted: Wanted) -> Iterator[DecisionBlock]:
    """Those that may hold what is wanted, by their last candle, the newest first."""
    query, size = blocks_query(wanted), _BATCH
    while True:
        batch = list(db.session.scalars(query.limit(size)))
        yield from (block for block in batch if _may_hold(block, wanted))
        if len(batch) < size:
            return
        end, size = batch[-1], min(2 * size, _MOST)
        before = and_(DecisionBlock.last_at == end.last_at, DecisionBlock.number < end.number)
        query = blocks_query(wanted).where(or_(DecisionBlock.last_at < end.last_at, before))


def blocks_query(wanted: Wanted) -> Select[DecisionBlock]:
    """Those of bot, runs and symbol that touch the period, by their last candle, newest first."""
    query = select(DecisionBlock).where(DecisionBlock.bot_id == wanted.bot_id)
    if wanted.runs is not None:
        query = query.where(DecisionBlock.run_id.in_(wanted.runs))
    if wanted.symbol:
        query = query.where(DecisionBlock.symbol == wanted.symbol)
    if wanted.period.since is not None:
        query = query.where(DecisionBlock.last_at >= wanted.period.since)
    if wanted.period.until is not None:
        query = query.where(DecisionBlock.first_at < wanted.period.until)
    return query.order_by(DecisionBlock.last_at.desc(), DecisionBlock.number.desc())


def _may_hold(block: DecisionBlock, wanted: Wanted) -> bool:
    if wanted.whole:
        return True
    found = counts_of(block)
    if wanted.said is not None and not found.said[wanted.said]:
        return False
    return any(_is_asked_for(outcome, wanted) for outcome in found.outcomes)


def _is_asked_for(outcome: counts.Outcome, wanted: Wanted) -> bool:
    fits = not wanted.step or counts.fits(outcome, wanted.step)
    return fits and (not wanted.blocker or outcome[2] == wanted.blocker)


def _lines(block: DecisionBlock, wanted: Wanted) -> list[Line]:
    rows = rows_of(block, wanted.period)
    if not wanted.whole:
        rows = [
            row
            for row in rows
            if _is_asked_for(counts.outcome_of(row), wanted)
            and (wanted.said is None or wanted.said in _said(row))
        ]
    return [Line(block.run_id, block.symbol, row) for row in rows]


def _said(row: Judged) -> list[counts.Said]:
    return [(it.component, it.role, it.value) for it in row.verdicts]
