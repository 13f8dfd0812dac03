"""The engine's fast path, time frames and exits: numbers first, the same words afterwards."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner.bars import bar_of
from runner.engine import Engine
from runner.protocol import Candle
from runner.step import ACTIONS, ENTER_LONG, EXIT, NOTHING, Reason
from runner.strategy.components.trend import EmaCross
from runner.strategy.spec import Bar, Holding
from tests.runner.test_engine import CLOSES, RULES, candle, changed, engine_at

D = Decimal
START = datetime(2026, 11, 23, tzinfo=UTC)
CROSS = {"kind": "ema_cross", "params": {"fast": 2, "slow": 3}}
EVERYTHING = changed(
    combination={"mode": "any"},
    signals=[CROSS, {"kind": "donchian_breakout", "params": {"period": 3}, "timeframe": "5m"}],
    filters=[{"kind": "min_volatility", "params": {"period": 2, "percent": 0.05}}],
    exits=[
        {"kind": "stop_loss", "params": {"percent": 0.5}},
        {"kind": "take_profit_ladder", "params": {"distance_1": 0.2, "distance_2": 0.4}},
        {"kind": "chandelier", "params": {"period": 3}, "timeframe": "5m"},
        {"kind": "session_end", "params": {"hour": 1}},
        {"kind": "signal_flip"},
    ],
    sizing={"kind": "atr_risk", "value": "1", "period": 3, "multiple": 2},
)


def walk(count, seed=7):
    """A random walk of one-minute candles in cents."""
    chance, price, found = random.Random(seed), D(100), []
    for minute in range(count):
        opening = price
        price += D(chance.randint(-30, 30)) / 100
        high, low = max(opening, price) + D("0.05"), min(opening, price) - D("0.05")
        volume = D(chance.randint(1, 99))
        found.append(Candle(START + timedelta(minutes=minute), opening, high, low, price, volume))
    return found


def lived(engine, candles, judge):
    """A life on these candles: enter and leave whole when asked to, note what was concluded."""
    holding, notes = None, []
    for one in candles:
        if holding is not None:
            holding = holding._replace(candles=holding.candles + 1, anchors=engine.anchors(holding))
        action, note = judge(engine, one, holding)
        notes.append(note)
        if action.startswith("enter"):
            side = 1 if action == "enter_long" else -1
            holding = Holding(side, one.close, opened_at=one.opened_at + timedelta(minutes=1))
        elif action == "exit":
            holding = None
    return notes


def by_candle(engine, one, holding):
    found = engine.on_candle(one, holding, None)
    return found.action, (found.action, found.reason, found.direction, found.verdicts, found.exit)


def by_bar(engine, one, holding):
    step = engine.on_bar(bar_of(one), holding)
    action = ACTIONS[step.action]
    return action, (action, step.reason(), step.direction or 0, step.verdicts(), step.exit())


def test_the_fast_path_concludes_what_the_runner_does():
    candles = walk(400)
    told = lived(Engine(EVERYTHING), candles, by_candle)
    assert lived(Engine(EVERYTHING), candles, by_bar) == told
    assert {note[0] for note in told} == {"none", "enter_long", "enter_short", "exit"}
    assert {note[4].kind for note in told if note[4]} >= {"stop_loss", "take_profit_ladder"}


def test_an_engine_warmed_with_the_same_history_lives_on_alike():
    candles = walk(400)
    straight, again = Engine(EVERYTHING), Engine(EVERYTHING)
    lived(straight, candles[:300], by_candle)
    again.warm(candles[:300])
    assert lived(again, candles[300:], by_candle) == lived(straight, candles[300:], by_candle)


def test_no_words_are_made_before_somebody_reads(monkeypatch):
    def refuse(self):
        raise AssertionError("words were made")

    monkeypatch.setattr(EmaCross, "detail", refuse)
    engine = Engine(RULES)
    steps = [engine.on_bar(bar_of(candle(i, CLOSES[i]))).action for i in range(6)]
    assert steps == [NOTHING, NOTHING, NOTHING, ENTER_LONG, NOTHING, -1]


@pytest.mark.parametrize(
    ("index", "code"),
    [
        (0, Reason.WARMING_UP),
        (2, Reason.NO_SIGNAL),
        (3, Reason.ENTERS),
        (5, Reason.ENTERS),
    ],
)
def test_a_step_carries_a_number_for_its_reason(index, code):
    engine = engine_at(RULES, index)
    assert engine.on_bar(bar_of(candle(index, CLOSES[index]))).code is code


def stepped(rules, index=3, **rest):
    return engine_at(rules, index).on_bar(bar_of(candle(index, CLOSES[index])), **rest)


def test_each_way_not_to_enter_has_its_number():
    assert stepped(changed(direction="short")).code is Reason.OTHER_SIDE
    assert stepped(RULES, blocked="paused").code is Reason.BLOCKED
    sleepy = {"kind": "min_volatility", "params": {"period": 2, "percent": 20}}
    awake = {"kind": "min_volatility", "params": {"period": 2, "percent": 1}}
    step = stepped(changed(filters=[awake], gates=[{**sleepy, "params": {"period": 50}}]))
    assert (step.code, step.blocker) == (Reason.FILTERED, 2)
    assert stepped(RULES, holding=Holding(1, D(5))).code is Reason.HOLDS
    left = stepped(RULES, holding=Holding(1, D(100)))
    assert (left.code, left.action) == (Reason.LEAVES, EXIT)
    gap = engine_at(RULES, 3).on_bar(bar_of(candle(9, 5)))
    assert (gap.code, gap.missing, gap.verdicts()) == (Reason.GAP, 6, ())


@pytest.mark.parametrize(("period", "passes"), [(2, True), (4, False)])
def test_a_directional_filter_passes_where_it_asks_for_the_same(period, passes):
    # The channel of the 2 candles before is left upwards at 5; of 4 nothing is known yet.
    follows = {"kind": "donchian_breakout", "params": {"period": period}}
    assert (stepped(changed(filters=[follows])).action == ENTER_LONG) is passes


def test_a_directional_filter_blocks_what_it_contradicts():
    # At 6 the channel is left upwards again, but the averages crossed a candle ago.
    breakout = {"kind": "donchian_breakout", "params": {"period": 2}}
    step = stepped(changed(signals=[breakout], guards=[CROSS]), index=4)
    words = "score 1 reached the threshold 1, but ema_cross blocks: fast EMA stays above"
    assert step.reason().startswith(words)
    assert step.values == [1, 0]


def minutes(closes, first=0):
    for index, close in enumerate(closes, first):
        price = float(close)
        yield Bar(price, price, price, price, 1.0, START.timestamp() + 60.0 * index)


def test_a_higher_time_frame_speaks_when_its_candle_closes_and_then_holds():
    rules = changed(
        signals=[{"kind": "donchian_breakout", "timeframe": "5m", "params": {"period": 2}}]
    )
    engine = Engine(rules)
    # Two five-minute candles at 10, a third that closes at 12, and a fourth that falls back.
    bars = minutes([10] * 10 + [10, 10, 10, 10, 12] + [11] * 5)
    directions = [engine.on_bar(bar).direction for bar in bars]
    assert directions == [None] * 14 + [1] * 5 + [0]


def test_a_higher_time_frame_begins_with_its_first_whole_candle():
    rules = changed(signals=[{**CROSS, "timeframe": "5m"}])
    engine = Engine(rules)
    # From minute 3 on: whole candles end at 9, 14 and 19; the slow average wants three.
    steps = [engine.on_bar(bar).direction for bar in minutes([5] * 17, first=3)]
    assert steps == [None] * 16 + [0]


def test_the_stop_at_the_venue_is_the_tightest_of_all():
    rules = changed(
        exits=[
            {"kind": "stop_loss", "params": {"percent": 10}},
            {"kind": "trailing_stop", "params": {"activation": 5, "distance": 3}},
            {"kind": "break_even", "params": {"activation": 2, "offset": 0}},
            {"kind": "take_profit", "params": {"percent": 50}},
        ]
    )
    engine = Engine(rules)
    held = Holding(1, D(100))
    levels = [engine.stop_price(held._replace(best=D(best))) for best in (100, 102, 105, 120)]
    assert levels == [D(90), D(100), D("101.85"), D("116.4")]
    short = Holding(-1, D(100))
    levels = [engine.stop_price(short._replace(best=D(best))) for best in (100, 98, 95, 80)]
    assert levels == [D(110), D(100), D("97.85"), D("82.4")]


def test_a_strategy_without_a_protective_level_has_no_stop():
    engine = Engine(changed(exits=[{"kind": "time_stop"}, {"kind": "take_profit"}]))
    assert engine.stop_price(Holding(1, D(100))) is None


def test_a_ladder_is_climbed_between_candles_too():
    engine = Engine(changed(exits=[{"kind": "take_profit_ladder"}, {"kind": "stop_loss"}]))
    held = Holding(1, D(100))
    call = engine.on_price(held, D("101.2"))
    assert (call.kind, call.share, call.steps) == ("take_profit_ladder", D("0.5"), 1)
    assert engine.on_price(held._replace(steps=1), D("101.2")) is None
    call = engine.on_price(held._replace(steps=1), D(99))
    assert (call.kind, call.share, call.steps) == ("stop_loss", D(1), 1)


def test_what_leaves_the_whole_wins_over_what_leaves_a_part():
    rules = changed(exits=[{"kind": "take_profit_ladder"}, {"kind": "time_stop"}])
    held = Holding(1, D("4.9"), candles=48)
    found = engine_at(rules, 3).on_candle(candle(3, CLOSES[3]), held, None)
    assert (found.exit.kind, found.exit.share) == ("time_stop", 1)
    assert "reached the target" in found.reason
    assert "held 48 of 48 candles" in found.reason


def test_sizing_by_atr_knows_its_distance_once_the_atr_is_warm():
    rules = changed(sizing={"kind": "atr_risk", "value": "1", "period": 2, "multiple": 3})
    engine = engine_at(rules, 2)
    assert engine.risk_distance is None
    engine.on_candle(candle(2, 1), None, None)  # true ranges 1 and 1
    assert engine.risk_distance == 3
    assert Engine(RULES).risk_distance is None
