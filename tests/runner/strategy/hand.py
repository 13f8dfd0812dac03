"""For cases worked by hand: short spellings of candles, and what a component says to them."""

from math import nan

from runner.strategy.registry import assemble
from runner.strategy.spec import Bar
from tests.runner.strategy.markets import MIDNIGHT


def bar(close, high=None, low=None, opened=None, *, volume=1.0, at=0.0, funding=nan, interest=nan):
    """A candle; what is not said equals the close. ``at`` is in minutes after a midnight."""
    opened = close if opened is None else opened
    high = max(opened, close) if high is None else high
    low = min(opened, close) if low is None else low
    at = MIDNIGHT + 60.0 * at
    return Bar(*map(float, (opened, high, low, close, volume, at, funding, interest)))


def closes(*prices):
    return [bar(price) for price in prices]


def bars(*candles):
    """Candles as (high, low, close)."""
    return [bar(close, high, low) for high, low, close in candles]


def volumes(*candles):
    """Candles as (close, volume), without a range."""
    return [bar(close, volume=volume) for close, volume in candles]


def answers(kind, params, candles):
    entry = {"kind": kind, "params": params}
    component = assemble({"timeframe": "1m", "signals": [entry]})[0].component
    told = []
    for candle in candles:
        told.append(component.update(candle))
        if told[-1] is not None:
            assert component.detail()
    return told


def last_words(kind, params, candles):
    entry = {"kind": kind, "params": params}
    component = assemble({"timeframe": "1m", "signals": [entry]})[0].component
    for candle in candles:
        component.update(candle)
    return component.detail()
