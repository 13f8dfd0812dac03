"""Signals and filters on candles worked by hand."""

from runner.strategy.components.mean_reversion import RsiReversion
from runner.strategy.components.structure import DonchianBreakout
from runner.strategy.components.trend import EmaCross
from runner.strategy.components.volatility import MinVolatility
from runner.strategy.spec import Bar


def bar(close, high=None, low=None):
    high, low = (close if high is None else high), (close if low is None else low)
    return Bar(close, high, low, close, 1.0)


def values(component, closes):
    return [component.update(bar(float(c))) for c in closes]


def test_ema_cross_speaks_once_per_crossing():
    # fast(2), slow(3): 3 2 1 put fast below slow, 5 lifts it above, 6 keeps it, 1 drops it
    assert values(EmaCross({"fast": 2, "slow": 3}), (3, 2, 1, 5, 6, 1, 0)) == [
        None,
        None,
        0,
        1,
        0,
        -1,
        0,
    ]


def test_rsi_reversion_waits_for_the_return():
    signal = RsiReversion({"period": 2, "lower": 30, "upper": 70})
    # RSI: 0 (10 9 8), 0 at 7, then rises through 30 at 9, through 70 at 12, falls back at 9
    assert values(signal, (10, 9, 8, 7, 9, 12, 9)) == [None, None, None, 0, 1, 0, -1]


def test_donchian_compares_with_the_candles_before():
    signal = DonchianBreakout({"period": 2})
    seen = [signal.update(bar(c, c + 1, c - 1)) for c in (10.0, 10.0, 12.0, 11.0, 9.0)]
    assert seen == [None, None, 1, 0, -1]


def test_min_volatility_blocks_a_sleepy_market():
    gate = MinVolatility({"period": 2, "percent": 1.0})
    sleepy = [gate.update(bar(100.0, 100.2, 99.8)) for _ in range(3)]
    assert sleepy == [None, None, 0]
    assert gate.detail() == "ATR is 0.400 % of the price, below 1 %"
    assert gate.update(bar(100.0, 103.0, 97.0)) == 1
