"""The market's own levels: channels, swings, and the day before."""

from __future__ import annotations

from collections import deque

from runner.strategy.indicators.rolling import Highest, Lowest

DAY = 86_400.0


class Donchian:
    """Highest high and lowest low of the last n candles."""

    __slots__ = ("_high", "_low", "channel")

    def __init__(self, period: int) -> None:
        self._high, self._low = Highest(period), Lowest(period)
        self.channel: tuple[float, float] | None = None
        """(upper, lower), or ``None`` before n candles were seen."""

    def update(self, high: float, low: float) -> None:
        top, bottom = self._high.update(high), self._low.update(low)
        if top is not None and bottom is not None:
            self.channel = (top, bottom)


class Swings:
    """The last two swing highs and lows: extremes of so many candles to either side.

    A swing is known only when the candles to its right have closed; nothing looks ahead.
    """

    __slots__ = ("_high", "_low", "_recent", "_width", "highs", "lows")

    def __init__(self, width: int) -> None:
        self._width = width
        self._high, self._low = Highest(2 * width + 1), Lowest(2 * width + 1)
        self._recent: deque[tuple[float, float]] = deque(maxlen=width + 1)
        self.highs: deque[float] = deque(maxlen=2)
        self.lows: deque[float] = deque(maxlen=2)

    def update(self, high: float, low: float) -> None:
        self._recent.append((high, low))
        top, bottom = self._high.update(high), self._low.update(low)
        if top is None or bottom is None:
            return
        if self._high.age == self._width:
            self.highs.append(self._recent[0][0])
        if self._low.age == self._width:
            self.lows.append(self._recent[0][1])


class DayBefore:
    """High, low and close of the last whole UTC day; ``known`` once one was seen from midnight."""

    __slots__ = ("_close", "_day", "_high", "_low", "_whole", "close", "high", "known", "low")

    def __init__(self) -> None:
        self._day: float | None = None
        self._high = self._low = self._close = 0.0
        self.high = self.low = self.close = 0.0
        self._whole = self.known = False

    def update(self, at: float, high: float, low: float, close: float) -> bool:
        """``at`` is when the candle opened; the answer says whether a day before is known."""
        day = at // DAY
        if day != self._day:
            if self._whole:
                self.high, self.low, self.close = self._high, self._low, self._close
                self.known = True
            self._whole = self._day is not None or at % DAY == 0
            self._day, self._high, self._low = day, high, low
        else:
            self._high, self._low = max(self._high, high), min(self._low, low)
        self._close = close
        return self.known
