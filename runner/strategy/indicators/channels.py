"""Bands that prices stay within, until they leave them."""

from __future__ import annotations

from collections import deque


class Donchian:
    """Highest high and lowest low of the last n candles."""

    def __init__(self, period: int) -> None:
        self._highs: deque[float] = deque(maxlen=period)
        self._lows: deque[float] = deque(maxlen=period)
        self._period = period

    @property
    def channel(self) -> tuple[float, float] | None:
        """(upper, lower), or ``None`` before n candles were seen."""
        if len(self._highs) < self._period:
            return None
        return max(self._highs), min(self._lows)

    def update(self, high: float, low: float) -> None:
        self._highs.append(high)
        self._lows.append(low)
