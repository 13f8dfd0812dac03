"""Components that go with speed: how fast the price has been moving."""

from __future__ import annotations

from runner.strategy.components.parts import (
    FAST_BELOW_SLOW,
    SIGNAL,
    STATE,
    Crossing,
    candles,
    number,
    sign,
)
from runner.strategy.indicators.averages import Ema, ema_settled, wilder_settled
from runner.strategy.indicators.oscillators import Awesome, Cmo, Roc, Tsi
from runner.strategy.spec import Bar, ComponentSpec, Params


class RateOfChange:
    """1 while the close gained so much over n candles, -1 while it lost so much."""

    spec = ComponentSpec(
        "rate_of_change",
        STATE,
        "Rate of change",
        "Goes with a price that has moved far within a number of candles.",
        (
            candles("period", "Over", (1, 500), 24, "Candles between the two closes."),
            number("percent", "At least", (0.01, 100), 1, "Smaller changes count as none.", "%"),
        ),
        group="momentum",
        directional=True,
        warmup=lambda p: p["period"] + 1,
        sentence=lambda p: (
            f"the close rose (long) or fell (short) by at least {p['percent']:g} % "
            f"over {p['period']:g} candles"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._roc = Roc(int(params["period"]))
        self._percent = float(params["percent"])
        self._last = 0.0

    def update(self, bar: Bar) -> int | None:
        change = self._roc.update(bar.close)
        if change is None:
            return None
        self._last = change
        return (change >= self._percent) - (change <= -self._percent)

    def detail(self) -> str:
        return f"close changed by {self._last:+.3f} %, {self._percent:g} % counts"


class MomentumRotation:
    """1 while the mean of three changes is above the level, -1 while below its negative."""

    spec = ComponentSpec(
        "momentum_rotation",
        STATE,
        "Momentum rotation",
        "Holds a market while its mean gain over three lengths is strong, and leaves the weak.",
        (
            candles("short", "Short length", (1, 500), 24, "Candles of the shortest change."),
            candles("middle", "Middle length", (2, 1000), 72, "Candles of the middle change."),
            candles("long", "Long length", (3, 2000), 168, "Candles of the longest change."),
            number("percent", "At least", (0.01, 100), 1, "Smaller means count as none.", "%"),
        ),
        group="momentum",
        directional=True,
        warmup=lambda p: max(p["short"], p["middle"], p["long"]) + 1,
        sentence=lambda p: (
            f"the mean change over {p['short']:g}, {p['middle']:g} and {p['long']:g} candles "
            f"is at least {p['percent']:g} % (long) or at most -{p['percent']:g} % (short)"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._changes = tuple(Roc(int(params[n])) for n in ("short", "middle", "long"))
        self._percent = float(params["percent"])
        self._mean = 0.0

    def update(self, bar: Bar) -> int | None:
        close = bar.close
        short, middle, long = (change.update(close) for change in self._changes)
        if short is None or middle is None or long is None:
            return None
        self._mean = mean = (short + middle + long) / 3.0
        return (mean >= self._percent) - (mean <= -self._percent)

    def detail(self) -> str:
        return f"mean change is {self._mean:+.3f} %, {self._percent:g} % counts"


class RsiMomentum:
    """1 while RSI is above 50 by the margin, -1 while below."""

    spec = ComponentSpec(
        "rsi_momentum",
        STATE,
        "RSI momentum",
        "Goes with the side that RSI gives the upper hand.",
        (
            candles("period", "RSI length", (2, 100), 14, "Length of Wilder's RSI."),
            number("margin", "Margin", (0, 45), 5, "Distance from 50 that counts."),
        ),
        group="momentum",
        directional=True,
        warmup=lambda p: wilder_settled(p["period"]) + 1,
        sentence=lambda p: (
            f"the {p['period']:g}-candle RSI is at least {50 + p['margin']:g} (long) "
            f"or at most {50 - p['margin']:g} (short)"
        ),
    )

    def __init__(self, params: Params) -> None:
        # RSI is 50 + CMO / 2, except in a market that never moved, where RSI alone takes a side.
        self._cmo = Cmo(int(params["period"]))
        self._margin = float(params["margin"])
        self._gap = 0.0

    def update(self, bar: Bar) -> int | None:
        cmo = self._cmo.update(bar.close)
        if cmo is None:
            return None
        self._gap = gap = cmo / 2.0
        return sign(gap, 100.0) if abs(gap) >= self._margin else 0

    def detail(self) -> str:
        return f"RSI is {50.0 + self._gap:.1f}, {self._margin:g} from 50 counts"


class ChandeMomentum:
    """1 while Chande's oscillator is at the level or above, -1 at its negative or below."""

    spec = ComponentSpec(
        "chande_momentum",
        STATE,
        "Chande momentum",
        "Goes with the side whose moves outweigh the other's.",
        (
            candles("period", "Length", (2, 100), 14, "Length of Wilder's smoothing."),
            number("level", "At least", (1, 95), 20, "Smaller readings count as none."),
        ),
        group="momentum",
        directional=True,
        warmup=lambda p: wilder_settled(p["period"]) + 1,
        sentence=lambda p: (
            f"the {p['period']:g}-candle Chande momentum is at least {p['level']:g} (long) "
            f"or at most -{p['level']:g} (short)"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._cmo = Cmo(int(params["period"]))
        self._level = float(params["level"])
        self._last = 0.0

    def update(self, bar: Bar) -> int | None:
        cmo = self._cmo.update(bar.close)
        if cmo is None:
            return None
        self._last = cmo
        return (cmo >= self._level) - (cmo <= -self._level)

    def detail(self) -> str:
        return f"Chande momentum is {self._last:+.1f}, {self._level:g} counts"


class TsiCross:
    """1 on the candle where TSI rises above its signal line, -1 where it falls below."""

    spec = ComponentSpec(
        "tsi_cross",
        SIGNAL,
        "TSI cross",
        "Goes with twice smoothed momentum when it crosses its signal line.",
        (
            candles("slow", "First smoothing", (3, 200), 25, "Length of the first EMA."),
            candles("fast", "Second smoothing", (2, 100), 13, "Length of the second EMA."),
            candles("signal", "Signal line", (2, 100), 7, "Length of the EMA over TSI."),
        ),
        group="momentum",
        directional=True,
        warmup=lambda p: sum(ema_settled(p[n]) for n in ("slow", "fast", "signal")) + 1,
        sentence=lambda p: (
            f"the TSI ({p['slow']:g}, {p['fast']:g}) crosses its {p['signal']:g}-candle signal line"
        ),
        faults=FAST_BELOW_SLOW,
    )

    def __init__(self, params: Params) -> None:
        self._tsi = Tsi(int(params["slow"]), int(params["fast"]))
        self._signal = Ema(int(params["signal"]))
        self._crossing = Crossing()
        self._last = 0.0
        self._value = 0

    def update(self, bar: Bar) -> int | None:
        tsi = self._tsi.update(bar.close)
        signal = None if tsi is None else self._signal.update(tsi)
        if tsi is None or signal is None:
            return None
        self._last = tsi
        self._value = value = self._crossing.update(sign(tsi - signal, 100.0))
        return value

    def detail(self) -> str:
        place = "above" if self._crossing.side > 0 else "below"
        verb = "crossed" if self._value else "stays"
        return f"TSI {self._last:.2f} {verb} {place} its signal line {self._signal.value:.2f}"


class AwesomeCross:
    """1 on the candle where the awesome oscillator rises above zero, -1 where it falls below."""

    spec = ComponentSpec(
        "awesome_cross",
        SIGNAL,
        "Awesome oscillator",
        "Goes with the candles' middles when their short mean crosses the long one.",
        (
            candles("fast", "Short mean", (2, 100), 5, "Length of the short SMA."),
            candles("slow", "Long mean", (3, 300), 34, "Length of the long SMA."),
        ),
        group="momentum",
        directional=True,
        warmup=lambda p: p["slow"] + 1,
        sentence=lambda p: f"the awesome oscillator ({p['fast']:g}, {p['slow']:g}) crosses zero",
        faults=FAST_BELOW_SLOW,
    )

    def __init__(self, params: Params) -> None:
        self._awesome = Awesome(int(params["fast"]), int(params["slow"]))
        self._crossing = Crossing()
        self._last = 0.0
        self._value = 0

    def update(self, bar: Bar) -> int | None:
        awesome = self._awesome.update(bar.high, bar.low)
        if awesome is None:
            return None
        self._last = awesome
        self._value = value = self._crossing.update(sign(awesome, bar.close))
        return value

    def detail(self) -> str:
        place = "above" if self._crossing.side > 0 else "below"
        verb = "crossed" if self._value else "stays"
        return f"awesome oscillator {self._last:+.4g} {verb} {place} zero"
