"""The engine on candles worked by hand: what it wants and the words it finds for it."""

import copy
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner.engine import Engine
from runner.protocol import Candle
from runner.strategy.spec import Holding

START = datetime(2026, 11, 23, tzinfo=UTC)
RULES = {
    "market_type": "linear",
    "timeframe": "1m",
    "direction": "both",
    "combination": {"mode": "min_score", "threshold": 1.0},
    "signals": [{"kind": "ema_cross", "weight": 1.0, "params": {"fast": 2, "slow": 3}}],
    "exits": [
        {"kind": "stop_loss", "params": {"percent": 10}},
        {"kind": "take_profit", "params": {"percent": 20}},
        {"kind": "time_stop", "params": {"candles": 3}},
        {"kind": "signal_flip", "params": {}},
    ],
    "sizing": {"kind": "percent_equity", "value": "10"},
}
# fast(2) and slow(3) EMA: below after 3 2 1, crossed above at 5, stays at 6, crossed below at 1.
CLOSES = (3, 2, 1, 5, 6, 1)


def candle(index, close):
    price = Decimal(close)
    return Candle(START + timedelta(minutes=index), price, price, price, price, Decimal(1))


def engine_at(rules, count):
    engine = Engine(rules)
    engine.warm([candle(i, CLOSES[i]) for i in range(count)])
    return engine


def concluded(rules, index, holding=None, blocked=None):
    return engine_at(rules, index).on_candle(candle(index, CLOSES[index]), holding, blocked)


def changed(**changes):
    return {**copy.deepcopy(RULES), **changes}


@pytest.mark.parametrize(
    ("index", "action", "reason"),
    [
        (0, "none", "signals are warming up"),
        (2, "none", "no signal reached the threshold 1 (score 0)"),
        (3, "enter_long", "score 1 reached the threshold 1"),
        (4, "none", "no signal reached the threshold 1 (score 0)"),
        (5, "enter_short", "score -1 reached the threshold 1"),
    ],
)
def test_every_candle_has_a_reason(index, action, reason):
    conclusion = concluded(RULES, index)
    assert (conclusion.action, conclusion.reason) == (action, reason)
    assert [v.component for v in conclusion.verdicts] == ["ema_cross"]


def test_a_block_keeps_the_signal_visible():
    conclusion = concluded(RULES, 3, blocked="outside trading window")
    assert conclusion.action == "none"
    assert conclusion.reason == "score 1 reached the threshold 1, but outside trading window"
    assert conclusion.direction == 1


def test_the_strategy_direction_is_respected():
    conclusion = concluded(changed(direction="long"), 5)
    assert conclusion.action == "none"
    assert conclusion.reason.endswith("but the strategy only trades long")


def test_a_filter_that_warms_up_blocks():
    rules = changed(filters=[{"kind": "min_volatility", "params": {"period": 50, "percent": 1}}])
    conclusion = concluded(rules, 3)
    assert conclusion.reason.endswith("but min_volatility blocks: warming up")
    assert [(v.role, v.value) for v in conclusion.verdicts] == [("signal", 1), ("filter", None)]


def test_a_filter_that_passes_lets_enter():
    rules = changed(filters=[{"kind": "min_volatility", "params": {"period": 2, "percent": 1}}])
    assert concluded(rules, 3).action == "enter_long"


def test_weights_must_add_up():
    rules = changed(
        signals=[
            {"kind": "ema_cross", "weight": 0.6, "params": {"fast": 2, "slow": 3}},
            {"kind": "donchian_breakout", "weight": 0.5, "params": {"period": 2}},
        ]
    )
    assert concluded(rules, 3).reason == "score 1.1 reached the threshold 1"
    rules["signals"][1]["weight"] = 0.3
    assert concluded(rules, 3).reason == "no signal reached the threshold 1 (score 0.9)"


def test_signals_can_be_counted():
    rules = changed(
        combination={"mode": "min_signals", "threshold": 2},
        signals=[
            {"kind": "ema_cross", "weight": 1, "params": {"fast": 2, "slow": 3}},
            {"kind": "donchian_breakout", "weight": 1, "params": {"period": 2}},
        ],
    )
    assert concluded(rules, 3).action == "enter_long"
    assert concluded(rules, 4).reason == "1 of 2 signals agree, 2 needed"


def test_a_switched_off_signal_has_no_voice():
    rules = changed()
    rules["signals"].append({"kind": "donchian_breakout", "enabled": False, "params": {}})
    assert len(concluded(rules, 3).verdicts) == 1


def test_exits_come_before_entries_and_say_which():
    long = Holding(1, Decimal(6), 1)
    conclusion = concluded(RULES, 5, holding=long)
    assert conclusion.action == "exit"
    fired = {v.component: v.value for v in conclusion.verdicts if v.role == "exit"}
    assert fired == {"stop_loss": 1, "take_profit": 0, "time_stop": 0, "signal_flip": 1}
    assert "reached the stop 5.4" in conclusion.reason


def test_a_quiet_position_is_left_alone_even_when_entries_are_blocked():
    conclusion = concluded(RULES, 4, holding=Holding(1, Decimal(6), 1), blocked="draining")
    assert (conclusion.action, conclusion.reason) == ("none", "no exit fired")


def test_price_levels_are_watched_between_candles():
    engine, long = engine_at(RULES, 4), Holding(1, Decimal(100), 0)
    assert engine.on_price(long, Decimal("90.1")) is None
    assert engine.on_price(long, Decimal(85)).kind == "stop_loss"
    assert engine.on_price(long, Decimal(120)).kind == "take_profit"
    assert engine.stop_price(long) == Decimal(90)
    assert engine.stop_price(Holding(-1, Decimal(100), 0)) == Decimal(110)


def test_a_candle_is_never_counted_twice():
    engine = engine_at(RULES, 3)
    with pytest.raises(ValueError, match="is not newer"):
        engine.on_candle(candle(2, 1), None, None)


def test_an_engine_warmed_again_concludes_the_same():
    straight = Engine(RULES)
    for index in range(4):
        last = straight.on_candle(candle(index, CLOSES[index]), None, None)
    assert last == concluded(RULES, 3)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"opened_at": START + timedelta(minutes=5)}, "2 candles are missing"),
        ({"close": Decimal("NaN")}, "cannot be true"),
        ({"low": Decimal(0)}, "cannot be true"),
        ({"high": Decimal(4)}, "cannot be true"),
        ({"volume": Decimal(-1)}, "cannot be true"),
    ],
)
def test_a_gap_or_absurd_numbers_lead_to_no_decision(fault, words):
    engine = engine_at(RULES, 3)
    conclusion = engine.on_candle(replace(candle(3, CLOSES[3]), **fault), None, None)
    assert conclusion.action == "none"
    assert words in conclusion.reason
    assert engine.last is None
    later = engine.on_candle(candle(6, 100), None, None)
    assert later.action == "none"
    assert "history is read again" in later.reason
    engine.warm([candle(i, CLOSES[i]) for i in range(3)])
    assert engine.on_candle(candle(3, CLOSES[3]), None, None).action == "enter_long"


def test_history_is_warmed_without_what_cannot_be_true():
    engine = Engine(RULES)
    engine.warm([replace(candle(0, 3), high=Decimal("Infinity")), candle(1, 2)])
    assert engine.last == START + timedelta(minutes=1)
