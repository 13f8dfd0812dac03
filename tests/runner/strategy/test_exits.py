"""Exits on prices and candles worked by hand."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from runner.strategy.exits.candles import SessionEnd, SignalFlip, TimeStop, VolatilityExit
from runner.strategy.exits.stops import AtrStop, BreakEven, StopLoss
from runner.strategy.exits.targets import TakeProfit, TakeProfitLadder
from runner.strategy.exits.trailing import Chandelier, TrailingStop
from runner.strategy.spec import Bar, Holding

D = Decimal
LADDER = {
    "distance_1": 1,
    "share_1": 50,
    "distance_2": 2,
    "share_2": 30,
    "distance_3": 4,
    "share_3": 20,
}


def held(side=1, best=None, **rest):
    return Holding(side, D(100), best=None if best is None else D(best), **rest)


def fed(rule, ranges):
    """Candles that close at 100 and span as much as said."""
    for index, spread in enumerate(ranges):
        rule.update(Bar(100.0, 100 + spread / 2, 100 - spread / 2, 100.0, 1.0, 60.0 * index))
    return rule


def fires(rule, holding, price, direction=0):
    return rule.check(holding, D(price), direction)


@pytest.mark.parametrize(
    ("side", "level", "hit", "safe"), [(1, "99", "99", "99.1"), (-1, "101", "102", "100")]
)
def test_stop_loss_sits_on_the_losing_side(side, level, hit, safe):
    rule = StopLoss({"percent": 1})
    assert rule.level(held(side)) == D(level)
    assert fires(rule, held(side), hit) == 1
    assert fires(rule, held(side), safe) == 0


@pytest.mark.parametrize(
    ("side", "level", "hit", "safe"), [(1, "102", "102", "101"), (-1, "98", "97", "99")]
)
def test_take_profit_sits_on_the_winning_side(side, level, hit, safe):
    rule = TakeProfit({"percent": 2})
    assert rule.level(held(side)) == D(level)
    assert fires(rule, held(side), hit) == 1
    assert fires(rule, held(side), safe) == 0


def test_atr_stop_is_as_wide_as_the_market_was_at_entry():
    rule = AtrStop({"period": 2, "multiple": 3})
    assert rule.level(held()) is None
    assert rule.detail(held(), D(1), 0) == "the ATR is warming up"
    fed(rule, (4, 2, 4))  # the first candle has no true range: mean(2, 4) = 3
    assert rule.level(held()) == D(91)
    assert rule.level(held(-1)) == D(109)
    kept = {"atr_stop": rule.anchor(held())}
    fed(rule, (20,))  # a wilder market moves only the stops of later entries
    assert rule.level(held(anchors=kept)) == D(91)
    assert rule.level(held()) < D(91)
    assert fires(rule, held(anchors=kept), "91") == 1
    assert fires(rule, held(anchors=kept), "91.01") == 0


@pytest.mark.parametrize(
    ("side", "best", "level"),
    [(1, "101.9", None), (1, "102", "100.5"), (-1, "98.1", None), (-1, "98", "99.5")],
)
def test_break_even_moves_once_the_gain_was_seen(side, best, level):
    rule = BreakEven({"activation": 2, "offset": 0.5})
    assert rule.level(held(side, best)) == (None if level is None else D(level))
    assert "was not seen yet" in rule.detail(held(side), D(100), 0)


@pytest.mark.parametrize(
    ("side", "best", "level"),
    [
        (1, None, None),
        (1, "104.9", None),
        (1, "105", "102.9"),
        (1, "110", "107.8"),
        (-1, "96", None),
        (-1, "90", "91.8"),
    ],
)
def test_trailing_stop_follows_from_its_activation_on(side, best, level):
    rule = TrailingStop({"activation": 5, "distance": 2})
    assert rule.level(held(side, best)) == (None if level is None else D(level))


def test_a_trailing_stop_without_activation_stands_from_the_entry():
    rule = TrailingStop({"activation": 0, "distance": 2})
    assert rule.level(held()) == D(98)
    assert rule.level(held(best="97")) == D(98)  # a worse price is no peak
    assert TrailingStop.stands_at_once({"activation": 0})
    assert not TrailingStop.stands_at_once({"activation": 1})


def test_a_chandelier_hangs_from_the_peak_and_never_lets_down():
    rule = fed(Chandelier({"period": 2, "multiple": 2}), (2, 2, 2))
    assert rule.level(held(best="110")) == D(106)
    assert rule.level(held(-1, "90")) == D(94)
    kept = {"chandelier": rule.anchor(held(best="110"))}
    fed(rule, (10,))  # ATR (2 + 10) / 2 = 6: alone it would hang 12 below
    assert rule.level(held(best="110")) == D(98)
    assert rule.level(held(best="110", anchors=kept)) == D(106)
    assert rule.level(held(best="119", anchors=kept)) == D(107)


def test_a_ladder_takes_shares_of_what_was_entered():
    rule = TakeProfitLadder(LADDER)
    assert [rule.level(held(steps=n)) for n in range(4)] == [D(101), D(102), D(104), None]
    assert fires(rule, held(), "100.9") == 0
    assert (rule.share(held(), D(101)), rule.steps(held(), D(101))) == (D("0.5"), 1)
    # 30 of the 50 that are left, then all of the last 20
    assert (rule.share(held(steps=1), D(102)), rule.steps(held(steps=1), D(102))) == (D("0.6"), 2)
    assert (rule.share(held(steps=2), D(105)), rule.steps(held(steps=2), D(105))) == (D(1), 3)
    assert fires(rule, held(steps=3), "200") == 0
    assert rule.detail(held(steps=3), D(200), 0) == "no target is left"


def test_a_jump_takes_several_steps_of_a_ladder_at_once():
    rule = TakeProfitLadder(LADDER)
    assert (rule.share(held(-1), D(98)), rule.steps(held(-1), D(98))) == (D("0.8"), 2)
    assert (rule.share(held(-1), D(90)), rule.steps(held(-1), D(90))) == (D(1), 3)


def test_a_ladder_leaves_out_steps_without_a_share():
    rule = TakeProfitLadder({**LADDER, "share_2": 0, "share_3": 25})
    assert rule.level(held(steps=1)) == D(104)
    assert rule.share(held(steps=1), D(104)) == D("0.5")
    assert rule.level(held(steps=2)) is None


def test_time_stop_counts_candles_and_flip_listens_to_signals():
    rule = TimeStop({"candles": 3})
    assert [fires(rule, held(candles=n), 100) for n in (2, 3, 4)] == [0, 1, 1]
    flip = SignalFlip({})
    assert [fires(flip, held(), 100, d) for d in (-1, 0, 1)] == [1, 0, 0]
    assert flip.level(held()) is None


def test_volatility_exit_compares_fast_with_slow():
    rule = VolatilityExit({"period": 2, "base": 4, "multiple": 1.5})
    assert fires(rule, held(), 100) == 0
    fed(rule, (2, 2, 2, 2, 2))
    assert fires(rule, held(), 100) == 0
    fed(rule, (6,))  # fast (2 + 6) / 2 = 4, slow (3 * 2 + 6) / 4 = 3
    assert fires(rule, held(), 100) == 0
    fed(rule, (6,))  # fast 5, slow 3.75
    assert rule.detail(held(), D(100), 0) == "ATR is 1.33 times its usual, the limit is 1.5"
    fed(rule, (20,))  # fast 12.5, slow 7.8125
    assert fires(rule, held(), 100) == 1


def session(*minutes):
    rule = SessionEnd({"hour": 20, "minute": 0})
    day = datetime(2026, 11, 23, tzinfo=UTC).timestamp()
    for minute in minutes:
        rule.update(Bar(1, 1, 1, 1, 1, day + 60.0 * minute))
    return rule


def opened(hour, minute=0, day=23):
    return held(opened_at=datetime(2026, 11, day, hour, minute, tzinfo=UTC))


def test_the_session_ends_with_the_candle_that_closes_then():
    at = 20 * 60
    assert fires(session(at - 15, at - 10), opened(19), 1) == 0
    assert fires(session(at - 10, at - 5), opened(19), 1) == 1
    assert fires(session(at - 10, at - 5), held(), 1) == 1
    assert fires(session(at - 5, at), held(), 1) == 0  # a position of unknown age: only then
    assert fires(session(at - 5, at), opened(19), 1) == 1  # refused at its end, asked again
    assert fires(session(at, at + 5), opened(20, 1), 1) == 0  # the next end is tomorrow's
    assert fires(session(8 * 60, 8 * 60 + 5), opened(9, day=22), 1) == 1  # asleep at the end
    assert session(at - 10, at - 5).detail(held(), D(1), 0) == "the session ended at 20:00 UTC"
