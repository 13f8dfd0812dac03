"""Components that read the shape of one candle or a few."""

from __future__ import annotations

from runner.strategy.components.parts import SIGNAL, STATE, candles, number, sign
from runner.strategy.indicators.averages import settled
from runner.strategy.spec import Bar, ComponentSpec, Params


class HeikinAshi:
    """1 while the last n Heikin-Ashi candles rose, -1 while they fell."""

    spec = ComponentSpec(
        "heikin_ashi",
        STATE,
        "Heikin-Ashi",
        "Goes with a run of averaged candles of one colour.",
        (candles("count", "In a row", (1, 20), 3, "Averaged candles of the same colour."),),
        group="trend",
        directional=True,
        warmup=lambda p: settled(0.5, 1) + p["count"],
        sentence=lambda p: (
            f"the last {p['count']:g} Heikin-Ashi candles rose (long) or fell (short)"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._count = int(params["count"])
        self._body: tuple[float, float] | None = None
        self._run = self._seen = 0

    def update(self, bar: Bar) -> int | None:
        close = (bar.open + bar.high + bar.low + bar.close) / 4.0
        opened = sum(self._body) / 2.0 if self._body else (bar.open + bar.close) / 2.0
        self._body = (opened, close)
        side = sign(close - opened, close)
        self._run = self._run + side if self._run * side > 0 else side
        self._seen += 1
        if self._seen < self._count:
            return None
        return (self._run >= self._count) - (self._run <= -self._count)

    def detail(self) -> str:
        colour = "rising" if self._run > 0 else "falling"
        return f"{abs(self._run)} {colour} Heikin-Ashi candles in a row, {self._count} count"


class InsideBarBreak:
    """1 when the close leaves the candle that held the last inside bar upwards, -1 downwards."""

    spec = ComponentSpec(
        "inside_bar",
        SIGNAL,
        "Inside bar break",
        "Follows the break out of a candle that held the next one whole.",
        (candles("within", "Within", (1, 50), 5, "Candles in which the break must come."),),
        group="structure",
        directional=True,
        warmup=lambda p: p["within"] + 2,
        sentence=lambda p: (
            f"the close breaks a candle that held the next one whole, within {p['within']:g} "
            "candles"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._within = int(params["within"])
        self._before: Bar | None = None
        self._mother: Bar | None = None
        self._age = 0
        self._close = 0.0

    def update(self, bar: Bar) -> int | None:
        before, self._before = self._before, bar
        self._close = close = bar.close
        if before is None:
            return None
        if bar.high <= before.high and bar.low >= before.low:
            self._mother, self._age = before, 0
            return 0
        mother = self._mother
        if mother is None:
            return 0
        self._age += 1
        side = (close > mother.high) - (close < mother.low)
        if side or self._age >= self._within:
            self._mother = None
        return side

    def detail(self) -> str:
        if self._mother is None:
            return f"close {self._close:.6g}, no inside bar waits for its break"
        held = f"{self._mother.low:.6g} to {self._mother.high:.6g}"
        return f"close {self._close:.6g}, the inside bar's mother spans {held}"


class Engulfing:
    """1 when a rising body takes in the falling one before it, -1 the reverse."""

    spec = ComponentSpec(
        "engulfing",
        SIGNAL,
        "Engulfing candle",
        "Bets on a turn when a candle's body takes in the opposite one before it.",
        (
            number(
                "multiple",
                "Body at least",
                (1, 20),
                1,
                "Size against the body before.",
                "× body before",
            ),
        ),
        group="structure",
        directional=True,
        warmup=lambda _: 2,
        sentence=lambda p: (
            "a rising (long) or falling (short) body engulfs the opposite one before it"
            + (f", {p['multiple']:g} times its size" if p["multiple"] > 1 else "")
        ),
    )

    def __init__(self, params: Params) -> None:
        self._multiple = float(params["multiple"])
        self._last: tuple[float, float] | None = None
        self._bodies = (0.0, 0.0)

    def update(self, bar: Bar) -> int | None:
        before, self._last = self._last, (bar.open, bar.close)
        if before is None:
            return None
        opened, close = bar.open, bar.close
        first, second = before[1] - before[0], close - opened
        self._bodies = (first, second)
        # With the two ends equal on both sides nothing is engulfed.
        if (opened, close) == (before[1], before[0]) or abs(second) < self._multiple * abs(first):
            return 0
        if second >= 0 > first and close >= before[0] and opened <= before[1]:
            return 1
        return -1 if second < 0 <= first and opened >= before[1] and close <= before[0] else 0

    def detail(self) -> str:
        return f"body {self._bodies[1]:+.6g} after {self._bodies[0]:+.6g}"


class PinBar:
    """1 when the lower wick makes up most of the candle, -1 when the upper does."""

    spec = ComponentSpec(
        "pin_bar",
        SIGNAL,
        "Pin bar",
        "Bets on a turn when a candle was thrown back from most of its range.",
        (number("percent", "Wick at least", (51, 95), 66, "Share of the wick.", "% of range"),),
        group="structure",
        directional=True,
        sentence=lambda p: (
            f"the lower (long) or upper (short) wick makes up {p['percent']:g} % of the candle"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._share = float(params["percent"]) / 100.0
        self._wicks = (0.0, 0.0)

    def update(self, bar: Bar) -> int | None:
        opened, high, low, close = bar[:4]
        reach = high - low
        if reach <= 0:
            self._wicks = (0.0, 0.0)
            return 0
        lower = (min(opened, close) - low) / reach
        upper = (high - max(opened, close)) / reach
        self._wicks = (lower, upper)
        return (lower >= self._share) - (upper >= self._share)

    def detail(self) -> str:
        lower, upper = self._wicks
        return f"lower wick is {100 * lower:.0f} % of the candle, upper {100 * upper:.0f} %"
