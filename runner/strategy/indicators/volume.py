"""What volume says about a move, by TA-Lib's definitions where it has one."""

from __future__ import annotations

from runner.strategy.indicators.averages import Ema
from runner.strategy.indicators.rolling import RollingSum


def _share_of_range(high: float, low: float, close: float) -> float:
    """Where the close lies in its candle: 1 at the high, -1 at the low, 0 without a range."""
    reach = high - low
    return ((close - low) - (high - close)) / reach if reach > 0 else 0.0


class Obv:
    """On-balance volume: volume added on rises and taken off on falls."""

    __slots__ = ("_previous", "_value")

    def __init__(self) -> None:
        self._previous: float | None = None
        self._value = 0.0

    def update(self, close: float, volume: float) -> float:
        previous, self._previous = self._previous, close
        if previous is None or close > previous:
            self._value += volume
        elif close < previous:
            self._value -= volume
        return self._value


class MoneyFlowIndex:
    """Money flow index, 0 to 100: the RSI of typical price times volume, over plain sums."""

    __slots__ = ("_down", "_previous", "_up")

    def __init__(self, period: int) -> None:
        self._up, self._down = RollingSum(period), RollingSum(period)
        self._previous: float | None = None

    def update(self, high: float, low: float, close: float, volume: float) -> float | None:
        typical = (high + low + close) / 3.0
        previous, self._previous = self._previous, typical
        if previous is None:
            return None
        flow = typical * volume
        up = self._up.update(flow if typical > previous else 0.0)
        down = self._down.update(flow if typical < previous else 0.0)
        if up is None or down is None:
            return None
        total = up + down
        # TA-Lib calls everything under one unit of money nothing; so it is here.
        return 100.0 * up / total if total >= 1.0 else 0.0


class ChaikinMoneyFlow:
    """Volume weighted place of the close in its candle over n candles, -1 to 1."""

    __slots__ = ("_flow", "_volume")

    def __init__(self, period: int) -> None:
        self._flow, self._volume = RollingSum(period), RollingSum(period)

    def update(self, high: float, low: float, close: float, volume: float) -> float | None:
        flow = self._flow.update(_share_of_range(high, low, close) * volume)
        total = self._volume.update(volume)
        if flow is None or total is None:
            return None
        return flow / total if total > 0 else 0.0


class ChaikinOscillator:
    """Fast less slow EMA of the accumulation line; both begin at its first value (TA-Lib)."""

    __slots__ = ("_fast", "_line", "_share", "_slow", "_wait")

    def __init__(self, fast: int, slow: int) -> None:
        self._share = (2.0 / (fast + 1), 2.0 / (slow + 1))
        self._wait = slow
        self._line = 0.0
        self._fast: float | None = None
        self._slow = 0.0

    def update(self, high: float, low: float, close: float, volume: float) -> float | None:
        self._line = line = self._line + _share_of_range(high, low, close) * volume
        if self._fast is None:
            self._fast = self._slow = line
        else:
            self._fast += self._share[0] * (line - self._fast)
            self._slow += self._share[1] * (line - self._slow)
        if self._wait > 1:
            self._wait -= 1
            return None
        return self._fast - self._slow


class ForceIndex:
    """EMA of change times volume."""

    __slots__ = ("_mean", "_previous")

    def __init__(self, period: int) -> None:
        self._mean = Ema(period)
        self._previous: float | None = None

    def update(self, close: float, volume: float) -> float | None:
        previous, self._previous = self._previous, close
        return None if previous is None else self._mean.update((close - previous) * volume)


class RollingVwap:
    """Volume weighted average of the typical price of the last n candles."""

    __slots__ = ("_money", "_volume", "value")

    def __init__(self, period: int) -> None:
        self._money, self._volume = RollingSum(period), RollingSum(period)
        self.value: float | None = None

    def update(self, high: float, low: float, close: float, volume: float) -> float | None:
        """Without any volume in the window the typical price itself."""
        typical = (high + low + close) / 3.0
        money, total = self._money.update(typical * volume), self._volume.update(volume)
        if money is None or total is None:
            return None
        self.value = money / total if total > 0 else typical
        return self.value
