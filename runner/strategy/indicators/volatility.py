"""How much the price moves: true range, bands, historical volatility, choppiness."""

from __future__ import annotations

from math import exp, log, log10, sqrt

from runner.strategy.indicators.averages import Ema, WilderMean
from runner.strategy.indicators.rolling import STILL, Highest, Lowest, RollingSum, Spread


class TrueRange:
    """A candle's reach including the gap before it; the first only supplies its close."""

    __slots__ = ("_close",)

    def __init__(self) -> None:
        self._close: float | None = None

    def update(self, high: float, low: float, close: float) -> float | None:
        previous, self._close = self._close, close
        if previous is None:
            return None
        if previous > high:
            return previous - low
        if previous < low:
            return high - previous
        return high - low


class Atr:
    """Average true range in price units; the first candle only supplies the previous close."""

    __slots__ = ("_close", "_mean")

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
        if previous > high:
            return self._mean.update(previous - low)
        if previous < low:
            return self._mean.update(high - previous)
        return self._mean.update(high - low)


class Bollinger:
    """Simple mean with a band of so many population standard deviations (TA-Lib's BBANDS)."""

    __slots__ = ("_spread", "_width", "lower", "middle", "upper")

    def __init__(self, period: int, width: float) -> None:
        self._spread = Spread(period)
        self._width = width
        self.lower = self.middle = self.upper = 0.0

    def update(self, price: float) -> float | None:
        """Half the height of the band."""
        deviation = self._spread.update(price)
        if deviation is None:
            return None
        half = self._width * deviation
        self.middle = middle = self._spread.mean
        self.lower, self.upper = middle - half, middle + half
        return half


class Keltner:
    """EMA with a band of so many average true ranges."""

    __slots__ = ("_atr", "_mean", "_width", "lower", "middle", "upper")

    def __init__(self, period: int, atr: int, width: float) -> None:
        self._mean = Ema(period)
        self._atr = Atr(atr)
        self._width = width
        self.lower = self.middle = self.upper = 0.0

    def update(self, high: float, low: float, close: float) -> float | None:
        """Half the height of the band."""
        middle, atr = self._mean.update(close), self._atr.update(high, low, close)
        if middle is None or atr is None:
            return None
        half = self._width * atr
        self.middle = middle
        self.lower, self.upper = middle - half, middle + half
        return half


class HistoricalVolatility:
    """Standard deviation of the last n candles' log returns, in percent per candle."""

    __slots__ = ("_previous", "_spread")

    def __init__(self, period: int) -> None:
        self._spread = Spread(period)
        self._previous: float | None = None

    def update(self, close: float) -> float | None:
        previous, self._previous = self._previous, close
        if previous is None:
            return None
        deviation = self._spread.update(log(close / previous))
        if deviation is None:
            return None
        return 100.0 * deviation if deviation > STILL else 0.0


class Choppiness:
    """Choppiness index: 100 where candles go nowhere, low where they add up to one move."""

    __slots__ = ("_high", "_low", "_range", "_scale", "_sum")

    def __init__(self, period: int) -> None:
        self._range = TrueRange()
        self._sum = RollingSum(period)
        self._high, self._low = Highest(period), Lowest(period)
        self._scale = 100.0 / log10(period)

    def update(self, high: float, low: float, close: float) -> float | None:
        reach = self._range.update(high, low, close)
        top, bottom = self._high.update(high), self._low.update(low)
        total = None if reach is None else self._sum.update(reach)
        if total is None or top is None or bottom is None:
            return None
        if top <= bottom or total <= 0:
            return 100.0
        return max(0.0, self._scale * log10(total / (top - bottom)))


class HighLowSpread:
    """Corwin and Schultz's estimate of the bid-ask spread from highs and lows, in percent.

    The mean of the last n pairs of candles; a negative pair counts as none, as they propose.
    """

    __slots__ = ("_before", "_period", "_sum")
    _K = 3.0 - 2.0 * sqrt(2.0)

    def __init__(self, period: int) -> None:
        self._sum = RollingSum(period)
        self._period = period
        self._before: tuple[float, float] | None = None

    def update(self, high: float, low: float) -> float | None:
        before, self._before = self._before, (high, low)
        if before is None:
            return None
        beta = log(high / low) ** 2 + log(before[0] / before[1]) ** 2
        gamma = log(max(high, before[0]) / min(low, before[1])) ** 2
        alpha = (sqrt(2.0 * beta) - sqrt(beta)) / self._K - sqrt(gamma / self._K)
        spread = 2.0 * (exp(alpha) - 1.0) / (1.0 + exp(alpha))
        total = self._sum.update(max(0.0, spread))
        return None if total is None else 100.0 * total / self._period
