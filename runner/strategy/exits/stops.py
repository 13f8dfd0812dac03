"""Stops that stand at a distance from the entry."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from runner.strategy.exits.base import Stop, percent
from runner.strategy.indicators import Atr
from runner.strategy.spec import Bar, ComponentSpec, Holding, Parameter, Params

ATR_LENGTH = Parameter(
    "period", "ATR length", "int", "candles", 2, 100, 14, "Length of Wilder's ATR."
)
_MULTIPLE = Parameter(
    "multiple", "Distance", "float", "× ATR", 0.1, 50, 2, "ATRs between entry and stop."
)


def atr_warmup(params: Params) -> int:
    return 6 * int(params["period"]) + 1


class StopLoss(Stop):
    """Ends a position that lost a share of its entry price."""

    spec = ComponentSpec(
        "stop_loss",
        ("exit",),
        "Stop loss",
        "Ends the position at a fixed loss, between candles too.",
        (
            Parameter(
                "percent", "Loss", "float", "% of entry price", 0.01, 50, 1, "Distance from entry."
            ),
        ),
        group="exit",
        directional=False,
        sentence=lambda p: f"at a loss of {p['percent']:g} %",
    )

    def __init__(self, params: Params) -> None:
        share = percent(params, "percent")
        self._factors = {1: 1 - share, -1: 1 + share}

    def level(self, holding: Holding) -> Decimal:
        return holding.entry_price * self._factors[holding.side]


class AtrStop(Stop):
    """Ends a position that lost a multiple of what candles moved when it was entered."""

    spec = ComponentSpec(
        "atr_stop",
        ("exit",),
        "ATR stop",
        "Ends the position at a loss of some average true ranges, as wide as the market was then.",
        (ATR_LENGTH, _MULTIPLE),
        group="exit",
        directional=False,
        warmup=atr_warmup,
        sentence=lambda p: (
            f"at a loss of {p['multiple']:g} times the {p['period']:g}-candle ATR at entry"
        ),
    )
    waits = "the ATR is warming up"

    def __init__(self, params: Params) -> None:
        self._atr = Atr(int(params["period"]))
        self._multiple = Decimal(str(params["multiple"]))

    def update(self, bar: Bar) -> None:
        self._atr.update(bar.high, bar.low, bar.close)

    def anchor(self, holding: Holding) -> Decimal | None:
        """The distance in quote currency, fixed when it is first known."""
        kept = holding.anchors.get(self.spec.kind)
        if kept is not None or self._atr.value is None:
            return kept
        return self._multiple * Decimal(str(self._atr.value))

    def level(self, holding: Holding) -> Decimal | None:
        distance = self.anchor(holding)
        return None if distance is None else holding.entry_price - holding.side * distance


def _covered(params: Params) -> Iterable[tuple[str, str]]:
    if params["offset"] >= params["activation"]:
        yield "offset", "Must be below the gain that moves the stop, or it would fire at once."


class BreakEven(Stop):
    """Once a gain was seen, ends the position where it would have cost nothing."""

    spec = ComponentSpec(
        "break_even",
        ("exit",),
        "Break-even stop",
        "Moves the stop to the entry price once the position has gained enough.",
        (
            Parameter(
                "activation",
                "From a gain of",
                "float",
                "% of entry price",
                0.01,
                500,
                1,
                "Gain that moves the stop.",
            ),
            Parameter(
                "offset",
                "Beyond entry by",
                "float",
                "% of entry price",
                0,
                100,
                0.1,
                "Gain the stop keeps; enough to pay both fees.",
            ),
        ),
        group="exit",
        directional=False,
        sentence=lambda p: (
            f"at {p['offset']:g} % beyond the entry once it has gained {p['activation']:g} %"
        ),
        faults=_covered,
    )
    waits = "the gain that moves the stop to the entry was not seen yet"

    @classmethod
    def stands_at_once(cls, params: Params) -> bool:  # noqa: ARG003 - whatever they are
        return False

    def __init__(self, params: Params) -> None:
        self._activation = percent(params, "activation")
        self._offset = percent(params, "offset")

    def level(self, holding: Holding) -> Decimal | None:
        entry = holding.entry_price
        if (holding.peak - entry) * holding.side < entry * self._activation:
            return None
        return entry * (1 + holding.side * self._offset)
