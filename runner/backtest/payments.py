"""When funding is paid in a replay, and what components know of it.

What the venue settled is paid at the close of the candle it falls into. Components read the rate
that was settled last: the one that is paid next was not known then, and no decision may know it.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from decimal import Decimal
from math import nan

from runner.backtest.request import Model
from runner.history.funding import DAY, Settled

NEVER = 2**62


@dataclass(frozen=True)
class Payments:
    """Of one symbol: what was settled, or a rate that was declared."""

    settled: Settled | None
    rate: Decimal
    every: int

    @classmethod
    def of(cls, model: Model, settled: Settled | None) -> Payments:
        """By the request: a declared rate stands in the place of what the venue settled."""
        if model.funding_rate is None:
            return cls(settled, Decimal(0), 0)
        return cls(None, model.funding_rate, model.funding_hours * 3600)

    def next_after(self, at: int) -> int:
        """The next time of a payment, seconds since the epoch."""
        if self.settled is not None:
            found = self.settled.next_after(at)
            return NEVER if found is None else found
        return (at // self.every + 1) * self.every if self.rate else NEVER

    def due(self, after: int, until: int) -> list[tuple[int, Decimal]]:
        """Times and rates of the payments in ``(after, until]``."""
        if self.settled is not None:
            return self.settled.due(after, until)
        if not self.rate:
            return []
        first = (after // self.every + 1) * self.every
        return [(at, self.rate) for at in range(first, until + 1, self.every)]

    def known(self, times: array[int], span: int) -> list[float]:
        """What components read at the close of each candle; NaN where nothing is known."""
        if self.settled is None:
            return [float(self.rate) if self.rate else nan] * len(times)
        told, kept = [nan] * len(times), self.settled
        for place, at in enumerate(kept.times):
            # From the candle that closes as it is settled, until the next one or for a day.
            ends = kept.times[place + 1] if place + 1 < len(kept) else NEVER
            first = bisect_left(times, at - span)
            last = bisect_left(times, min(ends, at + DAY + 1) - span)
            told[first:last] = [float(kept.rate(place))] * (last - first)
        return told
