"""Candles of a period: what is kept is read, what is missing fetched, gaps mended or named."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from runner.errors import Operational
from runner.history.columns import Columns, joined, of_candles
from runner.history.files import Damaged, Files, Month, Series, Span, bounds, months
from runner.history.funding import Settled
from runner.protocol import Candle
from runner.strategy.spec import TIMEFRAMES

_MOST_AT_ONCE = 1000
_LATE = 3600
"""Seconds after which a venue that has not shown a candle will never show it."""
Tell = Callable[[str, int, int], None]
"""Told of progress: what is done, how much of it is, of how much."""


class Past(Protocol):
    """A venue's candles of long ago. Raises ``Temporary`` or ``Operational``."""

    async def past(self, symbol: str, timeframe: str, since: datetime, limit: int) -> list[Candle]:
        """Those of the ``limit`` spans from ``since`` on, oldest first; there may be gaps."""


@dataclass(frozen=True)
class History:
    """Candles of one period and the stretches in it that have none.

    ``funding``: what was settled meanwhile; ``None`` where nobody asked.
    """

    series: Series
    columns: Columns
    gaps: tuple[Span, ...]
    funding: Settled | None = field(default=None, kw_only=True)

    @property
    def digest(self) -> str:
        """What pins these candles: the series, every number, every gap."""
        named = f"{self.series.exchange} {self.series.symbol} {self.series.timeframe} {self.gaps}"
        return hashlib.sha256(f"{named} {self.columns.digest}".encode()).hexdigest()

    @property
    def missing(self) -> int:
        """How many candles the gaps would have held."""
        return sum(last - first for first, last in self.gaps) // TIMEFRAMES[self.series.timeframe]


@dataclass(frozen=True)
class Recorded(History):
    """Candles of a recording; its file pins more than they do."""

    sha256: str

    @property
    def digest(self) -> str:
        """What pins the recording."""
        return self.sha256


def load(files: Files, series: Series, since: int, until: int) -> History:
    """The candles that open in ``[since, until)``, from the files alone.

    Raises:
        Operational: the files do not hold all of the period.
    """
    parts, gaps = [], list[Span]()
    for month in months(since, until):
        content = _read(files, series, month)
        first, last = bounds(month)
        wanted = max(first, since), min(last, until)
        if content is None or not content.since <= wanted[0] < wanted[1] <= content.until:
            raise Operational(
                f"not all {series.timeframe} candles of {series.symbol} at {series.exchange} in "
                f"{month} were fetched; fetch them first"
            )
        parts.append(content.columns)
        gaps += [(max(a, since), min(b, until)) for a, b in content.gaps if a < until and b > since]
    return History(series, joined(parts).between(since, until), tuple(_merged(gaps)))


async def fetch(
    past: Past, files: Files, series: Series, period: Span, now: datetime, tell: Tell
) -> int:
    """Make the files hold a period, month by month; up to where they hold it then.

    Raises:
        Operational: the venue refuses, or has no such symbol.
        Temporary: it could not be reached; the months that were fetched are kept.
    """
    span, moment = TIMEFRAMES[series.timeframe], int(now.timestamp())
    since, until = period[0], min(period[1], moment // span * span)
    wanted, known = months(since, until), until
    for number, month in enumerate(wanted):
        tell(f"candles of {series.symbol} {month}", number, len(wanted))
        first, last = bounds(month)
        content = _read(files, series, month)
        for missing in _missing(content, (max(first, since), min(last, until))):
            fresh = await _mended(past, series, missing)
            known = _settled(fresh, missing, span, moment)
            content = _extended(content, fresh, (missing[0], known), span)
            files.write(series, month, content)
    tell(f"candles of {series.symbol}", len(wanted), len(wanted))
    return known


def _missing(content: Month | None, wanted: Span) -> list[Span]:
    """What has to be fetched so that a month holds one stretch without a hole."""
    if content is None:
        return [wanted]
    parts = [(wanted[0], content.since), (content.until, wanted[1])]
    return [(first, last) for first, last in parts if first < last]


def _extended(content: Month | None, fresh: dict[int, Candle], part: Span, span: int) -> Month:
    """A month with a part right before or after what it held."""
    columns, gaps = of_candles(fresh.values()), _gaps(fresh, part, span)
    if content is None:
        return Month(columns, *part, gaps)
    before = part[0] < content.since
    parts = (columns, content.columns) if before else (content.columns, columns)
    since, until = min(part[0], content.since), max(part[1], content.until)
    return Month(joined(parts), since, until, _merged([*content.gaps, *gaps]))


async def _mended(past: Past, series: Series, period: Span) -> dict[int, Candle]:
    """The candles of a period by their time, each gap asked for a second time."""
    span = TIMEFRAMES[series.timeframe]
    found = await _page(past, series, period)
    for gap in _gaps(found, period, span):
        found.update(await _page(past, series, gap))
    return dict(sorted(found.items()))


async def _page(past: Past, series: Series, period: Span) -> dict[int, Candle]:
    span = TIMEFRAMES[series.timeframe]
    found: dict[int, Candle] = {}
    for start in range(period[0], period[1], _MOST_AT_ONCE * span):
        count = min((period[1] - start) // span, _MOST_AT_ONCE)
        at = datetime.fromtimestamp(start, UTC)
        for candle in await past.past(series.symbol, series.timeframe, at, count):
            opened = int(candle.opened_at.timestamp())
            if start <= opened < start + count * span and not opened % span:
                found[opened] = candle
    return found


def _settled(found: dict[int, Candle], period: Span, span: int, now: int) -> int:
    """Up to where a period is known for good: what ends just now may still be shown late."""
    if now - period[1] > _LATE:
        return period[1]
    return max((at + span for at in found), default=period[0])


def _gaps(found: dict[int, Candle], period: Span, span: int) -> list[Span]:
    """The stretches of a period without candles."""
    gaps, expected = list[Span](), period[0]
    for at in [*sorted(t for t in found if t < period[1]), period[1]]:
        if at > expected:
            gaps.append((expected, at))
        expected = at + span
    return gaps


def _merged(gaps: list[Span]) -> list[Span]:
    """Neighbouring stretches as one."""
    merged = list[Span]()
    for first, last in sorted(gaps):
        if merged and first <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], last))
        else:
            merged.append((first, last))
    return merged


def _read(files: Files, series: Series, month: str) -> Month | None:
    """A month as it is kept; a damaged one is fetched anew."""
    try:
        return files.read(series, month)
    except Damaged:
        return None
