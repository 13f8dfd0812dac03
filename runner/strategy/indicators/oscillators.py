"""Oscillators: how fast and how far the price moved, by TA-Lib's definitions where it has one."""

from __future__ import annotations

from runner.strategy.indicators.averages import Ema, Sma, WilderMean
from runner.strategy.indicators.rolling import (
    STILL,
    Delay,
    Highest,
    Lowest,
    MeanDeviation,
    RollingSum,
)


class _Changes:
    """Wilder's means of the rises and of the falls."""

    __slots__ = ("_gain", "_loss", "_previous")

    def __init__(self, period: int) -> None:
        self._gain = WilderMean(period)
        self._loss = WilderMean(period)
        self._previous: float | None = None

    def update(self, price: float) -> tuple[float, float] | None:
        previous, self._previous = self._previous, price
        if previous is None:
            return None
        change = price - previous
        if change > 0:
            gain, loss = self._gain.update(change), self._loss.update(0.0)
        else:
            gain, loss = self._gain.update(0.0), self._loss.update(-change)
        return None if gain is None or loss is None else (gain, loss)


class Rsi:
    """Relative strength index, 0 to 100; 0 when nothing moved, as TA-Lib has it."""

    __slots__ = ("_changes", "value")

    def __init__(self, period: int) -> None:
        self._changes = _Changes(period)
        self.value: float | None = None

    def update(self, price: float) -> float | None:
        changes = self._changes.update(price)
        if changes is None:
            return None
        gain, loss = changes
        total = gain + loss
        self.value = value = 100.0 * gain / total if total > 0 else 0.0
        return value


class Cmo:
    """Chande's momentum oscillator, -100 to 100, smoothed like RSI as TA-Lib has it."""

    __slots__ = ("_changes",)

    def __init__(self, period: int) -> None:
        self._changes = _Changes(period)

    def update(self, price: float) -> float | None:
        changes = self._changes.update(price)
        if changes is None:
            return None
        gain, loss = changes
        total = gain + loss
        return 100.0 * (gain - loss) / total if total > STILL * price else 0.0


class Position:
    """Where the close lies in the range of the last n candles: 0 at the low, 100 at the high.

    The fast %K of the stochastic; Williams' %R is the same number less 100.
    """

    __slots__ = ("_high", "_low", "flat")

    def __init__(self, period: int) -> None:
        self._high, self._low = Highest(period), Lowest(period)
        self.flat = False
        """Whether the range had no height: the number is then 0 by definition, not a place."""

    def update(self, high: float, low: float, close: float) -> float | None:
        top, bottom = self._high.update(high), self._low.update(low)
        if top is None or bottom is None:
            return None
        self.flat = top - bottom <= STILL * abs(top)
        return 0.0 if self.flat else 100.0 * (close - bottom) / (top - bottom)


class Stochastic:
    """Slow stochastic: %K smoothed by a simple mean, and %D, the mean of that."""

    __slots__ = ("_d", "_fast", "_k", "k")

    def __init__(self, period: int, smooth_k: int, smooth_d: int) -> None:
        self._fast = Position(period)
        self._k, self._d = Sma(smooth_k), Sma(smooth_d)
        self.k = 0.0

    def update(self, high: float, low: float, close: float) -> float | None:
        """%D; %K stands in ``k``."""
        fast = self._fast.update(high, low, close)
        k = None if fast is None else self._k.update(fast)
        if k is None:
            return None
        self.k = k
        return self._d.update(k)


class StochRsi:
    """The stochastic's %K taken of RSI instead of the price, 0 to 100."""

    __slots__ = ("_place", "_rsi")

    def __init__(self, rsi: int, period: int) -> None:
        self._rsi = Rsi(rsi)
        self._place = Position(period)

    def update(self, price: float) -> float | None:
        rsi = self._rsi.update(price)
        return None if rsi is None else self._place.update(rsi, rsi, rsi)


class Cci:
    """Commodity channel index: distance of the typical price from its mean in mean deviations."""

    __slots__ = ("_spread",)

    def __init__(self, period: int) -> None:
        self._spread = MeanDeviation(period)

    def update(self, high: float, low: float, close: float) -> float | None:
        typical = (high + low + close) / 3.0
        deviation = self._spread.update(typical)
        if deviation is None:
            return None
        return (typical - self._spread.mean) / (0.015 * deviation) if deviation > 0 else 0.0


class Roc:
    """Rate of change over n candles in percent."""

    __slots__ = ("_earlier",)

    def __init__(self, period: int) -> None:
        self._earlier = Delay(period)

    def update(self, price: float) -> float | None:
        earlier = self._earlier.update(price)
        if earlier is None:
            return None
        return 100.0 * (price / earlier - 1.0) if earlier else 0.0


class Tsi:
    """True strength index, -100 to 100: twice smoothed change over twice smoothed movement."""

    __slots__ = ("_change", "_move", "_previous")

    def __init__(self, slow: int, fast: int) -> None:
        self._change = (Ema(slow), Ema(fast))
        self._move = (Ema(slow), Ema(fast))
        self._previous: float | None = None

    def update(self, price: float) -> float | None:
        previous, self._previous = self._previous, price
        if previous is None:
            return None
        change = self._change[0].update(price - previous)
        move = self._move[0].update(abs(price - previous))
        if change is None or move is None:
            return None
        change, move = self._change[1].update(change), self._move[1].update(move)
        if change is None or move is None:
            return None
        return 100.0 * change / move if move > STILL * price else 0.0


class Awesome:
    """Awesome oscillator: short less long simple mean of the candles' middles."""

    __slots__ = ("_long", "_short")

    def __init__(self, short: int, long: int) -> None:
        self._short, self._long = Sma(short), Sma(long)

    def update(self, high: float, low: float) -> float | None:
        middle = (high + low) / 2.0
        short, long = self._short.update(middle), self._long.update(middle)
        return None if short is None or long is None else short - long


class Ultimate:
    """Ultimate oscillator, 0 to 100: buying pressure over three lengths, weighted 4, 2 and 1."""

    __slots__ = ("_close", "_parts")

    def __init__(self, short: int, middle: int, long: int) -> None:
        self._parts = tuple(
            (weight, RollingSum(n), RollingSum(n))
            for weight, n in ((4.0, short), (2.0, middle), (1.0, long))
        )
        self._close: float | None = None

    def update(self, high: float, low: float, close: float) -> float | None:
        previous, self._close = self._close, close
        if previous is None:
            return None
        bottom = min(low, previous)
        pressure, reach = close - bottom, max(high, previous) - bottom
        total: float | None = 0.0
        for weight, pressures, reaches in self._parts:
            pressed, reached = pressures.update(pressure), reaches.update(reach)
            if pressed is None or reached is None:
                total = None
            elif total is not None and reached > STILL * close:
                total += weight * pressed / reached
        return None if total is None else 100.0 * total / 7.0
