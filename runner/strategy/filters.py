"""Filters: each reads closed candles and answers 1 (entries may pass) or 0 (blocked)."""

from __future__ import annotations

from runner.strategy.indicators import Atr
from runner.strategy.spec import Bar, ComponentSpec, Parameter, Params, Reading


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
    )

    def __init__(self, params: Params) -> None:
        self._atr = Atr(int(params["period"]))
        self._percent = params["percent"]

    def update(self, bar: Bar) -> Reading:
        atr = self._atr.update(bar.high, bar.low, bar.close)
        if atr is None:
            return Reading(None, "warming up")
        share = 100.0 * atr / bar.close
        if share < self._percent:
            return Reading(0, f"ATR is {share:.3f} % of the price, below {self._percent:g} %")
        return Reading(1, f"ATR is {share:.3f} % of the price, at least {self._percent:g} %")
