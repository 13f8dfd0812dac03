"""Components that compare the price with what was paid on average."""

from __future__ import annotations

from runner.strategy.components.parts import STATE, candles, number
from runner.strategy.indicators.structure import DAY
from runner.strategy.indicators.volume import RollingVwap
from runner.strategy.spec import Bar, ComponentSpec, Params


class VwapSide:
    """1 while the close is above the day's volume weighted average, -1 while below."""

    spec = ComponentSpec(
        "vwap_side",
        STATE,
        "Side of the day's VWAP",
        "Points to the side of what was paid on average since midnight (UTC).",
        (number("margin", "Margin", (0, 10), 0, "Closer counts as neither.", "% of VWAP"),),
        group="volume",
        directional=True,
        days=1,
        sentence=lambda p: (
            "the close is above the day's VWAP (long) or below it (short)"
            + (f" by at least {p['margin']:g} %" if p["margin"] else "")
        ),
    )

    def __init__(self, params: Params) -> None:
        self._margin = float(params["margin"])
        self._day: float | None = None
        self._known = False
        self._money = self._volume = self._distance = 0.0

    def update(self, bar: Bar) -> int | None:
        day, into = divmod(bar.at, DAY)
        if day != self._day:
            self._known = self._day is not None or into == 0
            self._day, self._money, self._volume = day, 0.0, 0.0
        typical = (bar.high + bar.low + bar.close) / 3.0
        self._money += typical * bar.volume
        self._volume += bar.volume
        if not self._known:
            return None
        vwap = self._money / self._volume if self._volume > 0 else typical
        self._distance = distance = 100.0 * (bar.close / vwap - 1.0)
        margin = max(self._margin, 1e-10)
        return (distance >= margin) - (distance <= -margin)

    def detail(self) -> str:
        return f"close is {self._distance:+.3f} % from the day's VWAP"


class VwapDistance:
    """1 while the close is far below the volume weighted average, -1 while far above."""

    spec = ComponentSpec(
        "vwap_distance",
        STATE,
        "Distance from VWAP",
        "Bets on a return while the close is far from what was paid on average.",
        (
            candles("period", "VWAP length", (2, 1440), 96, "Candles of the rolling VWAP."),
            number("percent", "At least", (0.05, 30), 1, "Distance.", "% of VWAP"),
        ),
        group="mean reversion",
        directional=True,
        warmup=lambda p: p["period"],
        sentence=lambda p: (
            f"the close is at least {p['percent']:g} % below (long) or above (short) "
            f"the {p['period']:g}-candle VWAP"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._vwap = RollingVwap(int(params["period"]))
        self._percent = float(params["percent"])
        self._distance = 0.0

    def update(self, bar: Bar) -> int | None:
        vwap = self._vwap.update(bar.high, bar.low, bar.close, bar.volume)
        if vwap is None:
            return None
        self._distance = distance = 100.0 * (bar.close / vwap - 1.0)
        return (distance <= -self._percent) - (distance >= self._percent)

    def detail(self) -> str:
        return f"close is {self._distance:+.3f} % from VWAP {self._vwap.value:.6g}"
