"""Components that ask how far prices move."""

from __future__ import annotations

from runner.strategy.components.parts import PASS, candles, number, rising
from runner.strategy.indicators.averages import ema_settled, wilder_settled
from runner.strategy.indicators.rolling import Rank
from runner.strategy.indicators.volatility import (
    Atr,
    Bollinger,
    Choppiness,
    HistoricalVolatility,
    Keltner,
)
from runner.strategy.spec import Bar, ComponentSpec, Params

_ATR = candles("period", "ATR length", (2, 100), 14, "Length of Wilder's ATR.")
_FLOOR_BELOW_CEILING = rising("lower", "upper", "The lower bound must be below the upper one.")


class MinVolatility:
    """1 while the average true range is at least a share of the price."""

    spec = ComponentSpec(
        "min_volatility",
        PASS,
        "Minimum volatility",
        "Lets entries pass only while candles move enough to pay the fees.",
        (_ATR, number("percent", "At least", (0.001, 20), 0.1, "Smallest ATR.", "% of price")),
        group="volatility",
        directional=False,
        warmup=lambda p: wilder_settled(p["period"]) + 1,
        sentence=lambda p: (
            f"the {p['period']:g}-candle ATR is at least {p['percent']:g} % of the price"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._atr = Atr(int(params["period"]))
        self._percent = float(params["percent"])
        self._share = 0.0

    def update(self, bar: Bar) -> int | None:
        atr = self._atr.update(bar.high, bar.low, bar.close)
        if atr is None:
            return None
        self._share = share = 100.0 * atr / bar.close
        return 1 if share >= self._percent else 0

    def detail(self) -> str:
        place = "below" if self._share < self._percent else "at least"
        return f"ATR is {self._share:.3f} % of the price, {place} {self._percent:g} %"


class MaxVolatility:
    """1 while the average true range is at most a share of the price."""

    spec = ComponentSpec(
        "max_volatility",
        PASS,
        "Maximum volatility",
        "Keeps entries out of a market that moves too wildly.",
        (_ATR, number("percent", "At most", (0.01, 50), 2, "Largest ATR.", "% of price")),
        group="volatility",
        directional=False,
        warmup=lambda p: wilder_settled(p["period"]) + 1,
        sentence=lambda p: (
            f"the {p['period']:g}-candle ATR is at most {p['percent']:g} % of the price"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._atr = Atr(int(params["period"]))
        self._percent = float(params["percent"])
        self._share = 0.0

    def update(self, bar: Bar) -> int | None:
        atr = self._atr.update(bar.high, bar.low, bar.close)
        if atr is None:
            return None
        self._share = share = 100.0 * atr / bar.close
        return 1 if share <= self._percent else 0

    def detail(self) -> str:
        return f"ATR is {self._share:.3f} % of the price, {self._percent:g} % at most passes"


class HistoricalVolatilityRange:
    """1 while the deviation of log returns lies between two bounds."""

    spec = ComponentSpec(
        "historical_volatility",
        PASS,
        "Historical volatility",
        "Lets entries pass while the scatter of returns lies between two bounds.",
        (
            candles("period", "Length", (5, 1000), 48, "Candles of returns."),
            number("lower", "At least", (0, 50), 0.05, "Lower bound.", "% per candle"),
            number("upper", "At most", (0.001, 100), 2, "Upper bound.", "% per candle"),
        ),
        group="volatility",
        directional=False,
        warmup=lambda p: p["period"] + 1,
        sentence=lambda p: (
            f"the returns of {p['period']:g} candles scatter by {p['lower']:g} to "
            f"{p['upper']:g} % per candle"
        ),
        faults=_FLOOR_BELOW_CEILING,
    )

    def __init__(self, params: Params) -> None:
        self._volatility = HistoricalVolatility(int(params["period"]))
        self._lower, self._upper = float(params["lower"]), float(params["upper"])
        self._last = 0.0

    def update(self, bar: Bar) -> int | None:
        volatility = self._volatility.update(bar.close)
        if volatility is None:
            return None
        self._last = volatility
        return 1 if self._lower <= volatility <= self._upper else 0

    def detail(self) -> str:
        bounds = f"{self._lower:g} to {self._upper:g} %"
        return f"volatility is {self._last:.3f} % per candle, {bounds} passes"


class VolatilityRegime:
    """1 while short volatility is, measured in long volatility, between two ratios."""

    spec = ComponentSpec(
        "volatility_regime",
        PASS,
        "Volatility regime",
        "Tells calm from stormy by recent volatility against that of a longer past.",
        (
            candles("short", "Recent length", (5, 200), 24, "Candles of recent returns."),
            candles("long", "Past length", (10, 1000), 240, "Candles of past returns."),
            number("lower", "At least", (0, 10), 0.5, "Below it the market is too calm.", "×"),
            number("upper", "At most", (0.01, 20), 1.5, "Above it it is too stormy.", "×"),
        ),
        group="volatility",
        directional=False,
        warmup=lambda p: max(p["short"], p["long"]) + 1,
        sentence=lambda p: (
            f"the volatility of {p['short']:g} candles is {p['lower']:g} to {p['upper']:g} times "
            f"that of {p['long']:g}"
        ),
        faults=lambda p: [
            *_FLOOR_BELOW_CEILING(p),
            *rising("short", "long", "The recent length must be shorter than the past.")(p),
        ],
    )

    def __init__(self, params: Params) -> None:
        self._short = HistoricalVolatility(int(params["short"]))
        self._long = HistoricalVolatility(int(params["long"]))
        self._lower, self._upper = float(params["lower"]), float(params["upper"])
        self._ratio = 0.0

    def update(self, bar: Bar) -> int | None:
        short, long = self._short.update(bar.close), self._long.update(bar.close)
        if short is None or long is None:
            return None
        self._ratio = ratio = short / long if long else 1.0
        return 1 if self._lower <= ratio <= self._upper else 0

    def detail(self) -> str:
        bounds = f"{self._lower:g} to {self._upper:g}"
        return f"recent volatility is {self._ratio:.2f} times the past one, {bounds} passes"


class Squeeze:
    """1 while the Bollinger bands lie inside the Keltner channel."""

    spec = ComponentSpec(
        "squeeze",
        PASS,
        "Squeeze",
        "Lets entries pass while the market is wound up: Bollinger inside Keltner.",
        (
            candles("period", "Length", (5, 200), 20, "Length of both averages and of the ATR."),
            number("width", "Bollinger width", (0.5, 5), 2, "Bands.", "standard deviations"),
            number("multiple", "Keltner width", (0.5, 5), 1.5, "Channel.", "ATR"),
        ),
        group="volatility",
        directional=False,
        warmup=lambda p: max(ema_settled(p["period"]), wilder_settled(p["period"]) + 1),
        sentence=lambda p: (
            f"the {p['period']:g}-candle Bollinger bands ({p['width']:g}) lie inside the Keltner "
            f"channel ({p['multiple']:g} ATR)"
        ),
    )

    def __init__(self, params: Params) -> None:
        period = int(params["period"])
        self._bollinger = Bollinger(period, float(params["width"]))
        self._keltner = Keltner(period, period, float(params["multiple"]))
        self._inside = False

    def update(self, bar: Bar) -> int | None:
        bollinger, keltner = self._bollinger, self._keltner
        half = bollinger.update(bar.close)
        whole = keltner.update(bar.high, bar.low, bar.close)
        if half is None or whole is None:
            return None
        self._inside = bollinger.upper < keltner.upper and bollinger.lower > keltner.lower
        return 1 if self._inside else 0

    def detail(self) -> str:
        said = f"{self._bollinger.lower:.6g} to {self._bollinger.upper:.6g}"
        channel = f"{self._keltner.lower:.6g} to {self._keltner.upper:.6g}"
        return f"bands {said} are {'' if self._inside else 'not '}inside the channel {channel}"


class BandwidthRank:
    """1 while the Bollinger bandwidth is low among its own past."""

    spec = ComponentSpec(
        "bandwidth_rank",
        PASS,
        "Bandwidth rank",
        "Lets entries pass while the Bollinger bands are narrow by their own past.",
        (
            candles("period", "Band length", (5, 200), 20, "Length of the bands."),
            candles("past", "Compared with", (10, 1000), 120, "Candles the rank is taken among."),
            number("percent", "Narrower than", (1, 99), 25, "Largest rank that passes.", "%"),
        ),
        group="volatility",
        directional=False,
        warmup=lambda p: p["period"] + p["past"] - 1,
        sentence=lambda p: (
            f"the {p['period']:g}-candle Bollinger bandwidth is among the narrowest "
            f"{p['percent']:g} % of {p['past']:g} candles"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._bands = Bollinger(int(params["period"]), 2.0)
        self._rank = Rank(int(params["past"]))
        self._percent = float(params["percent"])
        self._last = 0.0

    def update(self, bar: Bar) -> int | None:
        half = self._bands.update(bar.close)
        rank = None if half is None else self._rank.update(half / self._bands.middle)
        if rank is None:
            return None
        self._last = rank
        return 1 if rank <= self._percent else 0

    def detail(self) -> str:
        return f"bandwidth ranks at {self._last:.0f} %, {self._percent:g} % at most passes"


class ChoppinessLimit:
    """1 while the choppiness index is at most the level."""

    spec = ComponentSpec(
        "choppiness",
        PASS,
        "Choppiness",
        "Keeps entries out of a market whose candles lead nowhere.",
        (
            candles("period", "Length", (3, 200), 14, "Candles that are added up."),
            number("level", "At most", (10, 90), 50, "Largest index that passes."),
        ),
        group="volatility",
        directional=False,
        warmup=lambda p: p["period"] + 1,
        sentence=lambda p: f"the {p['period']:g}-candle choppiness is at most {p['level']:g}",
    )

    def __init__(self, params: Params) -> None:
        self._choppiness = Choppiness(int(params["period"]))
        self._level = float(params["level"])
        self._last = 0.0

    def update(self, bar: Bar) -> int | None:
        choppiness = self._choppiness.update(bar.high, bar.low, bar.close)
        if choppiness is None:
            return None
        self._last = choppiness
        return 1 if choppiness <= self._level else 0

    def detail(self) -> str:
        return f"choppiness is {self._last:.1f}, {self._level:g} at most passes"
