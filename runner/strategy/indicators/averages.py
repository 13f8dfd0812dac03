"""Moving averages."""

from __future__ import annotations


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
