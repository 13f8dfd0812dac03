"""Components that listen to volume."""

from __future__ import annotations

from runner.strategy.components.parts import (
    FAST_BELOW_SLOW,
    PASS,
    SIGNAL,
    STATE,
    Crossing,
    candles,
    number,
    sign,
)
from runner.strategy.indicators.averages import Ema, Sma, ema_settled
from runner.strategy.indicators.rolling import STILL
from runner.strategy.indicators.volume import (
    ChaikinMoneyFlow,
    ChaikinOscillator,
    ForceIndex,
    MoneyFlowIndex,
    Obv,
)
from runner.strategy.spec import Bar, ComponentSpec, Params


class ObvTrend:
    """1 while on-balance volume is above its average, -1 while below."""

    spec = ComponentSpec(
        "obv_trend",
        STATE,
        "OBV trend",
        "Points to the side on which volume has been piling up.",
        (candles("period", "Average length", (2, 300), 20, "Length of the EMA over OBV."),),
        group="volume",
        directional=True,
        warmup=lambda p: ema_settled(p["period"]),
        sentence=lambda p: (
            f"on-balance volume is above its {p['period']:g}-candle EMA (long) or below it (short)"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._obv = Obv()
        self._mean = Ema(int(params["period"]))
        self._gap = self._scale = 0.0

    def update(self, bar: Bar) -> int | None:
        obv = self._obv.update(bar.close, bar.volume)
        mean = self._mean.update(obv)
        self._scale = max(self._scale, abs(obv))
        if mean is None:
            return None
        self._gap = gap = obv - mean
        tie = STILL * self._scale
        return (gap > tie) - (gap < -tie)

    def detail(self) -> str:
        return f"OBV is {self._gap:+.6g} from its average"


class VolumeSpike:
    """1 while the candle's volume is so many times the mean of those before."""

    spec = ComponentSpec(
        "volume_spike",
        PASS,
        "Volume spike",
        "Lets entries pass only on candles with far more volume than usual.",
        (
            candles("period", "Mean length", (2, 500), 20, "Candles before this one."),
            number("multiple", "At least", (0.1, 50), 2, "Smallest that passes.", "× mean"),
        ),
        group="volume",
        directional=False,
        warmup=lambda p: p["period"] + 1,
        sentence=lambda p: (
            f"volume is at least {p['multiple']:g} times the mean of {p['period']:g} candles"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._mean = Sma(int(params["period"]))
        self._usual: float | None = None
        self._multiple = float(params["multiple"])
        self._volume = self._compared = 0.0

    def update(self, bar: Bar) -> int | None:
        usual, self._usual = self._usual, self._mean.update(bar.volume)
        if usual is None:
            return None
        self._volume, self._compared = volume, usual = bar.volume, max(usual, 0.0)
        return 1 if volume > 0 and volume >= self._multiple * usual else 0

    def detail(self) -> str:
        needed = self._multiple * self._compared
        return f"volume is {self._volume:.6g}, {needed:.6g} passes"


class MinTurnover:
    """1 while the mean turnover per candle is at least so much."""

    spec = ComponentSpec(
        "min_turnover",
        PASS,
        "Minimum turnover",
        "Keeps entries out of a market too thin to leave again.",
        (
            candles("period", "Mean length", (1, 500), 60, "Candles of the mean."),
            number(
                "turnover",
                "At least",
                (0, 1e9),
                10_000,
                "Mean of volume times close per candle.",
                "quote currency",
            ),
        ),
        group="volume",
        directional=False,
        warmup=lambda p: p["period"],
        sentence=lambda p: (
            f"the mean turnover of {p['period']:g} candles is at least {p['turnover']:g} "
            "in quote currency"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._mean = Sma(int(params["period"]))
        self._least = float(params["turnover"])
        self._last = 0.0

    def update(self, bar: Bar) -> int | None:
        turnover = self._mean.update(bar.volume * bar.close)
        if turnover is None:
            return None
        self._last = turnover
        return 1 if turnover >= self._least else 0

    def detail(self) -> str:
        return f"mean turnover is {self._last:.6g}, {self._least:g} passes"


class MoneyFlowReversion:
    """1 when MFI comes back up through the lower bound, -1 when down through the upper."""

    spec = ComponentSpec(
        "mfi_reversion",
        SIGNAL,
        "Money flow reversion",
        "Bets on a return when the money flow index leaves its zone.",
        (
            candles("period", "MFI length", (2, 200), 14, "Candles that are added up."),
            number("lower", "Oversold below", (1, 49), 20, "Long when MFI rises back above."),
            number("upper", "Overbought above", (51, 99), 80, "Short when MFI falls back below."),
        ),
        group="volume",
        directional=True,
        warmup=lambda p: p["period"] + 2,
        sentence=lambda p: (
            f"the {p['period']:g}-candle money flow index comes back above {p['lower']:g} (long) "
            f"or below {p['upper']:g} (short)"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._index = MoneyFlowIndex(int(params["period"]))
        self._lower, self._upper = float(params["lower"]), float(params["upper"])
        self._last: float | None = None
        self._before = 0.0

    def update(self, bar: Bar) -> int | None:
        before = self._last
        self._last = now = self._index.update(bar.high, bar.low, bar.close, bar.volume)
        if before is None or now is None:
            return None
        self._before = before
        return (before < self._lower <= now) - (before > self._upper >= now)

    def detail(self) -> str:
        bounds = f"{self._lower:g} and {self._upper:g}"
        return f"MFI went from {self._before:.1f} to {self._last:.1f}, bounds are {bounds}"


class MoneyFlowSide:
    """1 while Chaikin's money flow is at the level or above, -1 at its negative or below."""

    spec = ComponentSpec(
        "chaikin_money_flow",
        STATE,
        "Chaikin money flow",
        "Points to where candles close within their range, weighted by volume.",
        (
            candles("period", "Length", (2, 300), 20, "Candles that are added up."),
            number("level", "At least", (0.01, 0.9), 0.05, "Smaller readings count as none."),
        ),
        group="volume",
        directional=True,
        warmup=lambda p: p["period"],
        sentence=lambda p: (
            f"the {p['period']:g}-candle Chaikin money flow is at least {p['level']:g} (long) "
            f"or at most -{p['level']:g} (short)"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._flow = ChaikinMoneyFlow(int(params["period"]))
        self._level = float(params["level"])
        self._last = 0.0

    def update(self, bar: Bar) -> int | None:
        flow = self._flow.update(bar.high, bar.low, bar.close, bar.volume)
        if flow is None:
            return None
        self._last = flow
        return (flow >= self._level) - (flow <= -self._level)

    def detail(self) -> str:
        return f"Chaikin money flow is {self._last:+.3f}, {self._level:g} counts"


class ChaikinOscillatorCross:
    """1 on the candle where Chaikin's oscillator rises above zero, -1 where it falls below."""

    spec = ComponentSpec(
        "chaikin_oscillator",
        SIGNAL,
        "Chaikin oscillator",
        "Goes with accumulation when its fast average crosses the slow one.",
        (
            candles("fast", "Fast average", (2, 100), 3, "Length of the fast EMA."),
            candles("slow", "Slow average", (3, 200), 10, "Length of the slow EMA."),
        ),
        group="volume",
        directional=True,
        warmup=lambda p: ema_settled(p["slow"]) + 1,
        sentence=lambda p: f"the Chaikin oscillator ({p['fast']:g}, {p['slow']:g}) crosses zero",
        faults=FAST_BELOW_SLOW,
    )

    def __init__(self, params: Params) -> None:
        self._oscillator = ChaikinOscillator(int(params["fast"]), int(params["slow"]))
        self._crossing = Crossing()
        self._last = 0.0
        self._value = 0

    def update(self, bar: Bar) -> int | None:
        last = self._oscillator.update(bar.high, bar.low, bar.close, bar.volume)
        if last is None:
            return None
        self._last = last
        self._value = value = self._crossing.update((last > 0) - (last < 0))
        return value

    def detail(self) -> str:
        place = "above" if self._crossing.side > 0 else "below"
        verb = "crossed" if self._value else "stays"
        return f"Chaikin oscillator {self._last:+.6g} {verb} {place} zero"


class ForceSide:
    """1 while the smoothed force index is above zero, -1 while below."""

    spec = ComponentSpec(
        "force_index",
        STATE,
        "Force index",
        "Points to the side whose price changes carry the volume.",
        (candles("period", "Smoothing", (2, 200), 13, "Length of the EMA."),),
        group="volume",
        directional=True,
        warmup=lambda p: ema_settled(p["period"]) + 1,
        sentence=lambda p: (
            f"the {p['period']:g}-candle force index is above zero (long) or below it (short)"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._force = ForceIndex(int(params["period"]))
        self._last = 0.0

    def update(self, bar: Bar) -> int | None:
        force = self._force.update(bar.close, bar.volume)
        if force is None:
            return None
        self._last = force
        return sign(force, bar.close * bar.volume)

    def detail(self) -> str:
        return f"force index is {self._last:+.6g}"
