"""Stops that follow the best price since the entry and never step back."""

from __future__ import annotations

from decimal import Decimal

from runner.strategy.exits.base import Stop, percent, tighter
from runner.strategy.exits.stops import ATR_LENGTH, atr_warmup
from runner.strategy.indicators import Atr
from runner.strategy.spec import Bar, ComponentSpec, Holding, Parameter, Params


class TrailingStop(Stop):
    """Ends a position that gave back a share of its best price."""

    spec = ComponentSpec(
        "trailing_stop",
        ("exit",),
        "Trailing stop",
        "Follows the best price at a distance once the position has gained enough.",
        (
            Parameter(
                "activation",
                "From a gain of",
                "float",
                "% of entry price",
                0,
                500,
                1,
                "Gain from which it follows; 0 follows from the entry on.",
            ),
            Parameter(
                "distance",
                "Distance",
                "float",
                "% of best price",
                0.01,
                50,
                0.5,
                "How far behind the best price it stays.",
            ),
        ),
        group="exit",
        directional=False,
        sentence=lambda p: (
            f"{p['distance']:g} % behind its best price"
            + (f" once it has gained {p['activation']:g} %" if p["activation"] else "")
        ),
    )
    waits = "the gain from which it follows was not seen yet"

    @classmethod
    def stands_at_once(cls, params: Params) -> bool:
        return bool(params["activation"] == 0)

    def __init__(self, params: Params) -> None:
        self._activation = percent(params, "activation")
        self._distance = percent(params, "distance")

    def level(self, holding: Holding) -> Decimal | None:
        entry, peak = holding.entry_price, holding.peak
        if (peak - entry) * holding.side < entry * self._activation:
            return None
        return peak * (1 - holding.side * self._distance)


class Chandelier(Stop):
    """Hangs a multiple of the average true range from the best price since the entry."""

    spec = ComponentSpec(
        "chandelier",
        ("exit",),
        "Chandelier exit",
        "Follows the best price at a distance of some average true ranges.",
        (
            ATR_LENGTH,
            Parameter(
                "multiple", "Distance", "float", "× ATR", 0.1, 50, 3, "ATRs behind the best price."
            ),
        ),
        group="exit",
        directional=False,
        warmup=atr_warmup,
        sentence=lambda p: (
            f"{p['multiple']:g} times the {p['period']:g}-candle ATR behind its best price"
        ),
    )
    waits = "the ATR is warming up"

    def __init__(self, params: Params) -> None:
        self._atr = Atr(int(params["period"]))
        self._multiple = Decimal(str(params["multiple"]))

    def update(self, bar: Bar) -> None:
        self._atr.update(bar.high, bar.low, bar.close)

    def anchor(self, holding: Holding) -> Decimal | None:
        """The tightest level yet, as a rising ATR must not give back what was secured."""
        return self.level(holding)

    def level(self, holding: Holding) -> Decimal | None:
        kept = holding.anchors.get(self.spec.kind)
        if self._atr.value is None:
            return kept
        now = holding.peak - holding.side * self._multiple * Decimal(str(self._atr.value))
        return tighter(now, kept, holding.side)
