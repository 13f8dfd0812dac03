"""What an older runner said is understood as what it meant."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.domain.decisions.judged import Judged
from app.domain.decisions.older import understood
from runner.engine import Engine
from runner.protocol import Verdict
from runner.strategy.spec import Holding
from tests.factories import NOW
from tests.runner.backtest.hand_history import rules, walk

FILTER = {"kind": "min_volatility", "params": {"period": 5, "percent": 0.04}}
PLAN = {**rules(direction="long"), "filters": [FILTER]}
SAID = (
    Verdict("ema_cross", "signal", 1, "fast EMA crossed above slow EMA (2 and 1)"),
    Verdict("adx_strength", "filter", 0, "ADX is 3.1, 5 passes"),
    Verdict("adx_strength", "gate", 0, "ADX is 3.1, 20 passes"),
)


@pytest.mark.parametrize(
    ("action", "reason", "code", "by"),
    [
        ("none", "no signal reached the threshold 1 (score 0)", 5, ""),
        ("none", "signals are warming up", 4, ""),
        ("none", "no exit fired", 10, ""),
        ("exit", "4 of 4 candles have passed, but what of it", 11, ""),
        ("enter_short", "score -1 reached the threshold 1", 9, ""),
        ("none", "score 1 reached the threshold 1, but the strategy only trades short", 6, ""),
        ("none", "score 1, but adx_strength blocks: ADX is 3.1, 5 passes", 7, "adx_strength"),
        ("none", "score 1, but adx_strength blocks: ADX is 3.1, 20", 7, "adx_strength"),
        ("none", "score 1, but paused", 8, "paused"),
        ("none", "score 1, but limit: 2 of 2 positions open", 8, "limit: … of … positions open"),
        ("none", "this candle's numbers cannot be true: no decision", 1, ""),
        ("none", "3 candles are missing before this one: no decision", 2, ""),
        ("none", "candles before this one are missing or wrong: no decision", 3, ""),
    ],
)
def test_words_tell_the_reason(action, reason, code, by):
    row = understood(Judged(NOW, Decimal(1), action, reason, SAID))
    assert (row.code, row.blocked_by) == (code, by)


def test_which_of_two_alike_blocked_follows_from_the_words():
    words = "score 1, but adx_strength blocks: ADX is 3.1, 20"
    assert understood(Judged(NOW, Decimal(1), "none", words, SAID)).blocker == 2


def test_every_reason_of_an_engine_is_understood_without_its_number():
    engine, held, seen = Engine(PLAN), 0, set()
    for number, candle in enumerate(walk(3000)):
        holding = Holding(1, candle.close, 3) if held else None
        told = engine.on_candle(candle, holding, "paused" if number % 7 == 0 else None)
        held = 5 if told.action == "enter_long" else max(held - 1, 0)
        row = Judged(candle.opened_at, candle.close, told.action, told.reason, told.verdicts)
        whole = replace(row, code=told.code, blocker=told.blocker, blocked=told.blocked)
        found = understood(row)
        assert (found.code, found.blocked_by) == (whole.code, whole.blocked_by), told
        seen.add(told.code)
    assert {4, 5, 6, 7, 8, 9, 10} <= seen
