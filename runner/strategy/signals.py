"""Signals: each reads closed candles and answers -1 (short), 0 or 1 (long)."""

from __future__ import annotations

from runner.strategy.indicators import Donchian, Ema, Rsi
from runner.strategy.spec import Bar, ComponentSpec, Parameter, Params, Reading

WARMING = Reading(None, "warming up")


class EmaCross:
    """1 on the candle where the fast average rises above the slow one, -1 where it falls below."""

    spec = ComponentSpec(
        "ema_cross",
        ("signal",),
        "EMA cross",
        "Goes with the trend when a fast moving average crosses a slow one.",
        (
            Parameter(
                "fast", "Fast average", "int", "candles", 2, 200, 12, "Length of the fast EMA."
            ),
            Parameter(
                "slow", "Slow average", "int", "candles", 3, 300, 26, "Length of the slow EMA."
            ),
        ),
    )

    def __init__(self, params: Params) -> None:
        self._fast = Ema(int(params["fast"]))
        self._slow = Ema(int(params["slow"]))
        self._above: bool | None = None

    def update(self, bar: Bar) -> Reading:
        fast, slow = self._fast.update(bar.close), self._slow.update(bar.close)
        if fast is None or slow is None:
            return WARMING
        before, self._above = self._above, fast > slow
        place = "above" if self._above else "below"
        levels = f"({fast:.6g} and {slow:.6g})"
        if before is None or before is self._above:
            return Reading(0, f"fast EMA stays {place} slow EMA {levels}")
        return Reading(1 if self._above else -1, f"fast EMA crossed {place} slow EMA {levels}")


class RsiReversion:
    """1 when RSI comes back up through the lower bound, -1 when it falls back through the upper."""

    spec = ComponentSpec(
        "rsi_reversion",
        ("signal",),
        "RSI reversion",
        "Bets on a return when RSI leaves its oversold or overbought zone.",
        (
            Parameter(
                "period", "RSI length", "int", "candles", 2, 100, 14, "Length of Wilder's RSI."
            ),
            Parameter(
                "lower", "Oversold below", "float", "", 1, 49, 30, "Long when RSI rises back above."
            ),
            Parameter(
                "upper",
                "Overbought above",
                "float",
                "",
                51,
                99,
                70,
                "Short when RSI falls back below.",
            ),
        ),
    )

    def __init__(self, params: Params) -> None:
        self._rsi = Rsi(int(params["period"]))
        self._lower, self._upper = params["lower"], params["upper"]
        self._previous: float | None = None

    def update(self, bar: Bar) -> Reading:
        rsi = self._rsi.update(bar.close)
        previous, self._previous = self._previous, rsi
        if rsi is None or previous is None:
            return WARMING
        if previous < self._lower <= rsi:
            return Reading(1, f"RSI {rsi:.1f} rose back above {self._lower:g}")
        if previous > self._upper >= rsi:
            return Reading(-1, f"RSI {rsi:.1f} fell back below {self._upper:g}")
        return Reading(0, f"RSI {rsi:.1f}, no return through {self._lower:g} or {self._upper:g}")


class DonchianBreakout:
    """1 when the close is above every high of the n candles before it, -1 below every low."""

    spec = ComponentSpec(
        "donchian_breakout",
        ("signal",),
        "Donchian breakout",
        "Follows a close outside the price channel of the last candles.",
        (
            Parameter(
                "period",
                "Channel length",
                "int",
                "candles",
                2,
                500,
                20,
                "Candles the channel spans.",
            ),
        ),
    )

    def __init__(self, params: Params) -> None:
        self._channel = Donchian(int(params["period"]))

    def update(self, bar: Bar) -> Reading:
        channel = self._channel.channel
        self._channel.update(bar.high, bar.low)
        if channel is None:
            return WARMING
        upper, lower = channel
        if bar.close > upper:
            return Reading(1, f"close {bar.close:.6g} above the channel's top {upper:.6g}")
        if bar.close < lower:
            return Reading(-1, f"close {bar.close:.6g} below the channel's bottom {lower:.6g}")
        return Reading(0, f"close {bar.close:.6g} inside the channel {lower:.6g} to {upper:.6g}")
