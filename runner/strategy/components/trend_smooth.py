"""Components that go with the trend: slopes of quick averages, MACD, straight lines."""

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
from runner.strategy.indicators.averages import (
    Hull,
    Kama,
    Line,
    Macd,
    Trix,
    ema_settled,
    settled,
)
from runner.strategy.spec import Bar, ComponentSpec, Params

_MACD = (
    candles("fast", "Fast average", (2, 100), 12, "Length of the fast EMA."),
    candles("slow", "Slow average", (3, 200), 26, "Length of the slow EMA."),
    candles("signal", "Signal line", (2, 100), 9, "Length of the EMA over the MACD line."),
)


class MacdCross:
    """1 on the candle where the MACD line rises above its signal line, -1 where it falls below."""

    spec = ComponentSpec(
        "macd_cross",
        SIGNAL,
        "MACD cross",
        "Goes with the trend when the MACD line crosses its signal line.",
        _MACD,
        group="trend",
        directional=True,
        warmup=lambda p: ema_settled(p["slow"]) + ema_settled(p["signal"]),
        sentence=lambda p: (
            f"the MACD line ({p['fast']:g}, {p['slow']:g}) crosses "
            f"its {p['signal']:g}-candle signal line"
        ),
        faults=FAST_BELOW_SLOW,
    )

    def __init__(self, params: Params) -> None:
        self._macd = Macd(int(params["fast"]), int(params["slow"]), int(params["signal"]))
        self._crossing = Crossing()
        self._value = 0

    def update(self, bar: Bar) -> int | None:
        histogram = self._macd.update(bar.close)
        if histogram is None:
            return None
        self._value = value = self._crossing.update(sign(histogram, bar.close))
        return value

    def detail(self) -> str:
        place = "above" if self._crossing.side > 0 else "below"
        verb = "crossed" if self._value else "stays"
        levels = f"({self._macd.line:.4g} and {self._macd.signal:.4g})"
        return f"MACD line {verb} {place} its signal line {levels}"


class MacdHistogram:
    """1 while the histogram is above zero and growing, -1 while below zero and falling."""

    spec = ComponentSpec(
        "macd_histogram",
        STATE,
        "MACD histogram",
        "Points along a move that MACD sees and sees getting stronger.",
        _MACD,
        group="trend",
        directional=True,
        warmup=lambda p: ema_settled(p["slow"]) + ema_settled(p["signal"]) + 1,
        sentence=lambda p: (
            f"the MACD histogram ({p['fast']:g}, {p['slow']:g}, {p['signal']:g}) is above zero "
            "and growing (long) or below zero and falling (short)"
        ),
        faults=FAST_BELOW_SLOW,
    )

    def __init__(self, params: Params) -> None:
        self._macd = Macd(int(params["fast"]), int(params["slow"]), int(params["signal"]))
        self._last: float | None = None
        self._before = 0.0

    def update(self, bar: Bar) -> int | None:
        before, self._last = self._last, self._macd.update(bar.close)
        if before is None or self._last is None:
            return None
        self._before = before
        side = sign(self._last, bar.close)
        return side if side == sign(self._last - before, bar.close) else 0

    def detail(self) -> str:
        return f"MACD histogram went from {self._before:.4g} to {self._last:.4g}"


class KamaTrend:
    """1 while Kaufman's average rose over the last candle by the slope asked for, -1 while fell."""

    spec = ComponentSpec(
        "kama_trend",
        STATE,
        "Adaptive average",
        "Follows Kaufman's average, which hardly moves while the market goes nowhere.",
        (
            candles(
                "period", "Efficiency length", (2, 100), 10, "Candles of the efficiency ratio."
            ),
            number(
                "slope", "At least", (0, 5), 0.02, "Smaller changes count as none.", "% per candle"
            ),
        ),
        group="trend",
        directional=True,
        warmup=lambda p: settled(Kama.SLOWEST, p["period"] + 1) + 1,
        sentence=lambda p: (
            f"the {p['period']:g}-candle adaptive average rises (long) or falls (short) "
            f"by at least {p['slope']:g} % per candle"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._average = Kama(int(params["period"]))
        self._least = float(params["slope"])
        self._change = 0.0

    def update(self, bar: Bar) -> int | None:
        before, average = self._average.value, self._average.update(bar.close)
        if before is None or average is None:
            return None
        self._change = change = 100.0 * (average / before - 1.0)
        side = sign(change, 1.0)
        return side if abs(change) >= self._least else 0

    def detail(self) -> str:
        return f"adaptive average moved {self._change:+.4f} %, {self._least:g} % counts"


class HullTrend:
    """1 while Hull's average rises, -1 while it falls."""

    spec = ComponentSpec(
        "hull_trend",
        STATE,
        "Hull average",
        "Follows the slope of Hull's average, which turns sooner than others of its length.",
        (candles("period", "Average length", (4, 400), 55, "Length of Hull's average."),),
        group="trend",
        directional=True,
        warmup=lambda p: p["period"] + int(p["period"] ** 0.5) + 1,
        sentence=lambda p: f"the {p['period']:g}-candle Hull average rises (long) or falls (short)",
    )

    def __init__(self, params: Params) -> None:
        self._average = Hull(int(params["period"]))
        self._last: float | None = None
        self._before = 0.0

    def update(self, bar: Bar) -> int | None:
        before, self._last = self._last, self._average.update(bar.close)
        if before is None or self._last is None:
            return None
        self._before = before
        # Three weighted means lose more digits than one.
        return sign(self._last - before, 100.0 * bar.close)

    def detail(self) -> str:
        return f"Hull average went from {self._before:.6g} to {self._last:.6g}"


class LinearSlope:
    """1 while the line through the last closes rises by the slope asked for, -1 while it falls."""

    spec = ComponentSpec(
        "linear_slope",
        STATE,
        "Regression slope",
        "Points along the straight line that fits the last closes best.",
        (
            candles("period", "Line length", (3, 500), 50, "Candles the line is drawn through."),
            number(
                "slope", "At least", (0, 5), 0.01, "Flatter lines count as none.", "% per candle"
            ),
        ),
        group="trend",
        directional=True,
        warmup=lambda p: p["period"],
        sentence=lambda p: (
            f"the regression line of {p['period']:g} closes rises (long) or falls (short) "
            f"by at least {p['slope']:g} % per candle"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._line = Line(int(params["period"]))
        self._least = float(params["slope"])
        self._slope = 0.0

    def update(self, bar: Bar) -> int | None:
        slope = self._line.update(bar.close)
        if slope is None:
            return None
        self._slope = share = 100.0 * slope / bar.close
        return sign(share, 1.0) if abs(share) >= self._least else 0

    def detail(self) -> str:
        return f"regression line moves {self._slope:+.4f} % per candle, {self._least:g} % counts"


class TrixCross:
    """1 on the candle where TRIX rises above zero, -1 where it falls below."""

    spec = ComponentSpec(
        "trix_cross",
        SIGNAL,
        "TRIX zero cross",
        "Goes with a thrice smoothed average when it turns, which leaves most noise out.",
        (candles("period", "Smoothing", (2, 100), 15, "Length of each of the three EMAs."),),
        group="trend",
        directional=True,
        warmup=lambda p: 3 * ema_settled(p["period"]),
        sentence=lambda p: f"the {p['period']:g}-candle TRIX crosses zero",
    )

    def __init__(self, params: Params) -> None:
        self._trix = Trix(int(params["period"]))
        self._crossing = Crossing()
        self._last = 0.0
        self._value = 0

    def update(self, bar: Bar) -> int | None:
        trix = self._trix.update(bar.close)
        if trix is None:
            return None
        self._last = trix
        self._value = value = self._crossing.update(sign(trix, 100.0))
        return value

    def detail(self) -> str:
        place = "above" if self._crossing.side > 0 else "below"
        verb = "crossed" if self._value else "stays"
        return f"TRIX {self._last:+.4f} % {verb} {place} zero"
