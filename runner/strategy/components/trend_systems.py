"""Components that go with the trend: whole systems with a level or a strength of their own."""

from __future__ import annotations

from runner.strategy.components.parts import FAST_BELOW_SLOW, PASS, STATE, candles, number, sign
from runner.strategy.components.parts import rising as ascending
from runner.strategy.indicators.averages import wilder_settled
from runner.strategy.indicators.trend import (
    Aroon,
    Dmi,
    Ichimoku,
    ParabolicSar,
    Supertrend,
    Vortex,
)
from runner.strategy.spec import Bar, ComponentSpec, Params

_TURNS = 300
"""Candles in which a stop that only tightens has turned, and forgotten where it began."""


class SupertrendSide:
    """1 while Supertrend runs below the price, -1 while above."""

    spec = ComponentSpec(
        "supertrend",
        STATE,
        "Supertrend",
        "Follows a stop of several average true ranges that only tightens until it is hit.",
        (
            candles("period", "ATR length", (2, 100), 10, "Length of Wilder's ATR."),
            number("multiple", "Distance", (0.5, 10), 3, "Distance of the stop.", "ATR"),
        ),
        group="trend",
        directional=True,
        warmup=lambda p: wilder_settled(p["period"]) + _TURNS,
        sentence=lambda p: (
            f"the Supertrend ({p['period']:g}, {p['multiple']:g} ATR) runs below the price (long) "
            "or above it (short)"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._trend = Supertrend(int(params["period"]), float(params["multiple"]))

    def update(self, bar: Bar) -> int | None:
        up = self._trend.update(bar.high, bar.low, bar.close)
        return None if up is None else 1 if up else -1

    def detail(self) -> str:
        place = "below" if self._trend.up else "above"
        return f"Supertrend runs at {self._trend.level:.6g}, {place} the price"


class ParabolicSide:
    """1 while the parabolic SAR runs below the price, -1 while above."""

    spec = ComponentSpec(
        "parabolic_sar",
        STATE,
        "Parabolic SAR",
        "Follows Wilder's stop and reverse, which closes in faster the longer a move lasts.",
        (
            number("step", "Acceleration", (0.001, 0.2), 0.02, "Added with each new extreme."),
            number("most", "Top speed", (0.01, 1), 0.2, "The acceleration never exceeds this."),
        ),
        group="trend",
        directional=True,
        warmup=lambda _: _TURNS,
        sentence=lambda p: (
            f"the parabolic SAR ({p['step']:g}, {p['most']:g}) runs below the price (long) "
            "or above it (short)"
        ),
        faults=lambda p: (
            [("step", "The acceleration must not be above the top speed.")]
            if p["step"] > p["most"]
            else []
        ),
    )

    def __init__(self, params: Params) -> None:
        self._sar = ParabolicSar(float(params["step"]), float(params["most"]))
        self._level = 0.0

    def update(self, bar: Bar) -> int | None:
        level = self._sar.update(bar.high, bar.low)
        if level is None:
            return None
        self._level = level
        return 1 if self._sar.up else -1

    def detail(self) -> str:
        return f"SAR {self._level:.6g} is {'below' if self._sar.up else 'above'} the price"


class AdxStrength:
    """1 while ADX says that there is a trend, whichever way."""

    spec = ComponentSpec(
        "adx_strength",
        PASS,
        "ADX strength",
        "Lets entries pass only while the market trends, up or down.",
        (
            candles("period", "ADX length", (2, 100), 14, "Length of Wilder's smoothing."),
            number("level", "At least", (1, 80), 25, "Smallest ADX that passes."),
        ),
        group="trend",
        directional=False,
        warmup=lambda p: 2 * wilder_settled(p["period"]) + 1,
        sentence=lambda p: f"the {p['period']:g}-candle ADX is at least {p['level']:g}",
    )

    def __init__(self, params: Params) -> None:
        self._movement = Dmi(int(params["period"]))
        self._level = float(params["level"])

    def update(self, bar: Bar) -> int | None:
        self._movement.update(bar.high, bar.low, bar.close)
        adx = self._movement.adx
        return None if adx is None else 1 if adx >= self._level else 0

    def detail(self) -> str:
        return f"ADX is {self._movement.adx:.1f}, {self._level:g} passes"


class DmiDirection:
    """1 while +DI is above -DI by the margin, -1 while below."""

    spec = ComponentSpec(
        "dmi_direction",
        STATE,
        "Directional movement",
        "Points to the side on which candles reach further than before.",
        (
            candles("period", "DI length", (2, 100), 14, "Length of Wilder's smoothing."),
            number("margin", "Margin", (0, 60), 5, "Smaller differences count as none."),
        ),
        group="trend",
        directional=True,
        warmup=lambda p: wilder_settled(p["period"]) + 1,
        sentence=lambda p: (
            f"the {p['period']:g}-candle +DI is above -DI (long) or below it (short) "
            f"by at least {p['margin']:g}"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._movement = Dmi(int(params["period"]))
        self._margin = float(params["margin"])

    def update(self, bar: Bar) -> int | None:
        gap = self._movement.update(bar.high, bar.low, bar.close)
        if gap is None:
            return None
        return sign(gap, 100.0) if abs(gap) >= self._margin else 0

    def detail(self) -> str:
        return f"+DI is {self._movement.plus:.1f}, -DI {self._movement.minus:.1f}"


class IchimokuCloud:
    """1 above the cloud with the conversion line above the base line, -1 below with it below."""

    spec = ComponentSpec(
        "ichimoku",
        STATE,
        "Ichimoku cloud",
        "Points along the trend when price, lines and cloud of the Ichimoku chart agree.",
        (
            candles("fast", "Conversion line", (2, 100), 9, "Candles of the conversion line."),
            candles("slow", "Base line", (3, 200), 26, "Candles of the base line and the shift."),
            candles("span", "Cloud length", (4, 400), 52, "Candles of the cloud's slower edge."),
        ),
        group="trend",
        directional=True,
        warmup=lambda p: p["slow"] + p["span"],
        sentence=lambda p: (
            f"the close is above the Ichimoku cloud ({p['fast']:g}, {p['slow']:g}, {p['span']:g}) "
            "with the conversion line above the base line (long), or the reverse (short)"
        ),
        faults=lambda p: [
            *FAST_BELOW_SLOW(p),
            *ascending("slow", "span", "The base line must be shorter than the cloud.")(p),
        ],
    )

    def __init__(self, params: Params) -> None:
        self._chart = Ichimoku(int(params["fast"]), int(params["slow"]), int(params["span"]))
        self._close = 0.0

    def update(self, bar: Bar) -> int | None:
        chart = self._chart
        if not chart.update(bar.high, bar.low):
            return None
        self._close = close = bar.close
        if close > chart.high and chart.conversion > chart.base:
            return 1
        return -1 if close < chart.low and chart.conversion < chart.base else 0

    def detail(self) -> str:
        chart = self._chart
        return (
            f"close {self._close:.6g}, cloud {chart.low:.6g} to {chart.high:.6g}, "
            f"conversion {chart.conversion:.6g}, base {chart.base:.6g}"
        )


class AroonTrend:
    """1 while the Aroon oscillator is at the level or above, -1 while at its negative or below."""

    spec = ComponentSpec(
        "aroon_trend",
        STATE,
        "Aroon",
        "Points to the side of the extreme that is the fresher one.",
        (
            candles("period", "Length", (2, 200), 25, "Candles searched for the extremes."),
            number("level", "At least", (1, 100), 50, "Smaller readings count as none."),
        ),
        group="trend",
        directional=True,
        warmup=lambda p: p["period"] + 1,
        sentence=lambda p: (
            f"the {p['period']:g}-candle Aroon oscillator is at least {p['level']:g} (long) "
            f"or at most -{p['level']:g} (short)"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._aroon = Aroon(int(params["period"]))
        self._level = float(params["level"])
        self._last = 0.0

    def update(self, bar: Bar) -> int | None:
        aroon = self._aroon.update(bar.high, bar.low)
        if aroon is None:
            return None
        self._last = aroon
        return (aroon >= self._level) - (aroon <= -self._level)

    def detail(self) -> str:
        return f"Aroon oscillator is {self._last:.0f}, {self._level:g} counts"


class VortexTrend:
    """1 while upward vortex movement exceeds the downward one by the margin, -1 the reverse."""

    spec = ComponentSpec(
        "vortex",
        STATE,
        "Vortex",
        "Points to the side that successive highs and lows stretch to.",
        (
            candles("period", "Length", (2, 200), 14, "Candles that are added up."),
            number("margin", "Margin", (0, 1), 0.05, "Smaller differences count as none."),
        ),
        group="trend",
        directional=True,
        warmup=lambda p: p["period"] + 1,
        sentence=lambda p: (
            f"the {p['period']:g}-candle vortex +VI is above -VI (long) or below it (short) "
            f"by at least {p['margin']:g}"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._vortex = Vortex(int(params["period"]))
        self._margin = float(params["margin"])
        self._last = 0.0

    def update(self, bar: Bar) -> int | None:
        gap = self._vortex.update(bar.high, bar.low, bar.close)
        if gap is None:
            return None
        self._last = gap
        return sign(gap, 1.0) if abs(gap) >= self._margin else 0

    def detail(self) -> str:
        return f"+VI less -VI is {self._last:+.3f}, {self._margin:g} counts"
