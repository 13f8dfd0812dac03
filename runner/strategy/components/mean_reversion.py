"""Components that bet on a return: oscillators that leave their zone."""

from __future__ import annotations

from runner.strategy.components.parts import SIGNAL, candles, number
from runner.strategy.indicators.averages import wilder_settled
from runner.strategy.indicators.oscillators import (
    Cci,
    Position,
    Rsi,
    Stochastic,
    StochRsi,
    Ultimate,
)
from runner.strategy.spec import Bar, ComponentSpec, Parameter, Params


def _zones(what: str, lower: float, upper: float) -> tuple[Parameter, Parameter]:
    about = "Long when it rises back above.", "Short when it falls back below."
    return (
        number("lower", "Oversold below", (1, 49), lower, f"{what} from 0 to 100. {about[0]}"),
        number("upper", "Overbought above", (51, 99), upper, f"{what} from 0 to 100. {about[1]}"),
    )


def _returns(what: str, p: Params) -> str:
    return f"the {what} comes back above {p['lower']:g} (long) or below {p['upper']:g} (short)"


class _Return:
    """1 when a value comes back up through the lower bound, -1 when down through the upper."""

    title = ""

    def __init__(self, lower: float, upper: float) -> None:
        self._lower, self._upper = float(lower), float(upper)
        self._last: float | None = None
        self._value = 0

    def _judge(self, now: float | None) -> int | None:
        before, self._last = self._last, now
        if now is None or before is None:
            return None
        if before < self._lower <= now:
            self._value = 1
        elif before > self._upper >= now:
            self._value = -1
        else:
            self._value = 0
        return self._value

    def detail(self) -> str:
        said = f"{self.title} {self._last:.1f}"
        if self._value > 0:
            return f"{said} rose back above {self._lower:g}"
        if self._value < 0:
            return f"{said} fell back below {self._upper:g}"
        return f"{said}, no return through {self._lower:g} or {self._upper:g}"


class RsiReversion(_Return):
    """RSI leaves its zone."""

    title = "RSI"
    spec = ComponentSpec(
        "rsi_reversion",
        SIGNAL,
        "RSI reversion",
        "Bets on a return when RSI leaves its oversold or overbought zone.",
        (
            candles("period", "RSI length", (2, 100), 14, "Length of Wilder's RSI."),
            *_zones("RSI runs", 30, 70),
        ),
        group="mean reversion",
        directional=True,
        warmup=lambda p: wilder_settled(p["period"]) + 2,
        sentence=lambda p: _returns(f"{p['period']:g}-candle RSI", p),
    )

    def __init__(self, params: Params) -> None:
        super().__init__(params["lower"], params["upper"])
        self._rsi = Rsi(int(params["period"]))

    def update(self, bar: Bar) -> int | None:
        return self._judge(self._rsi.update(bar.close))


class StochasticReversion(_Return):
    """The slow stochastic's %D leaves its zone."""

    title = "%D"
    spec = ComponentSpec(
        "stochastic_reversion",
        SIGNAL,
        "Stochastic reversion",
        "Bets on a return when the slow stochastic leaves its oversold or overbought zone.",
        (
            candles("period", "Range length", (2, 200), 14, "Candles of the range."),
            candles("smooth_k", "%K smoothing", (1, 50), 3, "Simple mean over the raw %K."),
            candles("smooth_d", "%D smoothing", (1, 50), 3, "Simple mean over %K."),
            *_zones("%D runs", 20, 80),
        ),
        group="mean reversion",
        directional=True,
        warmup=lambda p: p["period"] + p["smooth_k"] + p["smooth_d"] - 1,
        sentence=lambda p: _returns(
            f"stochastic %D ({p['period']:g}, {p['smooth_k']:g}, {p['smooth_d']:g})", p
        ),
    )

    def __init__(self, params: Params) -> None:
        super().__init__(params["lower"], params["upper"])
        self._stochastic = Stochastic(
            int(params["period"]), int(params["smooth_k"]), int(params["smooth_d"])
        )

    def update(self, bar: Bar) -> int | None:
        return self._judge(self._stochastic.update(bar.high, bar.low, bar.close))


class StochRsiReversion(_Return):
    """The stochastic of RSI leaves its zone."""

    title = "StochRSI"
    spec = ComponentSpec(
        "stoch_rsi_reversion",
        SIGNAL,
        "StochRSI reversion",
        "Bets on a return when RSI leaves the edge of its own recent range.",
        (
            candles("rsi", "RSI length", (2, 100), 14, "Length of Wilder's RSI."),
            candles("period", "Range length", (2, 200), 14, "RSI readings of the range."),
            *_zones("StochRSI runs", 20, 80),
        ),
        group="mean reversion",
        directional=True,
        warmup=lambda p: wilder_settled(p["rsi"]) + p["period"] + 2,
        sentence=lambda p: _returns(f"StochRSI ({p['rsi']:g}, {p['period']:g})", p),
    )

    def __init__(self, params: Params) -> None:
        super().__init__(params["lower"], params["upper"])
        self._stochastic = StochRsi(int(params["rsi"]), int(params["period"]))

    def update(self, bar: Bar) -> int | None:
        return self._judge(self._stochastic.update(bar.close))


class WilliamsReversion(_Return):
    """Williams' %R leaves its zone."""

    title = "%R"
    spec = ComponentSpec(
        "williams_reversion",
        SIGNAL,
        "Williams %R reversion",
        "Bets on a return when the close leaves the edge of its recent range.",
        (
            candles("period", "Range length", (2, 200), 14, "Candles of the range."),
            number("lower", "Oversold below", (-99, -51), -80, "Long when %R rises back above."),
            number("upper", "Overbought above", (-49, -1), -20, "Short when %R falls back below."),
        ),
        group="mean reversion",
        directional=True,
        warmup=lambda p: p["period"] + 1,
        sentence=lambda p: _returns(f"{p['period']:g}-candle Williams %R", p),
    )

    def __init__(self, params: Params) -> None:
        super().__init__(params["lower"], params["upper"])
        self._place = Position(int(params["period"]))

    def update(self, bar: Bar) -> int | None:
        place = self._place.update(bar.high, bar.low, bar.close)
        # A range without height is no place at all; the middle takes no side.
        return self._judge(None if place is None else -50.0 if self._place.flat else place - 100.0)


class CciReversion(_Return):
    """The commodity channel index leaves its zone."""

    title = "CCI"
    spec = ComponentSpec(
        "cci_reversion",
        SIGNAL,
        "CCI reversion",
        "Bets on a return when the typical price comes back towards its mean.",
        (
            candles("period", "CCI length", (2, 200), 20, "Candles of the mean."),
            number("level", "Zone beyond", (10, 500), 100, "Both zones begin at this distance."),
        ),
        group="mean reversion",
        directional=True,
        warmup=lambda p: p["period"] + 1,
        sentence=lambda p: (
            f"the {p['period']:g}-candle CCI comes back above -{p['level']:g} (long) "
            f"or below {p['level']:g} (short)"
        ),
    )

    def __init__(self, params: Params) -> None:
        super().__init__(-params["level"], params["level"])
        self._cci = Cci(int(params["period"]))

    def update(self, bar: Bar) -> int | None:
        return self._judge(self._cci.update(bar.high, bar.low, bar.close))


class UltimateReversion(_Return):
    """The ultimate oscillator leaves its zone."""

    title = "ultimate oscillator"
    spec = ComponentSpec(
        "ultimate_reversion",
        SIGNAL,
        "Ultimate oscillator",
        "Bets on a return when buying pressure over three lengths turns at an extreme.",
        (
            candles("short", "Short length", (2, 50), 7, "Weighs four times."),
            candles("middle", "Middle length", (3, 100), 14, "Weighs twice."),
            candles("long", "Long length", (4, 200), 28, "Weighs once."),
            *_zones("It runs", 30, 70),
        ),
        group="momentum",
        directional=True,
        warmup=lambda p: max(p["short"], p["middle"], p["long"]) + 2,
        sentence=lambda p: _returns(
            f"ultimate oscillator ({p['short']:g}, {p['middle']:g}, {p['long']:g})", p
        ),
    )

    def __init__(self, params: Params) -> None:
        super().__init__(params["lower"], params["upper"])
        self._ultimate = Ultimate(*(int(params[n]) for n in ("short", "middle", "long")))

    def update(self, bar: Bar) -> int | None:
        return self._judge(self._ultimate.update(bar.high, bar.low, bar.close))
