"""Oscillators of speed and strength."""

from __future__ import annotations

from runner.strategy.indicators.averages import WilderMean


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
