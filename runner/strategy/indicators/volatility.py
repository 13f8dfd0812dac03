"""How far prices move."""

from __future__ import annotations

from runner.strategy.indicators.averages import WilderMean


class Atr:
    """Average true range in price units; the first candle only supplies the previous close."""

    def __init__(self, period: int) -> None:
        self._mean = WilderMean(period)
        self._close: float | None = None

    @property
    def value(self) -> float | None:
        return self._mean.value

    def update(self, high: float, low: float, close: float) -> float | None:
        previous, self._close = self._close, close
        if previous is None:
            return None
        return self._mean.update(max(high - low, abs(high - previous), abs(low - previous)))
