"""A recording in hand-written lines: what the runner could know, and in which order."""

import asyncio
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from runner.backtest.account import Account
from runner.backtest.replay import Replay
from runner.backtest.request import Request
from runner.exchange.base import Book, PublicTrade
from runner.history.recording import (
    BOTH,
    DESK,
    FORMAT,
    VENUE,
    Head,
    HeldClock,
    Recorder,
    Seen,
    Tap,
    seen,
)
from runner.protocol import Candle, Side, to_plain
from runner.step import Reason
from tests.runner.backtest.hand_history import rules
from tests.runner.hand_market import BTC, SYMBOL

START = datetime(2026, 7, 10, tzinfo=UTC)
SECOND = timedelta(seconds=1)
PLAN = {
    **rules(
        [{"kind": "ema_cross", "params": {"fast": 2, "slow": 3}}],
        [{"kind": "stop_loss", "params": {"percent": 1}}],
    ),
    "timeframe": "1s",
}
PRICES = (100, 100, 100, 100, 100, 99, 103, 103)
"""The fast average crosses above the slow one as the seventh closes."""


def at(seconds):
    return START + timedelta(seconds=seconds)


def candle(number, price):
    return Candle(at(number), *[Decimal(price)] * 4, Decimal(1))


def book(price):
    price, tick, much = Decimal(price), Decimal("0.1"), Decimal(100)
    return Book(((price - tick, much),), ((price + tick, much),))


def prints(when, price):
    return [PublicTrade(at(when), Decimal(price), Decimal(1), Side.SELL)]


def entered(who_fills, who_decides):
    """A replay that has just entered long at 103; its stop belongs at about 102."""
    request = Request(PLAN, "practice", (SYMBOL,), START, at(1000), None)
    account = Account(request, {SYMBOL: BTC})
    replay = Replay(PLAN, account, (SYMBOL,))

    def tell(when, who, what, since=None):
        replay.see(Seen(at(when), who, SYMBOL, what, since))

    rows = [candle(number, price) for number, price in enumerate(PRICES)]
    tell(6.1, who_decides, rows[:6], at(0))
    tell(7.1, who_decides, rows[5:], at(5))
    tell(7.2, who_decides, book(103))
    if who_fills != who_decides:
        tell(7.3, who_fills, book(103))
    assert account.held(SYMBOL) > 0
    return account, tell


def stops(account):
    return [order for order in account.state.live(SYMBOL) if order.reduce_only]


def test_a_stop_reaches_the_venue_with_the_picture_that_was_read_for_it():
    account, tell = entered(VENUE, DESK)
    assert not stops(account)
    tell(7.4, VENUE, book(103))  # a runner looks first at what its entry did
    tell(7.6, VENUE, prints(7.5, "101"))  # and hears of this before its stop arrives
    assert not stops(account)
    tell(7.7, VENUE, book(103))
    assert account.held(SYMBOL) > 0
    assert not stops(account)  # the last print lies beyond it: it would fire at once
    tell(13, DESK, book(103))
    tell(13.1, VENUE, prints(13.05, "103"))
    tell(13.2, VENUE, book(103))
    assert len(stops(account)) == 1
    tell(14, VENUE, prints(13.9, "101"))
    tell(14.1, VENUE, book(101))
    assert not account.held(SYMBOL)
    assert not stops(account)


def test_who_only_records_shows_the_venue_what_the_desk_sees():
    account, tell = entered(BOTH, BOTH)
    assert len(stops(account)) == 1
    tell(7.6, BOTH, prints(7.5, "101"))
    tell(7.7, BOTH, book(101))
    assert not account.held(SYMBOL)


def logged(answers):
    request = Request(PLAN, "practice", (SYMBOL,), START, at(1000), None)
    replay = Replay(PLAN, Account(request, {SYMBOL: BTC}), (SYMBOL,))
    for answer in answers:
        replay.see(answer)
    return [
        (row[0] - int(START.timestamp()), row[1].code) for row in replay.tracks[SYMBOL].log.rows()
    ]


class Market:
    def __init__(self, *answers):
        self.answers = list(answers)

    async def candles(self, *_):
        return self.answers.pop(0)


def recorded(path, *answers):
    """What is read of a recording of these answers of candles."""

    async def ask():
        clock = HeldClock()
        recorder = Recorder(path, Head(FORMAT, "practice", "1s", {SYMBOL: to_plain(BTC)}))
        tap = Tap(Market(*answers), clock, recorder, DESK)
        for _ in answers:
            await tap.candles(SYMBOL, "1s", 5)
        recorder.close()

    asyncio.run(ask())
    return list(seen(path))


def test_an_answer_that_left_a_candle_out_leaves_it_out_in_the_replay(tmp_path):
    rows = [candle(number, 100) for number in range(12)]
    unfinished = candle(6, 105)
    lines = recorded(tmp_path / "seen.jsonl.gz", [*rows[:6], unfinished], rows[7:10], rows[7:11])
    assert [line.since for line in lines] == [at(0), at(7), at(7)]
    assert [len(line.what) for line in lines] == [7, 3, 1]
    moments = (6.5, 9.5, 10.5)
    told = [
        Seen(at(when), line.who, SYMBOL, line.what, line.since)
        for when, line in zip(moments, lines, strict=True)
    ]
    found = logged(told)
    assert found[:2] == [(7, Reason.GAP), (8, Reason.BROKEN)]


def test_an_answer_with_nothing_new_may_still_prove_the_end_of_a_candle(tmp_path):
    rows = [candle(number, 100) for number in range(8)]
    lines = recorded(tmp_path / "seen.jsonl.gz", rows[:7], rows, rows)
    assert lines[2].what == []
    moments = (6.5, 8.5, 10.5)
    told = [
        Seen(at(when), line.who, SYMBOL, line.what, line.since)
        for when, line in zip(moments, lines, strict=True)
    ]
    assert [second for second, _ in logged(told)] == [6, 7]


def test_an_answer_and_what_is_made_of_it_have_one_moment():
    async def ask():
        clock = HeldClock()
        moment = clock.answered()
        assert all(clock.now() == moment for _ in range(1_000))
        other = clock.answered()
        assert clock.now() == other >= moment
        await asyncio.sleep(0.002)
        assert clock.now() > other

    asyncio.run(ask())


def test_an_older_recording_says_no_beginning():
    rows = [candle(number, 100) for number in range(8)]
    told = [Seen(at(6.5), DESK, SYMBOL, rows[:7]), Seen(at(9), DESK, SYMBOL, rows)]
    assert [second for second, _ in logged(told)] == [6]
