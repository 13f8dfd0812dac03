"""Components that ask how far prices move."""

from __future__ import annotations

from runner.strategy.indicators import Atr
from runner.strategy.spec import Bar, ComponentSpec, Parameter, Params


class MinVolatility:
    """Blocks entries while the average true range is below a share of the price."""

    spec = ComponentSpec(
        "min_volatility",
        ("filter",),
        "Minimum volatility",
        "Lets entries pass only when candles move enough to pay the fees.",
        (
            Parameter(
                "period", "ATR length", "int", "candles", 2, 100, 14, "Length of Wilder's ATR."
            ),
            Parameter(
                "percent",
                "At least",
                "float",
                "% of price",
                0.001,
                20,
                0.1,
                "Smallest ATR that passes.",
            ),
        ),
        group="volatility",
        directional=False,
        warmup=lambda p: 6 * int(p["period"]) + 1,
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
