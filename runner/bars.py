"""A candle as indicators read it, and whether its numbers can be true."""

from __future__ import annotations

from math import inf, nan

from runner.protocol import Candle
from runner.strategy.spec import Bar


def bar_of(candle: Candle, funding: float = nan, open_interest: float = nan) -> Bar:
    """A candle as indicators read it, with what was known beside it."""
    return Bar(
        float(candle.open),
        float(candle.high),
        float(candle.low),
        float(candle.close),
        float(candle.volume),
        candle.opened_at.timestamp(),
        funding,
        open_interest,
    )


def is_sound(bar: Bar) -> bool:
    """Whether the numbers can be true together."""
    opening, high, low, close, volume = bar[:5]
    return 0.0 < low <= opening <= high < inf and low <= close <= high and 0.0 <= volume < inf
