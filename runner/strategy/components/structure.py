"""Components that read the market's structure: ranges, swings, the day before."""

from __future__ import annotations

from runner.strategy.components.parts import SIGNAL, STATE, candles, choice, number, whole
from runner.strategy.indicators.structure import DAY, DayBefore, Donchian, Swings
from runner.strategy.spec import Bar, ComponentSpec, Params

_WIDTH = candles("width", "Swing width", (1, 50), 3, "Candles to each side that reach less far.")


def _swings_seen(params: Params) -> int:
    """In so many candles two swings to either side have come up, if the market swings at all."""
    return 20 * (2 * int(params["width"]) + 1)


class DonchianBreakout:
    """1 when the close is above every high of the n candles before it, -1 below every low."""

    spec = ComponentSpec(
        "donchian_breakout",
        SIGNAL,
        "Donchian breakout",
        "Follows a close outside the price channel of the last candles.",
        (candles("period", "Channel length", (2, 500), 20, "Candles the channel spans."),),
        group="structure",
        directional=True,
        warmup=lambda p: p["period"] + 1,
        sentence=lambda p: f"the close leaves the channel of the last {p['period']:g} candles",
    )

    def __init__(self, params: Params) -> None:
        self._channel = Donchian(int(params["period"]))
        self._close = self._upper = self._lower = 0.0
        self._value = 0

    def update(self, bar: Bar) -> int | None:
        channel = self._channel.channel
        self._channel.update(bar.high, bar.low)
        if channel is None:
            return None
        self._close = close = bar.close
        self._upper, self._lower = channel
        self._value = value = (close > self._upper) - (close < self._lower)
        return value

    def detail(self) -> str:
        said = f"close {self._close:.6g}"
        if self._value > 0:
            return f"{said} above the channel's top {self._upper:.6g}"
        if self._value < 0:
            return f"{said} below the channel's bottom {self._lower:.6g}"
        return f"{said} inside the channel {self._lower:.6g} to {self._upper:.6g}"


class SwingBreak:
    """1 when the close rises above the last swing high, -1 when it falls below the last low."""

    spec = ComponentSpec(
        "swing_break",
        SIGNAL,
        "Swing break",
        "Follows a close beyond the last high or low at which the market turned.",
        (_WIDTH,),
        group="structure",
        directional=True,
        warmup=_swings_seen,
        sentence=lambda p: (
            f"the close breaks the last swing high (long) or swing low (short) "
            f"of {p['width']:g} candles to each side"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._width = int(params["width"])
        self._swings = Swings(self._width)
        self._seen = 0
        self._close = 0.0

    def update(self, bar: Bar) -> int | None:
        swings = self._swings
        swings.update(bar.high, bar.low)
        before, self._close = self._close, bar.close
        self._seen += 1
        if self._seen <= 2 * self._width:
            return None
        close = bar.close
        up = bool(swings.highs) and before <= swings.highs[-1] < close
        down = bool(swings.lows) and before >= swings.lows[-1] > close
        return up - down

    def detail(self) -> str:
        high = f"{self._swings.highs[-1]:.6g}" if self._swings.highs else "unknown"
        low = f"{self._swings.lows[-1]:.6g}" if self._swings.lows else "unknown"
        return f"close {self._close:.6g}, last swing high {high}, last swing low {low}"


class SwingTrend:
    """1 while swing highs and swing lows both rise, -1 while both fall."""

    spec = ComponentSpec(
        "swing_trend",
        STATE,
        "Higher highs, lower lows",
        "Points up while highs and lows both rise, down while both fall.",
        (_WIDTH,),
        group="structure",
        directional=True,
        warmup=_swings_seen,
        sentence=lambda p: (
            f"the last swing high and low ({p['width']:g} candles to each side) are both higher "
            "(long) or both lower (short) than those before"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._width = int(params["width"])
        self._swings = Swings(self._width)
        self._seen = 0

    def update(self, bar: Bar) -> int | None:
        swings = self._swings
        swings.update(bar.high, bar.low)
        self._seen += 1
        if self._seen <= 2 * self._width:
            return None
        highs, lows = swings.highs, swings.lows
        if len(highs) < 2 or len(lows) < 2:
            return 0
        up = highs[1] > highs[0] and lows[1] > lows[0]
        return 1 if up else -1 if highs[1] < highs[0] and lows[1] < lows[0] else 0

    def detail(self) -> str:
        highs = " then ".join(f"{x:.6g}" for x in self._swings.highs) or "none yet"
        lows = " then ".join(f"{x:.6g}" for x in self._swings.lows) or "none yet"
        return f"swing highs {highs}, swing lows {lows}"


class PreviousDayBreak:
    """1 while the close is above yesterday's high, -1 while below yesterday's low."""

    spec = ComponentSpec(
        "previous_day_break",
        STATE,
        "Previous day's range",
        "Follows a close outside the range of the last whole day (UTC).",
        (),
        group="structure",
        directional=True,
        days=2,
        sentence=lambda _: "the close is above yesterday's high (long) or below its low (short)",
    )

    def __init__(self, params: Params) -> None:  # noqa: ARG002 - it has none
        self._day = DayBefore()
        self._close = 0.0

    def update(self, bar: Bar) -> int | None:
        day = self._day
        if not day.update(bar.at, bar.high, bar.low, bar.close):
            return None
        self._close = close = bar.close
        return (close > day.high) - (close < day.low)

    def detail(self) -> str:
        return f"close {self._close:.6g}, yesterday {self._day.low:.6g} to {self._day.high:.6g}"


class PivotPoints:
    """1 while the close is above the chosen resistance, -1 while below the chosen support."""

    spec = ComponentSpec(
        "pivot_points",
        STATE,
        "Pivot points",
        "Points to the side of yesterday's pivot levels on which the close lies.",
        (
            choice(
                "level",
                "Level",
                ("pivot", "first", "second"),
                "pivot",
                "The pivot itself, or the first or second resistance and support.",
            ),
        ),
        group="structure",
        directional=True,
        days=2,
        sentence=lambda p: {
            "pivot": "the close is above yesterday's pivot point (long) or below it (short)",
            "first": "the close is above the pivot level R1 (long) or below S1 (short)",
            "second": "the close is above the pivot level R2 (long) or below S2 (short)",
        }[p["level"]],
    )

    def __init__(self, params: Params) -> None:
        self._day = DayBefore()
        self._level = params["level"]
        self._close = self._upper = self._lower = 0.0

    def update(self, bar: Bar) -> int | None:
        day = self._day
        if not day.update(bar.at, bar.high, bar.low, bar.close):
            return None
        pivot = (day.high + day.low + day.close) / 3.0
        if self._level == "first":
            self._upper, self._lower = 2.0 * pivot - day.low, 2.0 * pivot - day.high
        elif self._level == "second":
            self._upper, self._lower = pivot + day.high - day.low, pivot - (day.high - day.low)
        else:
            self._upper = self._lower = pivot
        self._close = close = bar.close
        return (close > self._upper) - (close < self._lower)

    def detail(self) -> str:
        return f"close {self._close:.6g}, levels {self._lower:.6g} and {self._upper:.6g}"


class OpeningRange:
    """1 on the session's first close above its opening range, -1 on the first below."""

    spec = ComponentSpec(
        "opening_range",
        SIGNAL,
        "Opening range breakout",
        "Follows the first close outside the range of a session's first minutes.",
        (
            whole("hour", "Opens at", (0, 23), 0, "Hour at which the session opens.", "h UTC"),
            whole("minute", "and", (0, 59), 0, "Minute at which it opens.", "min"),
            whole(
                "minutes", "Range length", (1, 720), 60, "Candles must begin at the open.", "min"
            ),
            number("buffer", "Buffer", (0, 5), 0, "How far beyond the range counts.", "% of price"),
        ),
        group="structure",
        directional=True,
        days=2,
        sentence=lambda p: (
            f"the close leaves, for the first time in the session, the range of the first "
            f"{p['minutes']:g} minutes after {p['hour']:02.0f}:{p['minute']:02.0f} UTC"
        ),
    )

    def __init__(self, params: Params) -> None:
        self._open = 3600.0 * params["hour"] + 60.0 * params["minute"]
        self._length = 60.0 * float(params["minutes"])
        self._buffer = float(params["buffer"]) / 100.0
        self._session: float | None = None
        self._whole = self._known = False
        self._broken = {1: False, -1: False}
        self._close = self._high = self._low = 0.0

    def update(self, bar: Bar) -> int | None:
        session, into = divmod(bar.at - self._open, DAY)
        if session != self._session:
            self._whole = self._session is not None or into == 0
            self._session, self._high, self._low = session, bar.high, bar.low
            self._broken = {1: False, -1: False}
        elif into < self._length:
            self._high, self._low = max(self._high, bar.high), min(self._low, bar.low)
        self._close = close = bar.close
        if into >= self._length and self._whole:
            self._known = True
            margin = close * self._buffer
            side = (close > self._high + margin) - (close < self._low - margin)
            if side and not self._broken[side]:
                self._broken[side] = True
                return side
        return 0 if self._known else None

    def detail(self) -> str:
        return f"close {self._close:.6g}, opening range {self._low:.6g} to {self._high:.6g}"
