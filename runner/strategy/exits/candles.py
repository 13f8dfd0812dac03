"""Exits that are judged at the close of a candle only."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from runner.strategy.exits.base import ExitRule
from runner.strategy.indicators import Atr
from runner.strategy.spec import Bar, ComponentSpec, Holding, Parameter, Params

_DAY = 86400.0


class TimeStop(ExitRule):
    """Ends a position after a number of closed candles."""

    spec = ComponentSpec(
        "time_stop",
        ("exit",),
        "Time stop",
        "Ends the position after a number of candles, won or lost.",
        (
            Parameter(
                "candles",
                "After",
                "int",
                "candles",
                1,
                10_000,
                48,
                "Candles the position may live.",
            ),
        ),
        group="exit",
        directional=False,
        sentence=lambda p: f"after {p['candles']:g} candles",
    )

    def __init__(self, params: Params) -> None:
        self._candles = int(params["candles"])

    def check(self, holding: Holding, price: Decimal, direction: int) -> int:  # noqa: ARG002 - one signature for all exits
        return int(holding.candles >= self._candles)

    def detail(self, holding: Holding, price: Decimal, direction: int) -> str:  # noqa: ARG002 - one signature for all exits
        return f"held {holding.candles} of {self._candles} candles"


class SignalFlip(ExitRule):
    """Ends a position when the signals ask for the opposite direction."""

    spec = ComponentSpec(
        "signal_flip",
        ("exit",),
        "Signal flip",
        "Ends the position when the signals turn against it.",
        (),
        group="exit",
        directional=False,
        sentence=lambda _: "when the signals turn against it",
    )
    by_signals = True

    def check(self, holding: Holding, price: Decimal, direction: int) -> int:  # noqa: ARG002 - one signature for all exits
        return int(direction == -holding.side)

    def detail(self, holding: Holding, price: Decimal, direction: int) -> str:
        verb = "turned" if self.check(holding, price, direction) else "did not turn"
        return f"the signals {verb} against the position"


class VolatilityExit(ExitRule):
    """Ends a position when candles suddenly move much more than they used to."""

    spec = ComponentSpec(
        "volatility_exit",
        ("exit",),
        "Volatility exit",
        "Ends the position when candles move much more than they lately did.",
        (
            Parameter(
                "period", "ATR length", "int", "candles", 2, 100, 5, "Length of the fast ATR."
            ),
            Parameter(
                "base",
                "Compared with",
                "int",
                "candles",
                3,
                300,
                50,
                "Length of the slow ATR that stands for the usual.",
            ),
            Parameter(
                "multiple", "From", "float", "× usual", 1, 20, 2.5, "Fast ATR over slow ATR."
            ),
        ),
        group="exit",
        directional=False,
        warmup=lambda p: 6 * max(int(p["period"]), int(p["base"])) + 1,
        sentence=lambda p: (
            f"when the {p['period']:g}-candle ATR reaches {p['multiple']:g} times "
            f"the {p['base']:g}-candle ATR"
        ),
        faults=lambda p: (
            [("period", "The fast ATR must be shorter than the one it is compared with.")]
            if p["period"] >= p["base"]
            else []
        ),
    )

    def __init__(self, params: Params) -> None:
        self._fast, self._slow = Atr(int(params["period"])), Atr(int(params["base"]))
        self._multiple = float(params["multiple"])

    def update(self, bar: Bar) -> None:
        self._fast.update(bar.high, bar.low, bar.close)
        self._slow.update(bar.high, bar.low, bar.close)

    def check(self, holding: Holding, price: Decimal, direction: int) -> int:  # noqa: ARG002 - one signature for all exits
        fast, slow = self._fast.value, self._slow.value
        return int(fast is not None and slow is not None and fast >= self._multiple * slow > 0)

    def detail(self, holding: Holding, price: Decimal, direction: int) -> str:  # noqa: ARG002 - one signature for all exits
        fast, slow = self._fast.value, self._slow.value
        if not fast or not slow:
            return "the ATR is warming up"
        return f"ATR is {fast / slow:.2f} times its usual, the limit is {self._multiple:g}"


class SessionEnd(ExitRule):
    """Ends a position at a time of day."""

    spec = ComponentSpec(
        "session_end",
        ("exit",),
        "Session end",
        "Ends the position with the candle that closes at or after a time of day.",
        (
            Parameter("hour", "Hour", "int", "UTC", 0, 23, 20, "Hour of the end."),
            Parameter("minute", "Minute", "int", "", 0, 59, 0, "Minute of the end."),
        ),
        group="exit",
        directional=False,
        sentence=lambda p: f"at {p['hour']:02d}:{p['minute']:02d} UTC",
    )

    def __init__(self, params: Params) -> None:
        self._second = int(params["hour"]) * 3600.0 + int(params["minute"]) * 60.0
        self._opened, self._closed = -1.0, -1.0

    def update(self, bar: Bar) -> None:
        # A candle does not say how long it is; the distance from the one before does.
        span = bar.at - self._opened if self._opened >= 0 else 0.0
        self._opened, self._closed = bar.at, bar.at + span

    def check(self, holding: Holding, price: Decimal, direction: int) -> int:  # noqa: ARG002 - one signature for all exits
        end = self._last_end()
        since = self._opened if holding.opened_at is None else holding.opened_at.timestamp()
        return int(since < end)

    def detail(self, holding: Holding, price: Decimal, direction: int) -> str:
        end = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=self._second)
        verb = "ended" if self.check(holding, price, direction) else "has not ended yet"
        return (
            f"the session {verb} at {end:%H:%M} UTC" if verb == "ended" else f"the session {verb}"
        )

    def _last_end(self) -> float:
        """The newest end that lies not after the close of the last candle."""
        day = (self._closed - self._second) // _DAY
        return day * _DAY + self._second
