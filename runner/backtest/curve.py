"""Equity over time, from what the account looked like after each fill and the candles' closes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass

from runner.backtest.account import Mark
from runner.backtest.lane import moment
from runner.history.columns import Columns
from runner.metrics import Point

MOST_POINTS = 1500


@dataclass(frozen=True)
class Stretch:
    """Equity at the end of a stretch of candles, and its lowest at any close within."""

    at: int
    equity: float
    low: float


class _Symbol:
    """What one symbol adds to the wallet, at any close."""

    def __init__(self, columns: Columns, marks: Sequence[Mark], span: int) -> None:
        self.times, self.span = columns.times, span
        self.closes, self.scale = columns.closes, 10.0**columns.price_scale
        self.moments = [mark.at.timestamp() for mark in marks]
        self.lots = [(float(mark.quantity), float(mark.cost)) for mark in marks]

    def worth(self, at: int) -> float:
        """Open profit at the last close no later than ``at``; a fill at ``at`` comes after it."""
        number = bisect_left(self.moments, at) - 1
        if number < 0 or not self.lots[number][0]:
            return 0.0
        quantity, cost = self.lots[number]
        place = bisect_right(self.times, at - self.span) - 1
        return quantity * (self.closes[max(place, 0)] / self.scale) - cost

    def least(self, since: int, until: int) -> float:
        """The lowest open profit at any close in ``(since, until]``, while the lot was the same."""
        number = bisect_right(self.moments, since) - 1
        quantity, cost = self.lots[number] if number >= 0 else (0.0, 0.0)
        first = bisect_right(self.times, since - self.span)
        last = bisect_right(self.times, until - self.span)
        if not quantity or first >= last:
            return self.worth(until)
        part = self.closes[first:last]
        return quantity * ((min(part) if quantity > 0 else max(part)) / self.scale) - cost


def stretches(
    columns: dict[str, Columns],
    marks: Sequence[Mark],
    start: float,
    period: tuple[int, int],
    span: int,
) -> list[Stretch]:
    """Equity from the first candle to the last, in at most ``MOST_POINTS`` stretches.

    With several symbols the low of a stretch adds the lows of each, though they may have come at
    different moments: it is never too high.
    """
    symbols = {
        name: _Symbol(found, [m for m in marks if m.symbol == name], span)
        for name, found in columns.items()
    }
    since, until = period
    count = max((until - since) // span, 1)
    width = -(-count // MOST_POINTS) * span
    moments = [mark.at.timestamp() for mark in marks]
    balances = [float(mark.balance) for mark in marks]
    found = list[Stretch]()
    for first in range(since, until, width):
        last = min(first + width, until)
        low, edge = float("inf"), first
        inner = moments[bisect_right(moments, first) : bisect_left(moments, last)]
        for end in [*(int(at) for at in inner), last]:
            wallet = _at(moments, balances, edge, start)
            low = min(low, wallet + sum(one.least(edge, end) for one in symbols.values()))
            edge = end
        equity = _before(moments, balances, last, start)
        equity += sum(one.worth(last) for one in symbols.values())
        found.append(Stretch(last, equity, min(low, equity)))
    return found


def fewer(found: Sequence[Stretch], most: int = MOST_POINTS) -> list[Stretch]:
    """Neighbouring stretches as one, each with its lowest, until so many are left."""
    width = -(-len(found) // most) if found else 1
    parts = (found[first : first + width] for first in range(0, len(found), width))
    return [Stretch(it[-1].at, it[-1].equity, min(one.low for one in it)) for it in parts]


def points(found: Sequence[Stretch], start: float, since: int) -> list[Point]:
    """The same for statistics: of each stretch its low, then its end."""
    told = [Point(moment(since), start)]
    for one in found:
        # The last second of a stretch belongs to it; midnight itself is the next day's.
        told.append(Point(moment(one.at - 1), one.low))
        told.append(Point(moment(one.at - 1), one.equity))
    return told


def _at(moments: Sequence[float], balances: Sequence[float], at: float, start: float) -> float:
    """The wallet after the last change no later than ``at``."""
    number = bisect_right(moments, at) - 1
    return balances[number] if number >= 0 else start


def _before(moments: Sequence[float], balances: Sequence[float], at: float, start: float) -> float:
    """The wallet after the last change before ``at``."""
    number = bisect_left(moments, at) - 1
    return balances[number] if number >= 0 else start
