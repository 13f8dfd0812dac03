"""A recording of a class's runner in hand-written lines: when it was asked, and when heard."""

from contextlib import contextmanager

import pytest

from runner.backtest.account import Account
from runner.backtest.replay import LATE, Replay
from runner.backtest.request import Request
from runner.code.engine import end
from runner.code.process import CodeFault
from runner.history.asking import Answered, Asked, Began
from runner.history.recording import DESK, FORMAT, Head, HeldClock, Recorder, Seen, noting, seen
from runner.protocol import to_plain
from runner.step import Reason
from tests.runner.backtest.test_replay import START, at, candle
from tests.runner.code.sources import hook, rules_of
from tests.runner.hand_market import BTC, SYMBOL

COUNTING = """
self.state["asked"] = self.state.get("asked", 0) + 1
self.enter_long(f"asked {self.state['asked']} times")
"""
ROWS = [candle(number, 100) for number in range(12)]


@contextmanager
def replay(body=COUNTING):
    """Seven candles are read, and the class has begun with what it kept."""
    plan = rules_of(hook(body, timeframe="1s"))
    request = Request(plan, "practice", (SYMBOL,), START, at(1000), None)
    made = Replay(plan, Account(request, {SYMBOL: BTC}), (SYMBOL,), asks=True)

    def tell(when, what, since=None):
        made.see(Seen(at(when), DESK, SYMBOL, what, since))

    tell(7.5, ROWS[:8], at(0))
    tell(7.6, Began({"asked": 5}))
    try:
        yield tell, made.tracks[SYMBOL]
    finally:
        end([made.tracks[SYMBOL].engine])


def said(track):
    """Second, reason code, and words of each candle."""
    return [
        (second - int(START.timestamp()), state.code, words and words.reason)
        for second, state, words in track.log.rows()
    ]


def test_a_candle_is_judged_when_the_runner_had_heard_its_class():
    with replay() as (tell, track):
        tell(8.5, ROWS[:9], at(0))
        tell(8.6, Asked(at(7)))
        assert said(track) == []
        tell(9.5, ROWS[:10], at(0))
        tell(9.6, Answered(at(7)))
        tell(9.7, Asked(at(8)))
        tell(9.8, Answered(at(8)))
        assert said(track) == [
            (7, Reason.BLOCKED, f"asked 6 times, but {LATE}"),
            (8, Reason.ENTERS, "asked 7 times"),
        ]


def test_where_the_runner_had_no_answer_there_is_none():
    with replay() as (tell, track):
        tell(9.5, ROWS[:10], at(0))
        tell(9.6, Asked(at(7)))
        tell(9.7, Answered(at(7), "the code was stopped: it hung"))
        tell(9.8, Answered(at(8), "the code was stopped: it hung"))
        assert [code for _, code, _ in said(track)] == [Reason.NO_SIGNAL] * 2
        assert track.engine.voice.words == "the code was stopped: it hung"


def test_what_fails_as_it_did_is_borne_and_what_fails_anew_ends_the_run():
    with replay("1 / 0") as (tell, track):
        tell(9.5, ROWS[:10], at(0))
        tell(9.6, Asked(at(7)))
        tell(9.7, Answered(at(7), "the class failed in on_candle"))
        tell(9.8, Asked(at(8)))
        with pytest.raises(CodeFault, match="ZeroDivisionError"):
            tell(9.9, Answered(at(8)))
        assert len(said(track)) == 1


def test_what_the_runner_forgot_for_a_gap_is_not_judged_later():
    with replay() as (tell, track):
        tell(11.5, ROWS[9:12], at(9))
        tell(11.6, Asked(at(9)))
        tell(11.7, Answered(at(9)))
        tell(11.8, Asked(at(10)))
        tell(12.5, [*ROWS[8:], candle(12, 100)], at(8))  # read anew, and nothing waits any more
        tell(12.6, Began({}))  # with what it has kept since
        tell(13.5, [*ROWS[8:], candle(12, 100), candle(13, 100)], at(8))
        tell(13.6, Asked(at(12)))
        tell(13.7, Answered(at(12)))
        assert said(track) == [
            (9, Reason.GAP, None),
            (12, Reason.ENTERS, "asked 8 times"),
        ]


def test_moments_are_written_and_read_and_never_an_answer(tmp_path):
    path = tmp_path / "seen.jsonl.gz"
    told = [Began({"a": [1.5]}), Asked(at(1)), Answered(at(1)), Answered(at(2), "it hung")]
    head = Head(FORMAT, "practice", "1s", {SYMBOL: to_plain(BTC)}, asks=True)
    recorder = Recorder(path, head)
    clock = HeldClock()
    clock.answered = clock.now
    for one in told:
        noting(SYMBOL, clock, recorder)(one)
    recorder.close()
    assert [line.what for line in seen(path)] == told
