"""Signals, filters and exits on candles worked by hand."""

from decimal import Decimal

import pytest

from runner.strategy.exits import SignalFlip, StopLoss, TakeProfit, TimeStop
from runner.strategy.filters import MinVolatility
from runner.strategy.signals import DonchianBreakout, EmaCross, RsiReversion
from runner.strategy.spec import Bar, Holding


def bar(close, high=None, low=None):
    high, low = (close if high is None else high), (close if low is None else low)
    return Bar(close, high, low, close, 1.0)


def values(component, closes):
    return [component.update(bar(float(c))).value for c in closes]


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
    seen = [signal.update(bar(c, c + 1, c - 1)).value for c in (10.0, 10.0, 12.0, 11.0, 9.0)]
    assert seen == [None, None, 1, 0, -1]


def test_min_volatility_blocks_a_sleepy_market():
    gate = MinVolatility({"period": 2, "percent": 1.0})
    sleepy = [gate.update(bar(100.0, 100.2, 99.8)) for _ in range(3)]
    assert [r.value for r in sleepy] == [None, None, 0]
    assert sleepy[2].detail == "ATR is 0.400 % of the price, below 1 %"
    assert gate.update(bar(100.0, 103.0, 97.0)).value == 1


@pytest.mark.parametrize(
    ("side", "level", "hit", "safe"), [(1, "99", "99", "99.1"), (-1, "101", "102", "100")]
)
def test_stop_loss_sits_on_the_losing_side(side, level, hit, safe):
    rule, holding = StopLoss({"percent": 1}), Holding(side, Decimal(100), 0)
    assert rule.level(holding) == Decimal(level)
    assert rule.check(holding, Decimal(hit), 0).value == 1
    assert rule.check(holding, Decimal(safe), 0).value == 0


@pytest.mark.parametrize(
    ("side", "level", "hit", "safe"), [(1, "102", "102", "101"), (-1, "98", "97", "99")]
)
def test_take_profit_sits_on_the_winning_side(side, level, hit, safe):
    rule, holding = TakeProfit({"percent": 2}), Holding(side, Decimal(100), 0)
    assert rule.level(holding) == Decimal(level)
    assert rule.check(holding, Decimal(hit), 0).value == 1
    assert rule.check(holding, Decimal(safe), 0).value == 0


def test_time_stop_counts_candles_and_flip_listens_to_signals():
    price = Decimal(100)
    old, young = Holding(1, price, 3), Holding(1, price, 2)
    assert TimeStop({"candles": 3}).check(old, price, 0).value == 1
    assert TimeStop({"candles": 3}).check(young, price, 0).value == 0
    flip = SignalFlip({})
    assert [flip.check(old, price, d).value for d in (-1, 0, 1)] == [1, 0, 0]
    assert flip.level(old) is None
