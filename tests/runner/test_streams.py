"""What is heard wakes the runner and is asked for; nothing else follows from it."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from runner import streams
from runner.errors import Operational, Temporary
from runner.protocol import Hearing
from runner.streams import LEAST_GAP, MOST_PER_MINUTE, TOLD_WITHIN, Streams, pause_after
from tests.runner.hand_desk import story
from tests.runner.hand_market import StillClock

BTC = "BTC/USDT:USDT"
AT = datetime(2026, 11, 30, 12, tzinfo=UTC)
SECOND = timedelta(seconds=1)


class Counted(StillClock):
    """Counts the times the loop was woken."""

    woken = 0

    def wake(self):
        self.woken += 1


class Deaf:
    """Stands for a listener whose connection the test describes by hand."""

    private = True

    async def listen(self, ears):
        ears.standing()
        await asyncio.Event().wait()


def standing(clock, listener=None):
    heard = Streams(clock, listener or Deaf())
    heard.standing()
    heard.take()
    clock.advance(TOLD_WITHIN + 1)
    return heard


def run(act):
    async def go():
        await act(Counted())

    asyncio.run(go())


def test_without_a_listener_nothing_is_heard_and_the_reason_is_said():
    heard = Streams(StillClock())
    assert not heard.take()
    heard.fill_read()
    heard.candle_read(BTC, AT)
    assert (heard.use, heard.why) == (
        Hearing.REQUESTS,
        "streams are switched off or not offered",
    )


def test_a_burst_is_one_look():
    async def act(clock):
        heard = standing(clock)
        clock.woken = 0
        for _ in range(20):
            heard.account()
        assert clock.woken == 1
        assert [heard.take(), heard.take()] == [True, False]

    run(act)


def test_events_cannot_spend_more_than_their_share_of_the_budget():
    async def act(clock):
        heard = standing(clock)
        taken = 0
        for _ in range(200):
            heard.account()
            taken += heard.take()
            clock.advance(LEAST_GAP)
        # One more was spent as the streams came to stand.
        assert taken == MOST_PER_MINUTE - 1
        clock.advance(60)
        assert heard.take()  # what had to wait is not forgotten

    run(act)


def test_a_candle_wakes_once_when_the_next_has_begun():
    async def act(clock):
        heard = standing(clock)
        clock.woken = 0
        for second, volume in [
            (0, 1.0),
            (0, 2.0),
            (1, 0.5),
            (1, 0.5),
            (0, 9.0),
            (1, 0.7),
            (2, 1.0),
        ]:
            heard.candle(BTC, AT + second * SECOND, volume)
            clock.advance()
        assert clock.woken == 2
        assert not heard.take()  # and says nothing of the account

    run(act)


async def looked(heard, clock, seconds, candles=None):
    """Let its watch look again and again while so much time goes by; what it says."""
    watch = asyncio.create_task(heard._look(candles, "1m"))
    end = clock.monotonic() + seconds
    while clock.monotonic() < end and not watch.done():
        clock.advance()
        await asyncio.sleep(0.005)
    watch.cancel()
    (said,) = await asyncio.gather(watch, return_exceptions=True)
    return said


@pytest.fixture
def hasty(monkeypatch):
    monkeypatch.setattr(streams, "LOOK_SECONDS", 0.001)


def test_a_fill_that_only_a_request_showed_breaks_the_stream(hasty):
    async def act(clock):
        heard = standing(clock)
        heard.fill_read()
        said = await looked(heard, clock, 30)
        assert str(said) == "the streams did not tell of a fill"

    run(act)


@pytest.mark.parametrize("before", [True, False])
def test_a_fill_that_was_told_a_moment_before_or_after_is_in_order(hasty, before):
    async def act(clock):
        heard = standing(clock)
        if before:
            heard.account()
            heard.fill_read()
        else:
            heard.fill_read()
            heard.account()
        assert isinstance(await looked(heard, clock, 30), asyncio.CancelledError)

    run(act)


def test_a_candle_that_only_requests_showed_breaks_the_stream(hasty):
    async def act(clock):
        heard = standing(clock)
        heard.candle(BTC, AT, 1.0)
        heard.candle_read(BTC, AT)
        assert isinstance(await looked(heard, clock, 30), asyncio.CancelledError)
        heard.candle_read(BTC, AT + SECOND)
        said = await looked(heard, clock, 30)
        assert str(said) == f"the streams did not tell of a candle of {BTC}"

    run(act)


class Row:
    def __init__(self, volume):
        self.opened_at, self.volume = AT, volume


@pytest.mark.parametrize(("volume", "broken"), [(1.0, False), (2.0, True)])
def test_a_silence_is_compared_with_a_request(hasty, volume, broken):
    """A market in which nothing trades is no broken stream."""

    async def act(clock):
        asked = []

        async def candles(symbol, timeframe, limit):
            asked.append((symbol, timeframe, limit))
            return [Row(volume)]

        heard = standing(clock)
        heard.candle(BTC, AT, 1.0)
        said = await looked(heard, clock, streams.QUIET_SECONDS + 20, candles)
        assert asked == [(BTC, "1m", 2)]
        assert ("requests do" in str(said)) is broken

    run(act)


def test_the_pauses_grow_differ_and_never_end_within_a_ban():
    def luck():
        return 0.5

    pauses = [pause_after(count, Temporary("out"), AT, luck) for count in range(1, 9)]
    assert pauses == [0.75, 1.5, 3.0, 6.0, 12.0, 24.0, 45.0, 45.0]
    assert pause_after(9, Temporary("out"), AT, lambda: 0.0) == 30
    assert pause_after(9, Temporary("out"), AT, lambda: 1.0) == 60
    until = AT + timedelta(seconds=90)
    assert pause_after(1, Temporary("banned", until), AT, lambda: 0.0) > 90
    assert pause_after(1, Temporary("banned", AT - SECOND), AT, lambda: 0.0) == 0.5
    assert pause_after(1, Operational("no right"), AT, lambda: 0.0) == 300


class Failing:
    """A listener that stands for a while, then fails; again and again."""

    private = True

    def __init__(self, clock, *stands):
        self.clock, self.stands = clock, list(stands)

    async def close(self):
        pass

    async def listen(self, ears):
        if not self.stands:
            await asyncio.Event().wait()
        stood = self.stands.pop(0)
        if stood is not None:
            ears.standing()
            self.clock.advance(stood)
        raise Temporary("out")


def test_who_comes_to_stand_again_has_all_compared(monkeypatch):
    async def act(clock):
        pauses = []

        def pause(failures, _error, _now):
            pauses.append(failures)
            return 0

        monkeypatch.setattr(streams, "pause_after", pause)
        heard = Streams(clock, Failing(clock, 10, None, 10, 100, 10))
        heard.start(None, "1m")
        while len(pauses) < 5:  # noqa: ASYNC110 - nothing here could set an event
            await asyncio.sleep(0.001)
        await heard.close()
        # Short stands do not make the pauses short again; a long one does.
        assert pauses == [1, 2, 3, 1, 2]
        assert (heard.use, heard.why) == (Hearing.REQUESTS, "out")
        assert [heard.take_missed(), heard.take_missed()] == [True, False]

    run(act)


def test_the_first_time_nothing_was_missed():
    heard = standing(Counted())
    assert not heard.take_missed()
    assert (heard.use, heard.why) == (Hearing.STREAMS, "")


def reads_of(hand):
    """How often the account is read from now on."""
    count, read = [0], hand.broker.positions

    async def counted():
        count[0] += 1
        return await read()

    hand.broker.positions = counted
    return count


def test_the_loop_reads_the_account_at_once_and_believes_the_answer(tmp_path):
    async def act(hand):
        await hand.tick(3)
        hand.bench.streams.take()
        count = reads_of(hand)
        await hand.loop._trade()
        assert count == [0]  # nothing is due
        hand.bench.streams.account()
        await hand.loop._trade()
        assert count == [1]
        assert not hand.desk.positions  # an event without anything behind it is nothing
        await hand.loop._trade()
        assert count == [1]

    story(tmp_path, act)


def test_after_streams_were_away_everything_is_compared(tmp_path):
    async def act(hand):
        await hand.tick(1)
        hand.bench.streams.missed = True
        hand.bench.streams.account()
        await hand.loop._trade()
        assert not hand.bench.streams.missed
        assert hand.loop._rounds._missed or hand.loop._rounds._looked > 0

    story(tmp_path, act)
