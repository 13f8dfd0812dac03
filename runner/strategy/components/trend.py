"""Components that go with the trend."""

from __future__ import annotations

from collections.abc import Iterable

from runner.strategy.indicators import Ema
from runner.strategy.spec import Bar, ComponentSpec, Parameter, Params


def _in_order(params: Params) -> Iterable[tuple[str, str]]:
    if params["fast"] >= params["slow"]:
        yield "fast", "The fast average must be shorter than the slow one."


class EmaCross:
    """1 on the candle where the fast average rises above the slow one, -1 where it falls below."""

    spec = ComponentSpec(
        "ema_cross",
        ("signal",),
        "EMA cross",
        "Goes with the trend when a fast moving average crosses a slow one.",
        (
            Parameter(
                "fast", "Fast average", "int", "candles", 2, 200, 12, "Length of the fast EMA."
            ),
            Parameter(
                "slow", "Slow average", "int", "candles", 3, 300, 26, "Length of the slow EMA."
            ),
        ),
        group="trend",
        directional=True,
        warmup=lambda p: 4 * int(p["slow"]),
        sentence=lambda p: f"the {p['fast']:g}-candle EMA crosses the {p['slow']:g}-candle EMA",
        faults=_in_order,
    )

    def __init__(self, params: Params) -> None:
        self._fast = Ema(int(params["fast"]))
        self._slow = Ema(int(params["slow"]))
        self._above: bool | None = None
        self._value = 0

    def update(self, bar: Bar) -> int | None:
        close = bar.close
        fast, slow = self._fast.update(close), self._slow.update(close)
        if fast is None or slow is None:
            return None
        above, before = fast > slow, self._above
        if above is before:
            self._value = 0
            return 0
        self._above = above
        self._value = 0 if before is None else 1 if above else -1
        return self._value

    def detail(self) -> str:
        place = "above" if self._above else "below"
        verb = "crossed" if self._value else "stays"
        return (
            f"fast EMA {verb} {place} slow EMA ({self._fast.value:.6g} and {self._slow.value:.6g})"
        )
