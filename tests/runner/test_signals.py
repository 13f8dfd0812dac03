"""External signals: decided once and at once, through the whole house, and always told."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest

from runner.errors import Temporary
from runner.memory import Memory
from runner.protocol import (
    Candle,
    EventKind,
    ExternalSignal,
    Side,
    SignalAction,
    SignalOutcome,
    Window,
)
from runner.signals import Signals
from tests.runner.hand_desk import PRICE, SYMBOL, rules, story
from tests.runner.hand_market import START
from tests.runner.test_health import make_room, refuse_all

LONG, SHORT, CLOSE = SignalAction
ENTERED, EXITED, KEPT, NOTHING, EXPIRED, SUPERSEDED = SignalOutcome
OWN = {"kind": "external_signal", "params": {"valid": 3600}}


def listening(section="signals", *, flip=True, **more):
    plain = rules()
    plain |= {"timeframe": "1m", "direction": "both", "combination": {"mode": "any"}, **more}
    plain["filters"] = plain["guards"] = plain["gates"] = []
    plain["exits"] = [it for it in plain["exits"] if flip or it["kind"] != "signal_flip"]
    if section == "signals":
        return plain | {"signals": [OWN]}
    return plain | {section: [OWN]}


def play(directory, act, plain=None):
    """Run ``act`` on a bot that listens, warm and let in."""

    async def begin(hand):
        await ready(hand)
        await act(hand)

    story(directory, begin, rules=plain or listening())


async def ready(hand):
    clock = hand.clock

    async def candles(symbol, timeframe, limit):
        last = clock.now().replace(second=0, microsecond=0)
        opened = [last - timedelta(minutes=n) for n in range(limit, -1, -1)]
        return [Candle(at, *[PRICE] * 4, Decimal(1)) for at in opened]

    hand.market.candles = candles
    standing = hand.bench.standing
    standing.preflight_passed = True
    standing.windows = (window(clock),)
    standing.lease_deadline = clock.monotonic() + 10**6
    await hand.tick()


def window(clock):
    return Window(clock.now() - timedelta(days=1), clock.now() + timedelta(days=9))


def said(hand, action, name="sig_1", *, seconds=30, symbol=SYMBOL):
    """The platform says it, as it does with every answer."""
    now = hand.clock.now()
    signal = ExternalSignal(name, symbol, action, now, now + timedelta(seconds=seconds))
    hand.bench.signals.take((signal,), now)
    return signal


def told(hand):
    return [(it.id, it.outcome) for it in hand.told(EventKind.SIGNAL)]


def words(hand):
    return hand.told(EventKind.SIGNAL)[-1].reason


def entries(hand):
    found = hand.bench.journal.orders_on(SYMBOL, 99)
    return [order for order in reversed(found) if order.purpose == "entry"]


@pytest.mark.parametrize(("action", "side"), [(LONG, Side.BUY), (SHORT, Side.SELL)])
def test_it_is_decided_at_once_and_its_position_is_protected(action, side, tmp_path):
    async def act(hand):
        said(hand, action)
        await hand.tick()
        (order,) = entries(hand)
        assert order.side is side
        (done,) = hand.told(EventKind.SIGNAL)
        assert (done.outcome, done.order) == (ENTERED, order.client_id)
        assert [(v.component, v.value) for v in done.verdicts] == [
            ("external_signal", 1 if action is LONG else -1)
        ]
        assert hand.broker.stops()

    play(tmp_path, act)


def decided(hand):
    """What stands in the log of decisions by a signal."""
    return [it for it in hand.told(EventKind.DECISION) if it.signal]


def test_what_is_decided_on_it_stands_in_the_log_with_its_source(tmp_path):
    async def act(hand):
        said(hand, LONG)
        await hand.tick(3)
        (one,) = decided(hand)
        assert (one.signal, one.action, one.code) == ("sig_1", "enter_long", 9)
        assert one.candle.opened_at + timedelta(minutes=1) <= hand.clock.now()
        assert [(v.component, v.value) for v in one.verdicts] == [("external_signal", 1)]
        said(hand, SHORT, "sig_2")
        await hand.tick(10)
        actions = [(it.signal, it.action) for it in decided(hand)]
        assert actions[1:] == [("sig_2", "exit"), ("sig_2", "enter_short")]
        hand.bench.standing.paused = True
        said(hand, LONG, "sig_3")
        await hand.tick(3)
        assert "enter" not in decided(hand)[-1].action
        assert len(entries(hand)) == sum("enter" in it.action for it in decided(hand)) == 2

    play(tmp_path, act)


def test_what_is_repeated_is_done_once(tmp_path):
    async def act(hand):
        signal = said(hand, LONG)
        for _ in range(5):
            hand.bench.signals.take((signal,), hand.clock.now())
            await hand.tick()
        assert len(entries(hand)) == 1
        said(hand, CLOSE, "sig_2")
        await hand.tick(3)
        assert not hand.broker.held
        hand.bench.signals.take((signal,), hand.clock.now())
        await hand.tick(70)  # over the next candle, too: it is spent
        assert len(entries(hand)) == 1
        assert told(hand) == [("sig_1", ENTERED), ("sig_2", EXITED)]

    play(tmp_path, act)


def test_an_entry_that_was_left_again_is_not_made_anew_with_the_next_candle(tmp_path):
    async def act(hand):
        said(hand, LONG)
        await hand.tick(3)
        hand.bench.standing.flattening = True  # as a stop would leave it
        await hand.tick(3)
        assert not hand.broker.held
        hand.bench.standing.flattening = False
        await hand.tick(130)  # two candles, while the signal still counts
        assert len(entries(hand)) == 1
        assert told(hand) == [("sig_1", ENTERED)]

    play(tmp_path, act)


def test_what_is_decided_stays_so_after_the_process_died(tmp_path):
    async def act(hand):
        signal = said(hand, LONG)
        await hand.tick()
        bench = hand.bench
        bench.memory.__init__(hand.store, bench.configuration, 1, {}, hand.clock.now())
        bench.signals = Signals(bench)
        assert isinstance(bench.memory, Memory)
        bench.signals.take((signal,), hand.clock.now())
        await hand.tick(3)
        assert len(entries(hand)) == 1
        assert told(hand) == [("sig_1", ENTERED)]

    play(tmp_path, act)


@pytest.mark.parametrize("point", ["before it is told", "after it is told"])
def test_dying_in_the_midst_enters_once_at_most(point, tmp_path):
    class Dead(BaseException):
        pass

    async def act(hand):
        signal = said(hand, LONG)
        submit, keep = hand.desk.submit, hand.custodian.keep

        def die(*_):
            raise Dead

        if point == "before it is told":
            hand.custodian.keep = die
        else:
            hand.desk.submit = die
        with pytest.raises(Dead):
            await hand.tick()
        hand.desk.submit, hand.custodian.keep = submit, keep
        bench = hand.bench
        bench.memory.__init__(hand.store, bench.configuration, 1, {}, hand.clock.now())
        bench.signals = Signals(bench)
        bench.signals.take((signal,), hand.clock.now())
        await hand.tick(5)
        # What was told is not done again; what was not is as if it had never been looked at.
        assert len(entries(hand)) == (1 if point == "before it is told" else 0)
        assert len(told(hand)) == 1

    play(tmp_path, act)


def test_what_comes_too_late_is_told_so(tmp_path):
    async def act(hand):
        said(hand, LONG, seconds=0)
        await hand.tick()
        assert told(hand) == [("sig_1", EXPIRED)]
        assert not entries(hand)

    play(tmp_path, act)


def test_trouble_is_waited_out_until_it_is_too_late(tmp_path):
    async def act(hand):
        book = hand.market.book

        async def away(*_):
            raise Temporary("the venue is away")

        said(hand, LONG)
        hand.market.book = away
        await hand.tick(3)
        assert told(hand) == []
        hand.market.book = book
        await hand.tick()
        assert told(hand) == [("sig_1", ENTERED)]

    play(tmp_path, act)


def test_what_was_heard_and_not_done_in_time_says_that_a_candle_may_still_act(tmp_path):
    async def act(hand):
        book = hand.market.book

        async def away(*_):
            raise Temporary("the venue is away")

        said(hand, LONG, seconds=5)
        hand.market.book = away
        await hand.tick(8)
        assert told(hand) == [("sig_1", NOTHING)]
        assert "a candle may act on it" in hand.told(EventKind.SIGNAL)[-1].reason
        hand.market.book = book
        await hand.tick(70)
        assert told(hand)[-1] == ("sig_1", ENTERED)

    play(tmp_path, act)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("paused", True, "paused"),
        ("draining", True, "draining"),
        ("windows", (), "outside trading window"),
        ("breach", "the daily loss", "the daily loss"),
        ("lease_deadline", 0.0, "out of reach"),
    ],
)
def test_what_keeps_entries_back_keeps_signals_back_and_says_so(name, value, text, tmp_path):
    async def act(hand):
        setattr(hand.bench.standing, name, value)
        said(hand, LONG)
        await hand.tick()
        assert told(hand) == [("sig_1", NOTHING)]
        assert text in words(hand)
        assert not entries(hand)

    play(tmp_path, act)


def test_limits_and_filters_stand_above_it(tmp_path):
    plain = listening()
    plain["filters"] = [{"kind": "min_volatility", "params": {"period": 2, "percent": 5}}]

    async def act(hand):
        said(hand, LONG)
        await hand.tick()
        assert told(hand) == [("sig_1", NOTHING)]
        assert "min_volatility blocks" in words(hand)

    play(tmp_path, act, plain)


def test_the_other_side_leaves_first_and_then_enters_at_once(tmp_path):
    async def act(hand):
        said(hand, LONG)
        await hand.tick(3)
        said(hand, SHORT, "sig_2")
        await hand.tick(10)
        assert [o.side for o in entries(hand)] == [Side.BUY, Side.SELL]
        assert told(hand) == [("sig_1", ENTERED), ("sig_2", EXITED), ("sig_2", ENTERED)]
        assert words(hand).startswith("the signals turned against the position; then ")
        assert hand.broker.stops()

    play(tmp_path, act)


def test_without_a_rule_for_it_the_other_side_leaves_the_position_and_says_why(tmp_path):
    async def act(hand):
        said(hand, LONG)
        await hand.tick(3)
        said(hand, SHORT, "sig_2")
        await hand.tick(3)
        assert told(hand)[-1] == ("sig_2", NOTHING)
        assert "long is held" in words(hand)
        assert hand.broker.held

    play(tmp_path, act, listening(flip=False))


def test_closing_needs_no_leave_to_enter(tmp_path):
    async def act(hand):
        said(hand, LONG)
        await hand.tick(3)
        hand.bench.standing.paused = True
        said(hand, CLOSE, "sig_2")
        await hand.tick(3)
        assert not hand.broker.held
        done = hand.told(EventKind.SIGNAL)[-1]
        assert (done.id, done.outcome) == ("sig_2", EXITED)
        order = hand.bench.journal.order(done.order)
        assert order.reduce_only
        assert order.purpose == "external_signal"

    play(tmp_path, act)


def test_closing_nothing_says_so(tmp_path):
    async def act(hand):
        said(hand, CLOSE)
        await hand.tick()
        assert told(hand) == [("sig_1", NOTHING)]
        assert words(hand) == "nothing is held"

    play(tmp_path, act)


def test_of_two_the_newer_one_counts(tmp_path):
    async def act(hand):
        first = said(hand, LONG, "sig_1")
        second = replace(first, id="sig_2", action=SHORT, at=first.at + timedelta(seconds=1))
        hand.bench.signals.take((second,), hand.clock.now())
        await hand.tick(2)
        assert told(hand) == [("sig_1", SUPERSEDED), ("sig_2", ENTERED)]
        third = replace(first, id="sig_3", at=first.at - timedelta(seconds=1))
        hand.bench.signals.take((third,), hand.clock.now())
        await hand.tick(2)
        assert told(hand)[-1] == ("sig_3", SUPERSEDED)
        assert len(entries(hand)) == 1

    play(tmp_path, act)


def test_a_filter_only_keeps_what_was_said(tmp_path):
    async def act(hand):
        said(hand, LONG)
        await hand.tick()
        assert told(hand) == [("sig_1", KEPT)]
        assert hand.bench.signals.heard(SYMBOL).direction == 1

    plain = listening("filters")
    play(tmp_path, act, plain)


def test_what_was_blocked_may_enter_with_the_next_candle_while_it_counts(tmp_path):
    async def act(hand):
        hand.bench.standing.paused = True
        said(hand, LONG)
        await hand.tick()
        hand.bench.standing.paused = False
        await hand.tick(70)
        assert told(hand) == [("sig_1", NOTHING), ("sig_1", ENTERED)]
        (order,) = entries(hand)
        assert hand.told(EventKind.SIGNAL)[-1].order == order.client_id

    play(tmp_path, act)


def test_a_symbol_the_run_does_not_trade_is_told(tmp_path):
    async def act(hand):
        said(hand, LONG, symbol="ETH/USDT:USDT")
        await hand.tick()
        assert told(hand) == [("sig_1", NOTHING)]
        assert "does not trade ETH/USDT:USDT" in words(hand)

    play(tmp_path, act)


def test_it_waits_for_candles_and_preflight_but_not_for_ever(tmp_path):
    async def act(hand):
        hand.bench.standing.preflight_passed = False
        said(hand, LONG, seconds=5)
        await hand.tick(3)
        assert told(hand) == []
        await hand.tick(3)
        assert told(hand) == [("sig_1", EXPIRED)]
        assert "the preflight has not passed" in words(hand)

    play(tmp_path, act)


def test_the_memory_of_it_travels_with_the_checkpoint(tmp_path):
    async def act(hand):
        said(hand, LONG)
        await hand.tick()
        plain = hand.bench.memory.plain()
        assert plain["hearing"]["newest"][SYMBOL]["spent"] is True
        assert plain["hearing"]["decided"] == ["sig_1"]
        assert START.date().isoformat() in plain["hearing"]["newest"][SYMBOL]["at"]

    play(tmp_path, act)


def test_a_decision_that_answers_nobody_is_kept_in_memory_while_the_disk_is_full(tmp_path):
    async def act(hand):
        await hand.tick(70)
        before = len(hand.told(EventKind.DECISION))
        refuse_all(hand)
        await hand.tick(130)
        assert len(hand.told(EventKind.DECISION)) == before + 2
        make_room(hand)

    play(tmp_path, act)
