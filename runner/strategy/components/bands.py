"""Components that follow the price out of a band, or bet on its way back from far off."""

from __future__ import annotations

from runner.strategy.components.parts import SIGNAL, STATE, candles, number
from runner.strategy.indicators.averages import ema_settled, wilder_settled
from runner.strategy.indicators.rolling import Spread
from runner.strategy.indicators.volatility import Atr, Bollinger, Keltner
from runner.strategy.spec import Bar, ComponentSpec, Params

_BOLLINGER = (
    candles("period", "Band length", (2, 300), 20, "Length of the SMA and of the deviation."),
    number("width", "Width", (0.5, 5), 2, "Distance of the bands.", "standard deviations"),
)
_KELTNER = (
    candles("period", "Average length", (2, 300), 20, "Length of the EMA."),
    candles("atr", "ATR length", (2, 100), 10, "Length of Wilder's ATR."),
    number("width", "Width", (0.5, 10), 2, "Distance of the bands.", "ATR"),
)


class _Band:
    """Outside or inside a band: what both kinds of trade need to know."""

    def __init__(self) -> None:
        self._outside = self._before = 0
        self._close = self._lower = self._upper = 0.0

    def _locate(self, close: float, lower: float, upper: float) -> None:
        self._close, self._lower, self._upper = close, lower, upper
        self._before, self._outside = self._outside, (close > upper) - (close < lower)

    def detail(self) -> str:
        place = ("inside", "above", "below")[self._outside]
        return f"close {self._close:.6g} is {place} the band {self._lower:.6g} to {self._upper:.6g}"


class BollingerReversion(_Band):
    """1 when the close comes back above the lower band, -1 when back below the upper."""

    spec = ComponentSpec(
        "bollinger_reversion",
        SIGNAL,
        "Bollinger reversion",
        "Bets on a return when the close comes back inside the Bollinger bands.",
        _BOLLINGER,
        group="mean reversion",
        directional=True,
        warmup=lambda p: p["period"] + 1,
        sentence=lambda p: (
            f"the close comes back inside the lower (long) or upper (short) Bollinger band "
            f"({p['period']:g}, {p['width']:g})"
        ),
    )

    def __init__(self, params: Params) -> None:
        super().__init__()
        self._bands = Bollinger(int(params["period"]), float(params["width"]))

    def update(self, bar: Bar) -> int | None:
        if self._bands.update(bar.close) is None:
            return None
        self._locate(bar.close, self._bands.lower, self._bands.upper)
        return 0 if self._outside else -self._before


class KeltnerReversion(_Band):
    """1 when the close comes back above the lower band, -1 when back below the upper."""

    spec = ComponentSpec(
        "keltner_reversion",
        SIGNAL,
        "Keltner reversion",
        "Bets on a return when the close comes back inside the Keltner channel.",
        _KELTNER,
        group="mean reversion",
        directional=True,
        warmup=lambda p: max(ema_settled(p["period"]), wilder_settled(p["atr"]) + 1) + 1,
        sentence=lambda p: (
            f"the close comes back inside the lower (long) or upper (short) Keltner band "
            f"({p['period']:g}, {p['width']:g} ATR)"
        ),
    )

    def __init__(self, params: Params) -> None:
        super().__init__()
        self._bands = Keltner(int(params["period"]), int(params["atr"]), float(params["width"]))

    def update(self, bar: Bar) -> int | None:
        if self._bands.update(bar.high, bar.low, bar.close) is None:
            return None
        self._locate(bar.close, self._bands.lower, self._bands.upper)
        return 0 if self._outside else -self._before


class BollingerBreakout(_Band):
    """1 on the close that leaves the upper band, -1 on the one that leaves the lower."""

    spec = ComponentSpec(
        "bollinger_breakout",
        SIGNAL,
        "Bollinger breakout",
        "Follows a close that leaves the Bollinger bands.",
        _BOLLINGER,
        group="volatility",
        directional=True,
        warmup=lambda p: p["period"] + 1,
        sentence=lambda p: (
            f"the close leaves the upper (long) or lower (short) Bollinger band "
            f"({p['period']:g}, {p['width']:g})"
        ),
    )

    def __init__(self, params: Params) -> None:
        super().__init__()
        self._bands = Bollinger(int(params["period"]), float(params["width"]))

    def update(self, bar: Bar) -> int | None:
        if self._bands.update(bar.close) is None:
            return None
        self._locate(bar.close, self._bands.lower, self._bands.upper)
        return 0 if self._outside == self._before else self._outside


class KeltnerBreakout(_Band):
    """1 on the close that leaves the upper band, -1 on the one that leaves the lower."""

    spec = ComponentSpec(
        "keltner_breakout",
        SIGNAL,
        "Keltner breakout",
        "Follows a close that leaves the Keltner channel.",
        _KELTNER,
        group="volatility",
        directional=True,
        warmup=lambda p: max(ema_settled(p["period"]), wilder_settled(p["atr"]) + 1) + 1,
        sentence=lambda p: (
            f"the close leaves the upper (long) or lower (short) Keltner band "
            f"({p['period']:g}, {p['width']:g} ATR)"
        ),
    )

    def __init__(self, params: Params) -> None:
        super().__init__()
        self._bands = Keltner(int(params["period"]), int(params["atr"]), float(params["width"]))

    def update(self, bar: Bar) -> int | None:
        if self._bands.update(bar.high, bar.low, bar.close) is None:
            return None
        self._locate(bar.close, self._bands.lower, self._bands.upper)
        return 0 if self._outside == self._before else self._outside


class VolatilityBreakout:
    """1 when the close is so many ATR above the close before, -1 when so many below."""

    spec = ComponentSpec(
        "volatility_breakout",
        SIGNAL,
        "Volatility breakout",
        "Follows a candle that moves several times the usual.",
        (
            candles("period", "ATR length", (2, 100), 14, "Length of Wilder's ATR."),
            number("multiple", "At least", (0.2, 10), 1.5, "Change of the close.", "ATR"),
        ),
        group="volatility",
        directional=True,
        warmup=lambda p: wilder_settled(p["period"]) + 2,
        sentence=lambda p: (
            f"the close moves at least {p['multiple']:g} times the {p['period']:g}-candle ATR "
            "from the close before"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._atr = Atr(int(params["period"]))
        self._multiple = float(params["multiple"])
        self._close = self._change = self._reach = 0.0

    def update(self, bar: Bar) -> int | None:
        usual, before = self._atr.value, self._close
        self._atr.update(bar.high, bar.low, bar.close)
        self._close = bar.close
        if usual is None:
            return None
        self._change = change = bar.close - before
        self._reach = reach = usual * self._multiple
        return (change >= reach and change > 0) - (change <= -reach and change < 0)

    def detail(self) -> str:
        return f"close moved {self._change:+.6g}, {self._reach:.6g} counts"


class ZScore:
    """1 while the close is so many deviations below its mean, -1 while above."""

    spec = ComponentSpec(
        "z_score",
        STATE,
        "Z-score",
        "Bets on a return while the close is unusually far from its mean.",
        (
            candles("period", "Length", (3, 500), 50, "Candles of mean and deviation."),
            number("level", "At least", (0.5, 6), 2, "Distance.", "standard deviations"),
        ),
        group="mean reversion",
        directional=True,
        warmup=lambda p: p["period"],
        sentence=lambda p: (
            f"the close is at least {p['level']:g} standard deviations below (long) or above "
            f"(short) the mean of {p['period']:g} candles"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._spread = Spread(int(params["period"]))
        self._level = float(params["level"])
        self._score = 0.0

    def update(self, bar: Bar) -> int | None:
        deviation = self._spread.update(bar.close)
        if deviation is None:
            return None
        self._score = score = (bar.close - self._spread.mean) / deviation if deviation else 0.0
        return (score <= -self._level) - (score >= self._level)

    def detail(self) -> str:
        return f"z-score is {self._score:+.2f}, {self._level:g} counts"


class StreakFade:
    """-1 after so many rising closes in a row, 1 after so many falling ones."""

    spec = ComponentSpec(
        "streak_fade",
        STATE,
        "Streak fade",
        "Bets on a return after several closes in a row in one direction.",
        (candles("count", "Closes in a row", (2, 20), 5, "Changes in the same direction."),),
        group="mean reversion",
        directional=True,
        warmup=lambda p: p["count"] + 1,
        sentence=lambda p: f"at least {p['count']:g} closes in a row fell (long) or rose (short)",
    )

    def __init__(self, params: Params) -> None:
        self._count = int(params["count"])
        self._seen = self._streak = 0
        self._close = 0.0

    def update(self, bar: Bar) -> int | None:
        before, self._close = self._close, bar.close
        seen, self._seen = self._seen, self._seen + 1
        if seen:
            side = (bar.close > before) - (bar.close < before)
            self._streak = self._streak + side if side * self._streak > 0 else side
        if seen < self._count:
            return None
        return (self._streak <= -self._count) - (self._streak >= self._count)

    def detail(self) -> str:
        way = "rose" if self._streak > 0 else "fell"
        return f"the last {abs(self._streak)} closes {way}, {self._count} count"
