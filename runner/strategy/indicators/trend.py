"""Direction and strength of a trend, by TA-Lib's definitions where it has one."""

from __future__ import annotations

from collections import deque

from runner.strategy.indicators.rolling import STILL, Highest, Lowest, RollingSum
from runner.strategy.indicators.volatility import Atr, TrueRange


class Dmi:
    """Wilder's directional movement: +DI, -DI and ADX, each 0 to 100."""

    __slots__ = (
        "_before", "_dx", "_minus", "_period", "_plus", "_range", "_reach", "_seen", "adx",
        "minus", "plus",
    )  # fmt: skip

    def __init__(self, period: int) -> None:
        self._period = period
        self._range = TrueRange()
        self._before: tuple[float, float] | None = None
        self._plus = self._minus = self._reach = self._dx = 0.0
        self._seen = 0
        self.plus = self.minus = 0.0
        self.adx: float | None = None

    def update(self, high: float, low: float, close: float) -> float | None:
        """+DI less -DI, from the n-th change on; ``adx`` follows n - 1 candles later."""
        reach = self._range.update(high, low, close)
        before, self._before = self._before, (high, low)
        if before is None or reach is None:
            return None
        n, plus, minus, whole = self._period, self._plus, self._minus, self._reach
        self._seen = seen = self._seen + 1
        if seen >= n:
            plus -= plus / n
            minus -= minus / n
            whole -= whole / n
        up, down = high - before[0], before[1] - low
        if up > down and up > 0:
            plus += up
        elif down > up and down > 0:
            minus += down
        whole += reach
        self._plus, self._minus, self._reach = plus, minus, whole
        if seen < n:
            return None
        if whole > STILL * close:
            self.plus = 100.0 * plus / whole
            self.minus = 100.0 * minus / whole
        else:
            self.plus = self.minus = 0.0
        self._strength()
        return self.plus - self.minus

    def _strength(self) -> None:
        total, n = self.plus + self.minus, self._period
        moved = total > STILL
        index = 100.0 * abs(self.plus - self.minus) / total if moved else 0.0
        if self.adx is None:
            self._dx += index
            if self._seen >= 2 * n - 1:
                self.adx = self._dx / n
        elif moved:
            self.adx = (self.adx * (n - 1) + index) / n


class Aroon:
    """Aroon oscillator, -100 to 100: how much later the highest high was than the lowest low."""

    __slots__ = ("_high", "_low", "_period")

    def __init__(self, period: int) -> None:
        self._period = period
        self._high, self._low = Highest(period + 1), Lowest(period + 1)

    def update(self, high: float, low: float) -> float | None:
        top, bottom = self._high.update(high), self._low.update(low)
        if top is None or bottom is None:
            return None
        return 100.0 * (self._low.age - self._high.age) / self._period


class ParabolicSar:
    """Wilder's stop and reverse: a level that closes in on the price while the trend lasts."""

    __slots__ = ("_af", "_before", "_extreme", "_most", "_next", "_step", "up")

    def __init__(self, step: float, most: float) -> None:
        self._step, self._most, self._af = step, most, step
        self._before: tuple[float, float] | None = None
        self._extreme = 0.0
        self._next: float | None = None
        self.up = True

    def update(self, high: float, low: float) -> float | None:
        """The level that was valid for this candle, or after a turn the new one."""
        before, self._before = self._before, (high, low)
        if before is None:
            return None
        if self._next is None:
            fell, rose = before[1] - low, high - before[0]
            self.up = not (fell > 0 and fell > rose)
            self._extreme = high if self.up else low
            self._next = before[1] if self.up else before[0]
            before = (high, low)
        level = self._next
        if (low <= level) if self.up else (high >= level):
            self.up = not self.up
            level = self._within(self._extreme, before, (high, low))
            self._af, self._extreme = self._step, high if self.up else low
        elif (high > self._extreme) if self.up else (low < self._extreme):
            self._extreme = high if self.up else low
            self._af = min(self._most, self._af + self._step)
        following = level + self._af * (self._extreme - level)
        self._next = self._within(following, before, (high, low))
        return level

    def _within(
        self, level: float, before: tuple[float, float], last: tuple[float, float]
    ) -> float:
        """Never inside the last two candles."""
        if self.up:
            return min(level, before[1], last[1])
        return max(level, before[0], last[0])


class Supertrend:
    """A stop so many average true ranges from the candle's middle, that only ever tightens."""

    __slots__ = ("_atr", "_close", "_lower", "_upper", "_width", "level", "up")

    def __init__(self, period: int, width: float) -> None:
        self._atr = Atr(period)
        self._width = width
        self._lower = self._upper = self._close = self.level = 0.0
        self.up: bool | None = None

    def update(self, high: float, low: float, close: float) -> bool | None:
        """Whether the trend is up."""
        atr = self._atr.update(high, low, close)
        if atr is None:
            self._close = close
            return None
        middle, half = (high + low) / 2.0, self._width * atr
        lower, upper = middle - half, middle + half
        if self.up is None:
            self.up = close >= middle
        else:
            if self._close >= self._lower:
                lower = max(lower, self._lower)
            if self._close <= self._upper:
                upper = min(upper, self._upper)
            self.up = close >= lower if self.up else close > upper
        self._lower, self._upper, self._close = lower, upper, close
        self.level = lower if self.up else upper
        return self.up


class Vortex:
    """Vortex indicator: upward less downward movement, as a share of the true ranges."""

    __slots__ = ("_before", "_minus", "_plus", "_range", "_reach")

    def __init__(self, period: int) -> None:
        self._range = TrueRange()
        self._plus, self._minus = RollingSum(period), RollingSum(period)
        self._reach = RollingSum(period)
        self._before: tuple[float, float] | None = None

    def update(self, high: float, low: float, close: float) -> float | None:
        reach = self._range.update(high, low, close)
        before, self._before = self._before, (high, low)
        if before is None or reach is None:
            return None
        plus = self._plus.update(abs(high - before[1]))
        minus = self._minus.update(abs(low - before[0]))
        total = self._reach.update(reach)
        if plus is None or minus is None or total is None:
            return None
        return (plus - minus) / total if total > STILL * close else 0.0


class Ichimoku:
    """Conversion and base line, and the cloud as it lies under the candle of now."""

    __slots__ = ("_ahead", "_base", "_conversion", "_span", "base", "conversion", "high", "low")

    def __init__(self, conversion: int, base: int, span: int) -> None:
        self._conversion = (Highest(conversion), Lowest(conversion))
        self._base = (Highest(base), Lowest(base))
        self._span = (Highest(span), Lowest(span))
        self._ahead: deque[tuple[float, float]] = deque(maxlen=base)
        self.conversion = self.base = self.high = self.low = 0.0

    def update(self, high: float, low: float) -> bool:
        """Whether lines and cloud are known; the cloud was drawn ``base`` candles ago."""
        conversion = (self._conversion[0].update(high), self._conversion[1].update(low))
        base = (self._base[0].update(high), self._base[1].update(low))
        span = (self._span[0].update(high), self._span[1].update(low))
        known = len(self._ahead) == self._ahead.maxlen
        if known:
            first, second = self._ahead[0]
            self.high, self.low = max(first, second), min(first, second)
        if None in conversion or None in base:
            return False
        self.conversion, self.base = _middle(conversion), _middle(base)
        if None not in span:
            self._ahead.append(((self.conversion + self.base) / 2.0, _middle(span)))
        return known


def _middle(pair: tuple[float | None, float | None]) -> float:
    top, bottom = pair
    assert top is not None
    assert bottom is not None
    return (top + bottom) / 2.0
