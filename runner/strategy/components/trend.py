"""Components that go with the trend: where averages and the price stand to each other."""

from __future__ import annotations

from runner.strategy.components.parts import (
    FAST_BELOW_SLOW,
    SIGNAL,
    STATE,
    Crossing,
    candles,
    number,
    rising,
    sign,
)
from runner.strategy.indicators.averages import Ema, Sma, ema_settled
from runner.strategy.indicators.rolling import STILL
from runner.strategy.spec import Bar, ComponentSpec, Params


class EmaCross:
    """1 on the candle where the fast average rises above the slow one, -1 where it falls below."""

    spec = ComponentSpec(
        "ema_cross",
        SIGNAL,
        "EMA cross",
        "Goes with the trend when a fast exponential average crosses a slow one.",
        (
            candles("fast", "Fast average", (2, 200), 12, "Length of the fast EMA."),
            candles("slow", "Slow average", (3, 300), 26, "Length of the slow EMA."),
        ),
        group="trend",
        directional=True,
        warmup=lambda p: ema_settled(p["slow"]),
        sentence=lambda p: f"the {p['fast']:g}-candle EMA crosses the {p['slow']:g}-candle EMA",
        faults=FAST_BELOW_SLOW,
    )

    def __init__(self, params: Params) -> None:
        self._fast = Ema(int(params["fast"]))
        self._slow = Ema(int(params["slow"]))
        self._side = self._value = 0

    def update(self, bar: Bar) -> int | None:
        close = bar.close
        fast, slow = self._fast.update(close), self._slow.update(close)
        if fast is None or slow is None:
            return None
        gap = fast - slow
        side = self._side
        if (gap > 0) if side > 0 else (gap < 0 and side < 0):
            self._value = 0
            return 0
        # Rounding is no crossing: in a still market both averages end at the same price.
        tie = STILL * close
        now = (gap > tie) - (gap < -tie)
        if now in (0, side):
            self._value = 0
            return 0
        self._side = now
        self._value = value = now if side else 0
        return value

    def detail(self) -> str:
        place = "above" if self._side > 0 else "below"
        verb = "crossed" if self._value else "stays"
        return (
            f"fast EMA {verb} {place} slow EMA ({self._fast.value:.6g} and {self._slow.value:.6g})"
        )


class SmaCross:
    """1 on the candle where the fast average rises above the slow one, -1 where it falls below."""

    spec = ComponentSpec(
        "sma_cross",
        SIGNAL,
        "SMA cross",
        "Goes with the trend when a fast simple average crosses a slow one.",
        (
            candles("fast", "Fast average", (2, 200), 50, "Length of the fast SMA."),
            candles("slow", "Slow average", (3, 500), 200, "Length of the slow SMA."),
        ),
        group="trend",
        directional=True,
        warmup=lambda p: p["slow"] + 1,
        sentence=lambda p: f"the {p['fast']:g}-candle SMA crosses the {p['slow']:g}-candle SMA",
        faults=FAST_BELOW_SLOW,
    )

    def __init__(self, params: Params) -> None:
        self._fast, self._slow = Sma(int(params["fast"])), Sma(int(params["slow"]))
        self._crossing = Crossing()
        self._levels = (0.0, 0.0)
        self._value = 0

    def update(self, bar: Bar) -> int | None:
        close = bar.close
        fast, slow = self._fast.update(close), self._slow.update(close)
        if fast is None or slow is None:
            return None
        self._levels = (fast, slow)
        self._value = value = self._crossing.update(sign(fast - slow, close))
        return value

    def detail(self) -> str:
        place = "above" if self._crossing.side > 0 else "below"
        verb = "crossed" if self._value else "stays"
        fast, slow = self._levels
        return f"fast SMA {verb} {place} slow SMA ({fast:.6g} and {slow:.6g})"


class EmaTrend:
    """1 while the fast average is above the slow one, -1 while below."""

    spec = ComponentSpec(
        "ema_trend",
        STATE,
        "EMA trend",
        "Points up for as long as a fast exponential average is above a slow one.",
        (
            candles("fast", "Fast average", (2, 200), 20, "Length of the fast EMA."),
            candles("slow", "Slow average", (3, 500), 50, "Length of the slow EMA."),
        ),
        group="trend",
        directional=True,
        warmup=lambda p: ema_settled(p["slow"]),
        sentence=lambda p: (
            f"the {p['fast']:g}-candle EMA is above the {p['slow']:g}-candle EMA (long) "
            "or below it (short)"
        ),
        faults=FAST_BELOW_SLOW,
    )

    def __init__(self, params: Params) -> None:
        self._fast, self._slow = Ema(int(params["fast"])), Ema(int(params["slow"]))
        self._value = 0

    def update(self, bar: Bar) -> int | None:
        fast, slow = self._fast.update(bar.close), self._slow.update(bar.close)
        if fast is None or slow is None:
            return None
        self._value = value = sign(fast - slow, bar.close)
        return value

    def detail(self) -> str:
        place = ("level with", "above", "below")[self._value]
        return f"fast EMA {self._fast.value:.6g} is {place} slow EMA {self._slow.value:.6g}"


class PriceVsAverage:
    """1 while the close is above its average by the margin, -1 while below."""

    spec = ComponentSpec(
        "price_vs_average",
        STATE,
        "Price against average",
        "Points up while the close is above a long simple average, down while below.",
        (
            candles("period", "Average length", (2, 500), 200, "Length of the SMA."),
            number(
                "margin",
                "Margin",
                (0, 20),
                0,
                "Closer to the average than this counts as neither.",
                "% of average",
            ),
        ),
        group="trend",
        directional=True,
        warmup=lambda p: p["period"],
        sentence=lambda p: (
            f"the close is above its {p['period']:g}-candle SMA (long) or below it (short)"
            + (f" by at least {p['margin']:g} %" if p["margin"] else "")
        ),
    )

    def __init__(self, params: Params) -> None:
        self._mean = Sma(int(params["period"]))
        self._margin = float(params["margin"]) / 100.0
        self._close = self._average = 0.0

    def update(self, bar: Bar) -> int | None:
        average = self._mean.update(bar.close)
        if average is None:
            return None
        self._close = close = bar.close
        self._average = average
        margin = average * (self._margin + STILL)
        return (close > average + margin) - (close < average - margin)

    def detail(self) -> str:
        distance = 100.0 * (self._close / self._average - 1.0)
        return f"close {self._close:.6g} is {distance:+.3f} % from its average {self._average:.6g}"


class AverageRibbon:
    """1 while short, middle and long EMA lie in rising order, -1 while in falling order."""

    spec = ComponentSpec(
        "average_ribbon",
        STATE,
        "Average ribbon",
        "Points along the trend only while three exponential averages lie in order.",
        (
            candles("short", "Short average", (2, 100), 8, "Length of the shortest EMA."),
            candles("middle", "Middle average", (3, 200), 21, "Length of the middle EMA."),
            candles("long", "Long average", (4, 500), 55, "Length of the longest EMA."),
        ),
        group="trend",
        directional=True,
        warmup=lambda p: ema_settled(p["long"]),
        sentence=lambda p: (
            f"the EMAs of {p['short']:g}, {p['middle']:g} and {p['long']:g} candles lie in order, "
            "shortest on top (long) or at the bottom (short)"
        ),
        faults=lambda p: [
            *rising("short", "middle", "The short average must be shorter than the middle one.")(p),
            *rising("middle", "long", "The middle average must be shorter than the long one.")(p),
        ],
    )

    def __init__(self, params: Params) -> None:
        self._averages = tuple(Ema(int(params[n])) for n in ("short", "middle", "long"))
        self._value = 0

    def update(self, bar: Bar) -> int | None:
        close = bar.close
        short, middle, long = (average.update(close) for average in self._averages)
        if short is None or middle is None or long is None:
            return None
        upper, lower = sign(short - middle, close), sign(middle - long, close)
        self._value = value = upper if upper == lower else 0
        return value

    def detail(self) -> str:
        order = ("in no order", "in rising order", "in falling order")[self._value]
        levels = ", ".join(f"{average.value:.6g}" for average in self._averages)
        return f"averages {levels} lie {order}"
