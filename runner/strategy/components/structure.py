"""Components that read the market's structure: ranges, highs and lows."""

from __future__ import annotations

from runner.strategy.indicators import Donchian
from runner.strategy.spec import Bar, ComponentSpec, Parameter, Params


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
        group="structure",
        directional=True,
        warmup=lambda p: int(p["period"]) + 1,
        sentence=lambda p: f"the close leaves the channel of the last {p['period']:g} candles",
    )

    def __init__(self, params: Params) -> None:
        self._channel = Donchian(int(params["period"]))
        self._close = self._upper = self._lower = 0.0
        self._value = 0

    def update(self, bar: Bar) -> int | None:
        channel = self._channel.channel
        self._channel.update(bar.high, bar.low)
        if channel is None:
            return None
        self._close = close = bar.close
        self._upper, self._lower = channel
        self._value = (close > self._upper) - (close < self._lower)
        return self._value

    def detail(self) -> str:
        said = f"close {self._close:.6g}"
        if self._value > 0:
            return f"{said} above the channel's top {self._upper:.6g}"
        if self._value < 0:
            return f"{said} below the channel's bottom {self._lower:.6g}"
        return f"{said} inside the channel {self._lower:.6g} to {self._upper:.6g}"
