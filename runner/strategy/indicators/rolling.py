"""Sums, spreads and extremes of the last n values, one value at a time."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from math import fsum, sqrt

STILL = 1e-12
"""Share of a price below which a difference is rounding, not movement."""


class RollingSum:
    """Sum of the last n values; added up anew once per n, so that rounding never piles up."""

    __slots__ = ("_at", "_full", "_period", "_sum", "_window")

    def __init__(self, period: int) -> None:
        self._period = period
        self._window = [0.0] * period
        self._at = 0
        self._sum = 0.0
        self._full = False

    def update(self, x: float) -> float | None:
        at = self._at
        self._sum += x - self._window[at]
        self._window[at] = x
        at += 1
        if at == self._period:
            self._at = 0
            self._full = True
            self._sum = fsum(self._window)
            return self._sum
        self._at = at
        return self._sum if self._full else None


class Spread:
    """Mean and population standard deviation of the last n values (TA-Lib's STDDEV).

    The squares are kept around the mean (Welford), not around zero: at a price of 60,000 nothing
    would be left of a deviation of a cent.
    """

    __slots__ = ("_at", "_full", "_most", "_period", "_squares", "_window", "deviation", "mean")

    def __init__(self, period: int) -> None:
        self._period = period
        self._window = [0.0] * period
        self._at = 0
        self._full = False
        self._squares = self._most = 0.0
        self.mean = 0.0
        self.deviation: float | None = None

    def update(self, x: float) -> float | None:
        at, window, period = self._at, self._window, self._period
        old, window[at] = window[at], x
        at += 1
        if at == period:
            at, self._full = 0, True
            self._anew()
        elif self._full:
            before = self.mean
            self.mean = mean = before + (x - old) / period
            self._squares += (x - old) * (x - mean + old - before)
            if self._squares > self._most:
                self._most = self._squares
            elif self._squares < self._most * 1e-7:
                self._anew()  # a jump left the window: what remains is mostly its rounding
        self._at = at
        if not self._full:
            return None
        deviation = sqrt(self._squares / period) if self._squares > 0 else 0.0
        self.deviation = deviation if deviation > STILL * abs(self.mean) else 0.0
        return self.deviation

    def _anew(self) -> None:
        self.mean = mean = fsum(self._window) / self._period
        self._squares = self._most = fsum([(y - mean) ** 2 for y in self._window])


class MeanDeviation:
    """Mean and mean absolute deviation of the last n values, from a sorted window."""

    __slots__ = ("_period", "_sorted", "_total", "_window", "mean")

    def __init__(self, period: int) -> None:
        self._period = period
        self._window: deque[float] = deque()
        self._sorted: list[float] = []
        self._total = RollingSum(period)
        self.mean = 0.0

    def update(self, x: float) -> float | None:
        ordered = self._sorted
        self._window.append(x)
        if len(self._window) > self._period:
            del ordered[bisect_left(ordered, self._window.popleft())]
        insort(ordered, x)
        total = self._total.update(x)
        if total is None:
            return None
        self.mean = mean = total / self._period
        below = bisect_left(ordered, mean)
        # What lies below the mean is missing exactly as much as what lies above has too much.
        deviation = 2.0 * (below * mean - fsum(ordered[:below])) / self._period
        return deviation if deviation > STILL * abs(mean) else 0.0


class Rank:
    """Share in percent of the last n values that lie below the newest."""

    __slots__ = ("_period", "_sorted", "_window")

    def __init__(self, period: int) -> None:
        self._period = period
        self._window: deque[float] = deque()
        self._sorted: list[float] = []

    def update(self, x: float) -> float | None:
        ordered = self._sorted
        self._window.append(x)
        if len(self._window) > self._period:
            del ordered[bisect_left(ordered, self._window.popleft())]
        below = bisect_left(ordered, x)
        ordered.insert(below, x)
        return 100.0 * below / self._period if len(ordered) == self._period else None


class Highest:
    """The highest of the last n values; of equals the latest counts."""

    __slots__ = ("_now", "_period", "_queue")

    def __init__(self, period: int) -> None:
        self._period = period
        self._queue: deque[tuple[int, float]] = deque()
        self._now = -1

    @property
    def age(self) -> int:
        """How many values ago it was seen."""
        return self._now - self._queue[0][0]

    def update(self, x: float) -> float | None:
        now = self._now = self._now + 1
        queue = self._queue
        while queue and queue[-1][1] <= x:
            queue.pop()
        queue.append((now, x))
        if queue[0][0] <= now - self._period:
            queue.popleft()
        return queue[0][1] if now >= self._period - 1 else None


class Lowest:
    """The lowest of the last n values; of equals the latest counts."""

    __slots__ = ("_now", "_period", "_queue")

    def __init__(self, period: int) -> None:
        self._period = period
        self._queue: deque[tuple[int, float]] = deque()
        self._now = -1

    @property
    def age(self) -> int:
        """How many values ago it was seen."""
        return self._now - self._queue[0][0]

    def update(self, x: float) -> float | None:
        now = self._now = self._now + 1
        queue = self._queue
        while queue and queue[-1][1] >= x:
            queue.pop()
        queue.append((now, x))
        if queue[0][0] <= now - self._period:
            queue.popleft()
        return queue[0][1] if now >= self._period - 1 else None


class Delay:
    """The value n steps ago."""

    __slots__ = ("_at", "_full", "_period", "_window")

    def __init__(self, period: int) -> None:
        self._period = period
        self._window = [0.0] * period
        self._at = 0
        self._full = False

    def update(self, x: float) -> float | None:
        at = self._at
        old = self._window[at] if self._full else None
        self._window[at] = x
        at += 1
        if at == self._period:
            at, self._full = 0, True
        self._at = at
        return old
