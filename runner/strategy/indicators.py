"""Incremental indicators in plain floats, by TA-Lib's definitions (ta_EMA, ta_RSI, ta_ATR)."""

from __future__ import annotations

from collections import deque


class Ema:
    """Exponential moving average, smoothing 2 / (n + 1), seeded with the mean of the first n."""

    def __init__(self, period: int) -> None:
        self.period = period
        self.value: float | None = None
        self._alpha = 2.0 / (period + 1)
        self._sum = 0.0
        self._count = 0

    def update(self, price: float) -> float | None:
        if self.value is not None:
            self.value += self._alpha * (price - self.value)
            return self.value
        self._sum += price
        self._count += 1
        if self._count == self.period:
            self.value = self._sum / self.period
        return self.value


class WilderMean:
    """Wilder's smoothing: the mean of the first n, then (previous · (n - 1) + x) / n."""

    def __init__(self, period: int) -> None:
        self.period = period
        self.value: float | None = None
        self._sum = 0.0
        self._count = 0

    def update(self, x: float) -> float | None:
        if self.value is not None:
            self.value = (self.value * (self.period - 1) + x) / self.period
            return self.value
        self._sum += x
        self._count += 1
        if self._count == self.period:
            self.value = self._sum / self.period
        return self.value


class Rsi:
    """Relative strength index, 0 to 100; 0 when nothing moved, as TA-Lib has it."""

    def __init__(self, period: int) -> None:
        self.value: float | None = None
        self._gain = WilderMean(period)
        self._loss = WilderMean(period)
        self._previous: float | None = None

    def update(self, price: float) -> float | None:
        previous, self._previous = self._previous, price
        if previous is None:
            return None
        change = price - previous
        gain = self._gain.update(max(change, 0.0))
        loss = self._loss.update(max(-change, 0.0))
        if gain is None or loss is None:
            return None
        total = gain + loss
        self.value = 100.0 * gain / total if total > 0 else 0.0
        return self.value


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
