"""Candles of a run as a chart needs them: few enough to be kept with the result."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

from runner.history.columns import Columns

MOST = 6_000
"""Candles of all symbols; where there are more, neighbours become one."""
Row = list[float]


def drawn(columns: dict[str, Columns], period: tuple[int, int], span: int) -> dict[str, Any]:
    """By symbol the seconds of a drawn candle, and rows of time, open, high, low, close."""
    most = MOST // max(len(columns), 1)
    return {name: _merged(found.between(*period), span, most) for name, found in columns.items()}


def _merged(columns: Columns, span: int, most: int) -> dict[str, Any]:
    """As they lie in time: a gap stays one."""
    if not len(columns):
        return {"span": span, "rows": []}
    length = columns.times[-1] - columns.times[0] + span
    wide = span * -(-length // (span * most))
    rows, place = list[Row](), 0
    times, (opens, highs, lows, closes, _) = columns.times, map(list, columns.floats())
    while place < len(times):
        first = times[place] // wide * wide
        end = bisect_left(times, first + wide, place)
        high, low = max(highs[place:end]), min(lows[place:end])
        rows.append([first, opens[place], high, low, closes[end - 1]])
        place = end
    return {"span": wide, "rows": rows}
