"""Putting decisions away as they are told, each once, and dropping them after 90 days."""

from bisect import bisect_left
from collections.abc import Sequence
from datetime import datetime, timedelta
from operator import attrgetter

from sqlalchemy import delete, select

from app.domain.decisions import counts, reading
from app.domain.decisions.block import packed
from app.domain.decisions.judged import Judged
from app.domain.decisions.older import understood
from app.domain.sources import Source
from app.extensions import change, db
from app.models import DecisionBlock
from runner import protocol
from runner.metrics.funnel import Reason, plain

KEPT = timedelta(days=90)
MOST, SPAN = 120, timedelta(days=30)
"""Candles in a block, and how long it may last, so that slow time frames are dropped in time."""
AT_ONCE = 200
_REASON, _DETAIL, _NAME, _VERDICTS = 600, 300, 60, 200
_KEY = attrgetter("key")


def take(source: Source, data: protocol.Decision) -> bool:
    """Keep a decision; whether it was new. Nobody else writes for this bot meanwhile.

    What was decided on one candle, by its close and on signals after it, stands in one block.
    """
    row = judged(data)
    block = _near(source.run_id, data.symbol, row.candle_at)
    rows = reading.rows_of(block, reading.ALWAYS) if block is not None else []
    place = bisect_left(rows, row.key, key=_KEY)
    if place < len(rows) and rows[place].key == row.key:
        return False
    if block is not None and not rows and block.first_at == row.candle_at:
        return False  # It is damaged; what comes after it can still be kept.
    if block is None or not rows or (place in {0, len(rows)} and _is_full(rows, row)):
        _begin(source, data.symbol, [row])
        return True
    rows.insert(place, row)
    cut = _cut(rows) if len(rows) > 2 * MOST else 0
    if cut:
        _begin(source, data.symbol, rows[cut:])
        del rows[cut:]
    _write(block, rows)
    return True


def forget_some(now: datetime) -> bool:
    """Drop some blocks of which every candle is older than is kept; whether there may be more."""
    old = select(DecisionBlock.number).where(DecisionBlock.last_at < now - KEPT)
    some = old.order_by(DecisionBlock.last_at).limit(AT_ONCE)
    return change(delete(DecisionBlock).where(DecisionBlock.number.in_(some))) == AT_ONCE


def judged(data: protocol.Decision) -> Judged:
    """A decision as it is kept: of one length, and without what no text may hold."""
    verdicts = tuple(
        protocol.Verdict(
            _clean(it.component, _NAME),
            _clean(it.role, _NAME),
            it.value,
            _clean(it.detail, _DETAIL),
        )
        for it in data.verdicts[:_VERDICTS]
    )
    row = Judged(
        candle_at=data.candle.opened_at,
        close=data.candle.close,
        action=_clean(data.action, 16),
        reason=_clean(data.reason, _REASON),
        verdicts=verdicts,
        code=data.code or 0,
        direction=max(-1, min(data.direction, 1)),
        blocker=data.blocker if 0 <= data.blocker < len(verdicts) else -1,
        blocked=plain(_clean(data.blocked, _DETAIL)),
        signal=_clean(data.signal, _NAME),
    )
    return row if row.code in _CODES else understood(row)


_CODES = frozenset(map(int, Reason))


def _clean(text: str, most: int) -> str:
    return "".join(max(letter, " ") for letter in text[:most])


def _near(run_id: str, symbol: str, moment: datetime) -> DecisionBlock | None:
    """The block a candle belongs to; before all blocks that is the first one."""
    block = reading.block_at(run_id, symbol, moment)
    if block is not None:
        return block
    query = select(DecisionBlock).where(
        DecisionBlock.run_id == run_id, DecisionBlock.symbol == symbol
    )
    return db.session.scalar(query.order_by(DecisionBlock.first_at).limit(1))


def _is_full(rows: Sequence[Judged], row: Judged) -> bool:
    """Whether a candle at one end of a block is too many for it, or too far away."""
    if row.candle_at in (rows[0].candle_at, rows[-1].candle_at):
        return False
    first, last = min(rows[0].candle_at, row.candle_at), max(rows[-1].candle_at, row.candle_at)
    return len(rows) >= MOST or last - first > SPAN


def _cut(rows: Sequence[Judged]) -> int:
    """Where too long a block is parted: between two candles; 0 where all are of one."""
    places = range(MOST, len(rows))
    return next((n for n in places if rows[n].candle_at != rows[n - 1].candle_at), 0)


def _begin(source: Source, symbol: str, rows: Sequence[Judged]) -> None:
    block = DecisionBlock(**source.keys, symbol=symbol)
    db.session.add(block)
    _write(block, rows)


def _write(block: DecisionBlock, rows: Sequence[Judged]) -> None:
    block.first_at, block.last_at = rows[0].candle_at, rows[-1].candle_at
    block.candles = len(rows)
    block.counts = counts.text(rows)
    block.body = packed(rows)
    db.session.flush()
