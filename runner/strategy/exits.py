"""Exit rules: each answers 1 (end the position) or 0; price levels are watched on every tick."""

from __future__ import annotations

from decimal import Decimal

from runner.strategy.spec import ComponentSpec, Holding, Parameter, Params, Reading


class StopLoss:
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
    )

    def __init__(self, params: Params) -> None:
        self._share = Decimal(str(params["percent"])) / 100

    def level(self, holding: Holding) -> Decimal:
        return holding.entry_price * (1 - holding.side * self._share)

    def check(self, holding: Holding, price: Decimal, direction: int) -> Reading:  # noqa: ARG002 - one signature for all exits
        stop = self.level(holding)
        if (price - stop) * holding.side <= 0:
            return Reading(1, f"price {price:f} reached the stop {stop:.8g}")
        return Reading(0, f"price {price:f} has not reached the stop {stop:.8g}")


class TakeProfit:
    """Ends a position that gained a share of its entry price."""

    spec = ComponentSpec(
        "take_profit",
        ("exit",),
        "Take profit",
        "Ends the position at a fixed gain, between candles too.",
        (
            Parameter(
                "percent", "Gain", "float", "% of entry price", 0.01, 500, 2, "Distance from entry."
            ),
        ),
    )

    def __init__(self, params: Params) -> None:
        self._share = Decimal(str(params["percent"])) / 100

    def level(self, holding: Holding) -> Decimal:
        return holding.entry_price * (1 + holding.side * self._share)

    def check(self, holding: Holding, price: Decimal, direction: int) -> Reading:  # noqa: ARG002 - one signature for all exits
        target = self.level(holding)
        if (price - target) * holding.side >= 0:
            return Reading(1, f"price {price:f} reached the target {target:.8g}")
        return Reading(0, f"price {price:f} has not reached the target {target:.8g}")


class TimeStop:
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
    )

    def __init__(self, params: Params) -> None:
        self._candles = int(params["candles"])

    def level(self, holding: Holding) -> None:  # noqa: ARG002 - one signature for all exits
        return None

    def check(self, holding: Holding, price: Decimal, direction: int) -> Reading:  # noqa: ARG002 - one signature for all exits
        fired = holding.candles >= self._candles
        return Reading(int(fired), f"held {holding.candles} of {self._candles} candles")


class SignalFlip:
    """Ends a position when the signals ask for the opposite direction."""

    spec = ComponentSpec(
        "signal_flip",
        ("exit",),
        "Signal flip",
        "Ends the position when the signals turn against it.",
        (),
    )

    def __init__(self, params: Params) -> None:
        pass

    def level(self, holding: Holding) -> None:  # noqa: ARG002 - one signature for all exits
        return None

    def check(self, holding: Holding, price: Decimal, direction: int) -> Reading:  # noqa: ARG002 - one signature for all exits
        if direction == -holding.side:
            return Reading(1, "the signals turned against the position")
        return Reading(0, "the signals did not turn against the position")
