"""A preview counts what the engine concluded: here on candles and logs that can be read by eye."""

import pytest

from runner.backtest import preview
from runner.decision_log import DecisionLog, State
from runner.engine import Engine
from runner.history.columns import of_candles
from runner.step import Reason
from tests.runner.backtest.hand_history import asked, keep, plain, rules, steps, walk
from tests.runner.hand_market import SYMBOL

WARM = 60


@pytest.fixture
def wanted(tmp_path):
    candles = walk(1000)
    keep(tmp_path, candles)
    return plain(tmp_path, candles, WARM, mode="preview")


def shown(wanted, **change):
    told, status, _ = asked({**wanted, **change})
    assert status == 0, told
    return told["preview"]


def test_it_tells_of_the_very_trades_of_a_backtest(wanted):
    found = shown(wanted)
    whole = asked({**wanted, "mode": "single"})[0]["result"]
    assert found["trades_total"] == whole["trades_total"] > 10
    for row, trade in zip(found["trades"], whole["trades"], strict=False):
        assert row[0] == trade["opened_at"]
        assert row[3] == trade["closed_at"]
        assert row[5] == trade["net"]
    assert found["funnel"] == whole["funnel"][SYMBOL]
    assert found["entries"] == found["funnel"]["entries"]


def test_the_same_request_gives_the_same_answer(wanted):
    assert asked(wanted)[0] == asked(wanted)[0]


def test_few_candles_are_drawn_and_they_span_all_of_them():
    columns = of_candles(steps((10, 12, 9, 11), (11, 15, 11, 14), (14, 14, 8, 9)))
    start = columns.times[0]
    assert preview.drawn(columns, 60) == [
        [start, 10, 12, 9, 11],
        [start + 60, 11, 15, 11, 14],
        [start + 120, 14, 14, 8, 9],
    ]
    assert preview.drawn(columns, 120) == [[start, 10, 15, 9, 14], [start + 120, 14, 14, 8, 9]]


def test_so_many_are_drawn_at_most(wanted):
    found = shown(wanted)
    assert len(found["candles"]) <= preview.CANDLES
    assert found["span"] % 60 == 0


def test_too_many_trades_are_told_by_the_candle(wanted, monkeypatch):
    monkeypatch.setattr(preview, "TRADES", 3)
    found = shown(wanted)
    assert len(found["trades"]) in {3, 4}
    counts = {"entry": 0, "won": 0, "lost": 0}
    for _, _, kind, count in found["crowd"]:
        counts[kind] += count
    total, won = found["trades_total"], found["won"]
    assert counts == {"entry": total, "won": won, "lost": total - won}
    assert {it[0] for it in found["crowd"]} <= {row[0] for row in found["candles"]}


def test_a_position_that_is_still_open_is_listed_without_an_end(tmp_path):
    candles = walk(200) + [
        c.__class__(c.opened_at, *(c.close,) * 4, c.volume) for c in walk(400)[200:]
    ]
    keep(tmp_path, candles)
    never = [{"kind": "take_profit", "params": {"percent": 90.0}}]
    wanted = plain(tmp_path, candles, WARM, mode="preview", rules=rules(exits=never))
    last = shown(wanted)["trades"][-1]
    assert last[3:] == [None, None, None, ""]
    assert last[2] > 0


def test_a_preview_is_of_one_symbol(wanted):
    told, status, _ = asked({**wanted, "symbols": [SYMBOL, "ETH/USDT:USDT"]})
    assert status == 2
    assert told["error"]["field"] == "symbols"


def test_candles_that_are_missing_are_counted(tmp_path):
    candles = walk(600)
    kept = candles[:300] + candles[310:]
    gap = int(candles[300].opened_at.timestamp())
    keep(tmp_path, kept, gaps=[(gap, gap + 600)])
    found = shown(plain(tmp_path, candles, WARM, mode="preview"))
    assert (found["missing"], found["gaps"]) == (10, [[gap, gap + 600]])
    assert found["funnel"]["unfit"] > 0


def log_of(*states):
    log = DecisionLog(())
    for count, state in states:
        log.codes.extend([len(log.states)] * count)
        log.states.append(state)
    return log


def test_who_agreed_and_who_blocked_is_counted_by_hand():
    """Two signals, a filter that knows sides, one that does not."""
    engine = Engine(
        rules(
            signals=[{"kind": "ema_cross", "params": {}}, {"kind": "streak_fade", "params": {}}],
            direction="both",
            filters=[{"kind": "ema_trend", "params": {}}, {"kind": "adx_strength", "params": {}}],
        )
    )
    assert [it.directional for it in engine.components] == [True, True, True, False]
    log = log_of(
        (50, State(Reason.WARMING_UP, 0, 0, (None, None, None, None))),
        (100, State(Reason.NO_SIGNAL, 0, 0, (0, 0, 1, 1))),
        (7, State(Reason.ENTERS, 1, 1, (1, 0, 1, 1))),
        (3, State(Reason.ENTERS, -1, -1, (-1, -1, -1, 1))),
        (20, State(Reason.FILTERED, 0, 1, (1, -1, -1, 0), (), 2)),
        (5, State(Reason.FILTERED, 0, 1, (1, 0, 1, 0), (), 3)),
        (2, State(Reason.BLOCKED, 0, -1, (-1, 0, -1, 1), (), -1, "the daily loss limit")),
        (30, State(Reason.HOLDS, 0, 1, (1, 0, 1, 1), (0,))),
    )
    found = preview.voices(log, engine)
    assert (found["asked"], found["entries"]) == (37, 10)
    cross, reversal, slope, regime = found["components"]
    assert (cross["up"], cross["down"], cross["none"], cross["unknown"]) == (62, 5, 100, 50)
    assert (cross["agreed"], cross["entries"]) == (37, 10)
    assert (reversal["agreed"], reversal["entries"]) == (3, 3)
    assert (slope["agreed"], slope["entries"]) == (17, 10)
    assert (regime["agreed"], regime["none"]) == (12, 25)
    assert found["blocked"] == [
        ["filter", 1, "adx_strength", 25, 5],
        ["filter", 0, "ema_trend", 20, 0],
        ["", 0, "the daily loss limit", 2, 2],
    ]


def test_a_side_that_is_not_traded_blocks_and_nobody_else_is_blamed():
    engine = Engine(rules(filters=[{"kind": "adx_strength", "params": {}}]))
    log = log_of((4, State(Reason.OTHER_SIDE, 0, -1, (-1, 0))))
    assert preview.voices(log, engine)["blocked"] == [["", 0, "direction", 4, 4]]
