"""Moving averages and lines, by TA-Lib's definitions where it has one."""

from __future__ import annotations

from math import ceil, fsum, isqrt, log

from runner.strategy.indicators.rolling import STILL, Delay, RollingSum

_SEED_LEFT = 0.005


def settled(alpha: float, seed: int) -> int:
    """Values until a recursive mean with smoothing ``alpha`` keeps < 0.5 % of its seed."""
    return seed + (ceil(log(_SEED_LEFT) / log(1 - alpha)) if alpha < 1 else 0)


def ema_settled(period: int) -> int:
    """Candles until an EMA no longer knows where it began."""
    return settled(2.0 / (period + 1), period)


def wilder_settled(period: int) -> int:
    """Candles until Wilder's mean no longer knows where it began."""
    return settled(1.0 / period, period)


class Sma:
    """Simple moving average."""

    __slots__ = ("_period", "_sum")

    def __init__(self, period: int) -> None:
        self._period = period
        self._sum = RollingSum(period)

    def update(self, price: float) -> float | None:
        total = self._sum.update(price)
        return None if total is None else total / self._period


class Ema:
    """Exponential moving average, smoothing 2 / (n + 1), seeded with the mean of the first n."""

    __slots__ = ("_alpha", "_count", "_sum", "period", "value")

    def __init__(self, period: int) -> None:
        self.period = period
        self.value: float | None = None
        self._alpha = 2.0 / (period + 1)
        self._sum = 0.0
        self._count = 0

    def update(self, price: float) -> float | None:
        value = self.value
        if value is not None:
            self.value = value = value + self._alpha * (price - value)
            return value
        self._sum += price
        self._count += 1
        if self._count == self.period:
            self.value = self._sum / self.period
        return self.value


class WilderMean:
    """Wilder's smoothing: the mean of the first n, then (previous · (n - 1) + x) / n."""

    __slots__ = ("_count", "_sum", "period", "value")

    def __init__(self, period: int) -> None:
        self.period = period
        self.value: float | None = None
        self._sum = 0.0
        self._count = 0

    def update(self, x: float) -> float | None:
        value = self.value
        if value is not None:
            n = self.period
            self.value = value = (value * (n - 1) + x) / n
            return value
        self._sum += x
        self._count += 1
        if self._count == self.period:
            self.value = self._sum / self.period
        return self.value


class Line:
    """The straight line through the last n values by least squares (TA-Lib's LINEARREG_SLOPE).

    Sums are kept relative to the window's oldest value at the last fresh start, because the slope
    is a small difference of large numbers. The weighted mean (WMA) falls out of the same sums.
    """

    __slots__ = ("_at", "_base", "_full", "_period", "_plain", "_weighted", "_window", "slope")

    def __init__(self, period: int) -> None:
        self._period = period
        self._window = [0.0] * period
        self._at = 0
        self._full = False
        self._base = self._plain = self._weighted = 0.0
        self.slope: float | None = None

    def update(self, x: float) -> float | None:
        """The slope per value."""
        at, window, n = self._at, self._window, self._period
        old, window[at] = window[at], x
        at += 1
        if at == n:
            at, self._full = 0, True
            base = self._base = window[0]
            self._plain = fsum(y - base for y in window)
            self._weighted = fsum(i * (y - base) for i, y in enumerate(window, 1))
        elif self._full:
            base = self._base
            self._weighted += n * (x - base) - self._plain
            self._plain += x - old
        self._at = at
        if not self._full:
            return None
        middle = (n + 1) / 2.0
        self.slope = 12.0 * (self._weighted - middle * self._plain) / (n * (n * n - 1.0))
        return self.slope

    @property
    def weighted_mean(self) -> float:
        """Mean with the newest value counted n times, the oldest once."""
        return self._base + self._weighted / (self._period * (self._period + 1) / 2.0)


class Wma:
    """Linearly weighted moving average."""

    __slots__ = ("_line",)

    def __init__(self, period: int) -> None:
        self._line = Line(period)

    def update(self, price: float) -> float | None:
        return None if self._line.update(price) is None else self._line.weighted_mean


class Hull:
    """Hull's average: WMA(√n) over 2 · WMA(n / 2) - WMA(n); quick, and overshoots at turns."""

    __slots__ = ("_half", "_smooth", "_whole")

    def __init__(self, period: int) -> None:
        self._half = Wma(period // 2)
        self._whole = Wma(period)
        self._smooth = Wma(isqrt(period))

    def update(self, price: float) -> float | None:
        half, whole = self._half.update(price), self._whole.update(price)
        if half is None or whole is None:
            return None
        return self._smooth.update(2.0 * half - whole)


class Kama:
    """Kaufman's adaptive average: quick (2) in a straight move, slow (30) in noise."""

    __slots__ = ("_earlier", "_path", "_previous", "value")
    SLOWEST = (2.0 / 31.0) ** 2

    def __init__(self, period: int) -> None:
        self._earlier = Delay(period)
        self._path = RollingSum(period)
        self._previous: float | None = None
        self.value: float | None = None

    def update(self, price: float) -> float | None:
        before, self._previous = self._previous, price
        earlier = self._earlier.update(price)
        if before is None:
            return None
        path = self._path.update(abs(price - before))
        if path is None or earlier is None:
            return None
        way = abs(price - earlier)
        efficiency = way / path if path > way and path > STILL * price else 1.0
        share = (efficiency * (2.0 / 3.0 - 2.0 / 31.0) + 2.0 / 31.0) ** 2
        value = before if self.value is None else self.value
        self.value = value + share * (price - value)
        return self.value


class Macd:
    """MACD line, its signal line and their difference, the histogram.

    As in TA-Lib the fast average starts late, so that both averages speak at the same candle.
    """

    __slots__ = ("_fast", "_late", "_signal", "_slow", "line", "signal")

    def __init__(self, fast: int, slow: int, signal: int) -> None:
        self._fast, self._slow, self._signal = Ema(fast), Ema(slow), Ema(signal)
        self._late = slow - fast
        self.line = self.signal = 0.0

    def update(self, price: float) -> float | None:
        """The histogram."""
        slow = self._slow.update(price)
        if self._late > 0:
            self._late -= 1
            return None
        fast = self._fast.update(price)
        if fast is None or slow is None:
            return None
        self.line = line = fast - slow
        signal = self._signal.update(line)
        if signal is None:
            return None
        self.signal = signal
        return line - signal


class Trix:
    """Change in percent of a thrice smoothed average."""

    __slots__ = ("_first", "_previous", "_second", "_third")

    def __init__(self, period: int) -> None:
        self._first, self._second, self._third = Ema(period), Ema(period), Ema(period)
        self._previous: float | None = None

    def update(self, price: float) -> float | None:
        value = self._first.update(price)
        value = None if value is None else self._second.update(value)
        value = None if value is None else self._third.update(value)
        if value is None:
            return None
        previous, self._previous = self._previous, value
        return None if previous is None else 100.0 * (value / previous - 1.0)
