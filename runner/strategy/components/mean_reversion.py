"""Components that bet on a return."""

from __future__ import annotations

from runner.strategy.indicators import Rsi
from runner.strategy.spec import Bar, ComponentSpec, Parameter, Params


class RsiReversion:
    """1 when RSI comes back up through the lower bound, -1 when it falls back through the upper."""

    spec = ComponentSpec(
        "rsi_reversion",
        ("signal",),
        "RSI reversion",
        "Bets on a return when RSI leaves its oversold or overbought zone.",
        (
            Parameter(
                "period", "RSI length", "int", "candles", 2, 100, 14, "Length of Wilder's RSI."
            ),
            Parameter(
                "lower", "Oversold below", "float", "", 1, 49, 30, "Long when RSI rises back above."
            ),
            Parameter(
                "upper",
                "Overbought above",
                "float",
                "",
                51,
                99,
                70,
                "Short when RSI falls back below.",
            ),
        ),
        group="mean reversion",
        directional=True,
        warmup=lambda p: 6 * int(p["period"]) + 1,
        sentence=lambda p: (
            f"the {p['period']:g}-candle RSI comes back above {p['lower']:g} (long) "
            f"or below {p['upper']:g} (short)"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._rsi = Rsi(int(params["period"]))
        self._lower, self._upper = float(params["lower"]), float(params["upper"])
        self._previous: float | None = None
        self._value = 0

    def update(self, bar: Bar) -> int | None:
        rsi = self._rsi.update(bar.close)
        previous, self._previous = self._previous, rsi
        if rsi is None or previous is None:
            return None
        if previous < self._lower <= rsi:
            self._value = 1
        elif previous > self._upper >= rsi:
            self._value = -1
        else:
            self._value = 0
        return self._value

    def detail(self) -> str:
        said = f"RSI {self._rsi.value:.1f}"
        if self._value > 0:
            return f"{said} rose back above {self._lower:g}"
        if self._value < 0:
            return f"{said} fell back below {self._upper:g}"
        return f"{said}, no return through {self._lower:g} or {self._upper:g}"
