"""The log is small, comes back whole, and its funnel adds up."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner.backtest.lane import components_of
from runner.bars import bar_of
from runner.decision_log import MAGIC, DecisionLog, action_of, funnel, unpacked
from runner.engine import Engine
from runner.strategy.spec import Holding
from tests.runner.backtest.hand_history import rules, walk

FILTER = {"kind": "min_volatility", "params": {"period": 5, "percent": 0.04}}
PLAN = {**rules(direction="long"), "filters": [FILTER]}


def logged(candles, plan=PLAN, *, hold=20):
    """A log, and beside it what was said of each candle."""
    engine, said = Engine(plan), []
    log, held = DecisionLog(components_of(engine)), 0
    for candle in candles:
        holding = Holding(1, candle.close, hold - held) if held else None
        step = engine.on_bar(bar_of(candle), holding)
        log.add(int(candle.opened_at.timestamp()), step)
        said.append((step.action, step.reason(), [v.value for v in step.verdicts()]))
        held = hold if step.action == 1 and not held else max(held - 1, 0)
    return log, said


def test_what_was_concluded_comes_back(tmp_path):
    log, said = logged(walk(3000))
    again = unpacked(iter(list(log.chunks())))
    assert len(again) == 3000
    for (at, state, words), candle, (action, reason, values) in zip(
        again.rows(), walk(3000), said, strict=True
    ):
        assert at == int(candle.opened_at.timestamp())
        assert state.action == action
        assert [*state.values, *state.fired] == values
        if action:
            assert words.reason == reason


def test_several_chunks_are_one_log(monkeypatch):
    monkeypatch.setattr("runner.decision_log._CHUNK", 700)
    log, _ = logged(walk(3000))
    chunks = list(log.chunks())
    assert len(chunks) == 5
    again = unpacked(iter(chunks))
    assert [row[0] for row in again.rows()] == [row[0] for row in log.rows()]
    assert [row[1:] for row in again.rows()] == [row[1:] for row in log.rows()]
    assert funnel(again) == funnel(log)


def test_a_candle_costs_a_few_bytes():
    dice = random.Random(3)
    log, _ = logged(walk(5000, seed=dice.randint(0, 99)))
    assert sum(map(len, log.chunks())) / len(log) < 60


def test_the_funnel_adds_up():
    log, said = logged(walk(3000))
    found = funnel(log)
    assert found["candles"] == 3000
    kinds = ("unfit", "warming_up", "no_signal", "held", "signals")
    assert sum(found[kind] for kind in kinds) == 3000
    parts = ("other_side", "signals_blocked", "entries")
    assert sum(found[part] for part in parts) == found["signals"]
    assert sum(found["blocked"].values()) == found["signals_blocked"]
    assert found["entries"] == sum(action == 1 for action, _, _ in said)
    assert found["blocked"]["min_volatility"] > 0


def test_a_refused_entry_is_no_entry_and_keeps_its_words():
    log, _ = logged(walk(3000))
    before = funnel(log)["entries"]
    place = next(n for n, (_, state, _) in enumerate(log.rows()) if state.action == 1)
    cut = DecisionLog(log.components, log.times[: place + 1], log.codes[: place + 1], log.states)
    cut.words = {place: log.words[place]}
    cut.refuse("limit: daily loss 12.50 reached 10; no entries today")
    _, state, words = list(cut.rows())[-1]
    assert action_of(state) == "none"
    assert state.blocked == "limit: daily loss … reached … no entries today"
    assert words.reason.endswith("but limit: daily loss 12.50 reached 10; no entries today")
    assert funnel(cut)["entries"] == 0
    assert before > 0


@pytest.mark.parametrize("chunk", [b"", b"nothing", MAGIC + b"x", MAGIC])
def test_a_damaged_chunk_is_named(chunk):
    with pytest.raises(ValueError, match="chunk"):
        unpacked(iter([chunk]))


def test_no_chunk_is_no_log():
    with pytest.raises(ValueError, match="no chunk"):
        unpacked(iter([]))


def test_a_gap_between_candles_is_kept():
    candles = walk(200)
    moved = [*candles[:100], *candles[150:]]
    log, _ = logged(moved)
    again = unpacked(iter(list(log.chunks())))
    times = [datetime.fromtimestamp(at, UTC) for at in again.times]
    assert times[100] - times[99] == timedelta(minutes=51)
    assert Decimal(len(again)) == 150
