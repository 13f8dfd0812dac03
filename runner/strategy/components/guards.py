"""Components that look at the moment of entry: too far, too little room, too dear, too wild."""

from __future__ import annotations

from math import sqrt

from runner.strategy.components.parts import PASS, candles, number
from runner.strategy.indicators.averages import Ema, ema_settled, wilder_settled
from runner.strategy.indicators.volatility import Atr, HighLowSpread
from runner.strategy.spec import Bar, ComponentSpec, Params


class AverageDistance:
    """1 while the close is at most so far from its average."""

    spec = ComponentSpec(
        "average_distance",
        PASS,
        "Distance from average",
        "Keeps entries from running after a price that has already left its average.",
        (
            candles("period", "Average length", (2, 300), 20, "Length of the EMA."),
            number("percent", "At most", (0.01, 50), 1, "Largest distance.", "% of average"),
        ),
        group="trend",
        directional=False,
        warmup=lambda p: ema_settled(p["period"]),
        sentence=lambda p: (
            f"the close is within {p['percent']:g} % of its {p['period']:g}-candle EMA"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._mean = Ema(int(params["period"]))
        self._percent = float(params["percent"])
        self._distance = 0.0

    def update(self, bar: Bar) -> int | None:
        average = self._mean.update(bar.close)
        if average is None:
            return None
        self._distance = distance = 100.0 * (bar.close / average - 1.0)
        return 1 if abs(distance) <= self._percent else 0

    def detail(self) -> str:
        return f"close is {self._distance:+.3f} % from its average, ±{self._percent:g} % passes"


class MinimumMove:
    """1 while the move to be expected within the time to hold is worth the costs."""

    spec = ComponentSpec(
        "minimum_move",
        PASS,
        "Minimum potential move",
        "Keeps entries out when the move to be expected would not cover fees and spread.",
        (
            candles("period", "ATR length", (2, 100), 14, "Length of Wilder's ATR."),
            candles("horizon", "Time to hold", (1, 1000), 24, "The move grows with its root."),
            number("percent", "At least", (0.01, 50), 0.5, "Smallest move.", "% of price"),
        ),
        group="volatility",
        directional=False,
        warmup=lambda p: wilder_settled(p["period"]) + 1,
        sentence=lambda p: (
            f"the move to be expected in {p['horizon']:g} candles (ATR times the root of their "
            f"number) is at least {p['percent']:g} % of the price"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._atr = Atr(int(params["period"]))
        self._factor = 100.0 * sqrt(params["horizon"])
        self._percent = float(params["percent"])
        self._move = 0.0

    def update(self, bar: Bar) -> int | None:
        atr = self._atr.update(bar.high, bar.low, bar.close)
        if atr is None:
            return None
        self._move = move = self._factor * atr / bar.close
        return 1 if move >= self._percent else 0

    def detail(self) -> str:
        return f"a move of {self._move:.3f} % is to be expected, {self._percent:g} % passes"


class SpreadEstimate:
    """1 while the spread, estimated from highs and lows, is at most so wide."""

    spec = ComponentSpec(
        "spread_estimate",
        PASS,
        "Spread estimate",
        "Keeps entries out while highs and lows hint at a wide spread (Corwin and Schultz).",
        (
            candles("period", "Mean length", (2, 500), 60, "Pairs of candles in the mean."),
            number("percent", "At most", (0.001, 5), 0.2, "Widest spread.", "% of price"),
        ),
        group="volatility",
        directional=False,
        warmup=lambda p: p["period"] + 1,
        sentence=lambda p: (
            f"the spread estimated from {p['period']:g} candles is at most {p['percent']:g} %"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._spread = HighLowSpread(int(params["period"]))
        self._percent = float(params["percent"])
        self._last = 0.0

    def update(self, bar: Bar) -> int | None:
        spread = self._spread.update(bar.high, bar.low)
        if spread is None:
            return None
        self._last = spread
        return 1 if spread <= self._percent else 0

    def detail(self) -> str:
        return f"spread is estimated at {self._last:.4f} %, {self._percent:g} % at most passes"


class CandleRange:
    """1 while the candle reached at most so many times the usual."""

    spec = ComponentSpec(
        "candle_range",
        PASS,
        "Candle range",
        "Keeps entries out right after an outsize candle, when fills are worst.",
        (
            candles("period", "ATR length", (2, 100), 14, "ATR of the candles before."),
            number("multiple", "At most", (0.5, 20), 3, "Largest range that passes.", "ATR"),
        ),
        group="volatility",
        directional=False,
        warmup=lambda p: wilder_settled(p["period"]) + 2,
        sentence=lambda p: (
            f"the candle's range is at most {p['multiple']:g} times the {p['period']:g}-candle ATR"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._atr = Atr(int(params["period"]))
        self._multiple = float(params["multiple"])
        self._reach = self._most = 0.0

    def update(self, bar: Bar) -> int | None:
        usual = self._atr.value
        self._atr.update(bar.high, bar.low, bar.close)
        if usual is None:
            return None
        self._reach, self._most = reach, most = bar.high - bar.low, self._multiple * usual
        return 1 if reach <= most else 0

    def detail(self) -> str:
        return f"the candle spans {self._reach:.6g}, {self._most:.6g} at most passes"
