"""Exits on prices and candles worked by hand."""

from decimal import Decimal

import pytest

from runner.strategy.exits.candles import SignalFlip, TimeStop
from runner.strategy.exits.stops import StopLoss
from runner.strategy.exits.targets import TakeProfit
from runner.strategy.spec import Holding


@pytest.mark.parametrize(
    ("side", "level", "hit", "safe"), [(1, "99", "99", "99.1"), (-1, "101", "102", "100")]
)
def test_stop_loss_sits_on_the_losing_side(side, level, hit, safe):
    rule, holding = StopLoss({"percent": 1}), Holding(side, Decimal(100), 0)
    assert rule.level(holding) == Decimal(level)
    assert rule.check(holding, Decimal(hit), 0) == 1
    assert rule.check(holding, Decimal(safe), 0) == 0


@pytest.mark.parametrize(
    ("side", "level", "hit", "safe"), [(1, "102", "102", "101"), (-1, "98", "97", "99")]
)
def test_take_profit_sits_on_the_winning_side(side, level, hit, safe):
    rule, holding = TakeProfit({"percent": 2}), Holding(side, Decimal(100), 0)
    assert rule.level(holding) == Decimal(level)
    assert rule.check(holding, Decimal(hit), 0) == 1
    assert rule.check(holding, Decimal(safe), 0) == 0


def test_time_stop_counts_candles_and_flip_listens_to_signals():
    price = Decimal(100)
    old, young = Holding(1, price, 3), Holding(1, price, 2)
    assert TimeStop({"candles": 3}).check(old, price, 0) == 1
    assert TimeStop({"candles": 3}).check(young, price, 0) == 0
    flip = SignalFlip({})
    assert [flip.check(old, price, d) for d in (-1, 0, 1)] == [1, 0, 0]
    assert flip.level(old) is None
