"""The stop at the venue: seen there, of the right size and place, and never missed in silence."""

from dataclasses import replace
from decimal import Decimal

import pytest

from runner.errors import Temporary
from runner.exchange.base import OrderKind
from runner.protection import LOOK_EVERY, SETTLING, TRUSTED_FOR
from runner.protocol import OrderStatus, ProtectionState, Side
from runner.telling import TELL_EVERY, Teller
from tests.runner.hand_desk import PRICE, SYMBOL, story

VERIFIED, MISSING, NONE = (
    ProtectionState.VERIFIED,
    ProtectionState.MISSING,
    ProtectionState.NONE,
)
QUIET = int(max(LOOK_EVERY, SETTLING).total_seconds()) + 1
"""Seconds within which a healthy venue's list settles everything."""
BELOW = PRICE * Decimal("0.94")
"""Past the stop of what was bought."""


@pytest.mark.parametrize(("side", "level"), [(Side.BUY, 95_000), (Side.SELL, 105_000)])
def test_a_position_gets_one_stop_that_was_seen_and_is_told(side, level, tmp_path):
    async def act(hand):
        await hand.enter(side)
        await hand.tick()
        (stop,) = hand.broker.stops()
        told = hand.last
        assert abs(stop.price - level) < 10
        assert stop.reduce_only
        assert stop.side is not side
        assert (told.state, told.stop_id, told.price) == (VERIFIED, stop.client_id, stop.price)
        assert told.quantity == abs(hand.broker.held) == stop.quantity
        assert told.verified_at == hand.clock.now()
        await hand.tick(QUIET)
        assert hand.broker.stops() == [stop]

    story(tmp_path, act)


def test_it_is_told_again_while_the_position_lives_and_once_when_it_ended(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(int(3 * TELL_EVERY.total_seconds()) + 2)
        verified = [p for p in hand.told() if p.state is VERIFIED]
        assert len(verified) >= 3
        assert verified[-1].verified_at > verified[0].verified_at
        await hand.custodian.leave("flatten", "asked to")
        await hand.tick(int(2 * TELL_EVERY.total_seconds()))
        ends = [p for p in hand.told() if p.why == "flat"]
        assert hand.last == ends[-1]
        assert ends[-1].state is NONE
        assert len(ends) == 1
        assert not hand.broker.stops()

    story(tmp_path, act)


@pytest.mark.parametrize("rest", ["0.005", "0.020"])
def test_it_follows_the_size_of_the_position(rest, tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(QUIET)
        (old,) = hand.broker.stops()
        hand.broker.reduce(hand.broker.held - Decimal(rest))
        await hand.tick(QUIET)
        (new,) = hand.broker.stops()
        assert new.quantity == hand.last.quantity == Decimal(rest)
        assert hand.last.state is VERIFIED
        assert hand.broker.orders[old.client_id].status is OrderStatus.CANCELLED

    story(tmp_path, act)


def test_the_new_one_rests_before_the_old_one_goes(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(QUIET)
        before = []
        cancel = hand.broker.cancel

        async def watched(request):
            before.append([s.quantity for s in hand.broker.stops()])
            return await cancel(request)

        hand.broker.cancel = watched
        hand.broker.reduce(Decimal("0.004"))
        await hand.tick(QUIET)
        assert before == [[Decimal("0.012"), Decimal("0.008")]]

    story(tmp_path, act)


def test_where_no_second_stop_is_taken_the_old_one_goes_first_and_that_is_said(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(QUIET)
        hand.broker.one_stop = True
        hand.broker.reduce(Decimal("-0.008"))  # grown, so that the old one covers too little
        await hand.tick(QUIET)
        (stop,) = hand.broker.stops()
        assert stop.quantity == Decimal("0.020")
        assert hand.notices("stop_replaced_bare")
        assert hand.last.state is VERIFIED

    story(tmp_path, act)


def test_one_that_covers_stays_where_no_second_is_taken(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(QUIET)
        hand.broker.one_stop = True
        hand.broker.reduce(Decimal("0.004"))
        await hand.tick(QUIET)
        (stop,) = hand.broker.stops()
        assert stop.quantity == Decimal("0.012")
        assert all(p.state is VERIFIED for p in hand.told() if p.why != "flat")

    story(tmp_path, act)


def test_it_moves_with_its_level_in_favour_only_and_between_candles(tmp_path):
    async def act(hand):
        level = PRICE - 5000
        hand.engine.stop_price = lambda _: level
        await hand.enter()
        await hand.tick(QUIET)
        for step in (2000, -1000, 500):
            level += step
            await hand.tick(QUIET)
            (stop,) = hand.broker.stops()
            assert stop.price == max(level, PRICE - 3000)
            assert hand.last.price == stop.price
        hand.broker.hides = True  # so that only the runner can act
        hand.market.set([(PRICE - 3500, 1000)], [(PRICE - 3499, 1000)])
        await hand.tick(2)
        assert not hand.broker.held
        assert hand.desk.order(hand.broker.placed[-1].client_id).purpose == "stop"

    story(tmp_path, act)


def test_without_a_stop_in_the_strategy_it_is_the_disaster_stop(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(QUIET)
        (stop,) = hand.broker.stops()
        assert stop.price == Decimal("88000.1")
        assert hand.last.state is VERIFIED
        # The runner leaves there too, should the venue's own stop not fire.
        hand.market.set([(PRICE - 15_000, 1000)], [(PRICE - 14_999, 1000)])
        await hand.tick()
        assert not hand.broker.held

    story(tmp_path, act, stop=None, disaster_stop_percent=Decimal(12))


def test_a_bot_without_either_says_that_nothing_stands_behind_it(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(QUIET)
        assert not hand.broker.stops()
        assert hand.last.state is NONE
        assert "no disaster stop" in hand.last.why

    story(tmp_path, act, stop=None)


def test_one_that_vanished_is_missed_and_placed_again_at_once(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(QUIET)
        hand.broker.vanish()
        hand.broker.refuses = True
        await hand.tick(QUIET)
        assert hand.last.state is MISSING
        assert "refused" in hand.last.why
        (alarm,) = hand.notices("stop_missing")
        assert alarm.level == "alarm"
        hand.broker.refuses = False
        await hand.tick(QUIET)
        assert hand.last.state is VERIFIED
        assert hand.notices("stop_found")
        hand.broker.vanish()
        hand.broker.refuses = True
        await hand.tick(QUIET)
        levels = [notice.level for notice in hand.notices("stop_missing")]
        assert levels == ["alarm", "over", "alarm"]

    story(tmp_path, act)


@pytest.mark.parametrize("lost", ["answer", "order"])
def test_one_whose_answer_was_lost_is_asked_for_not_repeated(lost, tmp_path):
    async def act(hand):
        await hand.enter()
        hand.broker.loses = lost
        await hand.tick()
        placed = len(hand.broker.placed)
        assert lost == "answer" or hand.last.state is MISSING
        await hand.tick(hand.broker.unseen_after.seconds + QUIET)
        assert hand.last.state is VERIFIED
        assert len(hand.broker.stops()) == 1
        assert len(hand.broker.placed) == placed + (lost == "order")

    story(tmp_path, act)


def test_a_venue_that_is_away_is_trusted_for_a_moment_only(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(QUIET)
        hand.broker.away = True
        await hand.tick()
        assert hand.last.state is VERIFIED
        await hand.tick(int(TRUSTED_FOR.total_seconds()) + 1)
        assert hand.last.state is MISSING
        assert "does not answer" in hand.last.why
        hand.broker.away = False
        await hand.tick(2)
        assert hand.last.state is VERIFIED

    story(tmp_path, act)


def test_what_an_unanswered_entry_left_is_told_as_unprotected(tmp_path):
    async def act(hand):
        hand.broker.loses = "answer"
        place = hand.broker.place

        async def cut_off(request):
            try:
                return await place(request)
            finally:
                hand.broker.away = True

        hand.broker.place = cut_off
        await hand.enter()
        assert hand.broker.held
        await hand.tick(QUIET)
        assert hand.last.state is MISSING
        assert "not known" in hand.last.why

    story(tmp_path, act)


def test_a_list_that_lags_behind_rings_nobody(tmp_path):
    async def act(hand):
        hand.broker.hides = True
        await hand.enter()
        await hand.tick(3)
        hand.broker.hides = False
        await hand.tick(2)
        assert hand.last.state is VERIFIED
        assert not hand.notices("stop_missing")
        assert len(hand.broker.placed) == 2

    story(tmp_path, act)


def test_a_stop_the_venue_never_lists_is_missing(tmp_path):
    async def act(hand):
        hand.broker.hides = True
        await hand.enter()
        await hand.tick(QUIET)
        assert hand.last.state is MISSING
        assert hand.notices("stop_missing")
        await hand.tick(3 * QUIET)
        assert len(hand.broker.stops()) == 1  # asked for by its id, it is there

    story(tmp_path, act)


def test_two_stops_that_fire_leave_the_position_flat(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(QUIET)
        (stop,) = hand.broker.stops()
        second = replace(stop, client_id="pl-second", venue_id="second")
        hand.broker.orders[second.client_id] = second
        hand.broker.move(PRICE - 6000)
        await hand.tick(QUIET)
        assert hand.broker.held == 0
        assert hand.custodian.entry is None
        assert [o.kind for o in hand.broker.placed].count(OrderKind.MARKET) == 1

    story(tmp_path, act)


def test_a_position_without_a_record_is_taken_over_and_keeps_its_stop(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(QUIET)
        (stop,) = hand.broker.stops()
        hand.bench.memory.entries.clear()
        await hand.tick(QUIET)
        assert hand.custodian.entry is not None
        assert hand.notices("position_adopted")
        assert hand.broker.stops() == [stop]
        assert all(told.why != "flat" for told in hand.told()[1:])

    story(tmp_path, act)


def test_one_that_cannot_be_taken_over_is_told_as_unprotected(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(QUIET)
        hand.bench.memory.entries.clear()
        hand.broker.open_orders = refused
        await hand.tick(QUIET)
        assert hand.last.state is MISSING

    async def refused(_):
        raise Temporary("not now")

    story(tmp_path, act)


def test_an_alarm_that_rings_already_rings_no_second_time_for_another_reason(tmp_path):
    async def act(hand):
        hand.broker.refuses = True
        await hand.enter()
        await hand.tick(QUIET)
        hand.broker.refuses = "for another reason"
        await hand.tick(QUIET)
        assert len({told.why for told in hand.told() if told.state is MISSING}) > 1
        assert len(hand.notices("stop_missing")) == 1

    story(tmp_path, act)


def test_a_stop_that_came_late_is_told_of_afterwards(tmp_path):
    """Dead or slow between entry and stop: nobody could say so while it lasted."""

    async def act(hand):
        await hand.enter()
        hand.clock.advance(12)
        await hand.tick()
        (late,) = hand.notices("stop_late")
        assert "13.0 s" in late.text
        assert hand.last.state is VERIFIED
        await hand.tick(QUIET)
        assert hand.notices("stop_late") == [late]

    story(tmp_path, act)


class Killed(BaseException):
    """The process is gone at once; nothing of it may catch this."""


async def die_after_the_stop(hand, monkeypatch):
    """The venue has the stop, and the process died before it could say so."""
    hand.clock.advance(2)

    def gone(*_):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Teller, "tell", gone)
        with pytest.raises(Killed):
            await hand.custodian.protect()
    assert hand.broker.stops()


async def leave_untold(hand):
    """After four seconds an order closes the position, and nothing is written down any more."""
    hand.clock.advance(4)
    name = hand.desk.order_id("of a lost machine", "exit")
    exits = replace(hand.broker.placed[0], client_id=name, side=Side.SELL, reduce_only=True)
    await hand.broker.place(exits)
    hand.clock.advance(9)


def test_a_late_stop_of_a_process_that_died_is_told_by_the_next(tmp_path, monkeypatch):
    left = {}

    async def act(hand):
        await hand.enter()
        await die_after_the_stop(hand, monkeypatch)
        left.update(clock=hand.clock, broker=hand.broker)

    async def then(hand):
        await hand.tick()
        (late,) = hand.notices("stop_late")
        assert "was not seen to have a stop for 3.0 s" in late.text
        await hand.tick(QUIET)
        assert hand.notices("stop_late") == [late]

    async def and_then(hand):
        await hand.tick(QUIET)
        assert len(hand.notices("stop_late")) == 1

    for each in (act, then, and_then):
        story(tmp_path, each, **left)


def test_a_position_that_ended_before_its_stop_was_told_of_is_accounted_for(tmp_path, monkeypatch):
    left = {}

    async def act(hand):
        await hand.enter()
        await die_after_the_stop(hand, monkeypatch)
        hand.broker.move(BELOW)
        left.update(clock=hand.clock, broker=hand.broker)

    async def then(hand):
        await hand.tick(QUIET)
        (late,) = hand.notices("stop_late")
        assert "closed again, and nobody was told of its stop for 2.0 s" in late.text

    story(tmp_path, act)
    story(tmp_path, then, **left)


def test_one_whose_entry_only_a_lost_disk_had_is_accounted_for(tmp_path):
    left = {}

    async def act(hand):
        await hand.enter()
        left.update(clock=hand.clock, broker=hand.broker, memory=hand.bench.memory.plain())
        await leave_untold(hand)

    async def then(hand):
        await hand.tick(QUIET)
        (late,) = hand.notices("stop_late")
        assert "closed again, and nobody was told of its stop for 4.0 s" in late.text

    story(tmp_path / "lost", act)
    story(tmp_path / "next", then, **left)


def test_a_position_that_only_a_lost_machine_knew_is_accounted_for(tmp_path):
    """Nothing of its entry was remembered, and its trades are all that is found of it."""
    left = {}

    async def act(hand):
        await hand.enter()
        del hand.bench.memory.entries[SYMBOL]
        hand.bench.memory.save()
        await leave_untold(hand)
        left.update(clock=hand.clock, broker=hand.broker)

    async def then(hand):
        await hand.tick(QUIET)
        (late,) = hand.notices("stop_late")
        assert "closed again, and nobody was told of its stop for 4.0 s" in late.text

    story(tmp_path, act)
    story(tmp_path, then, **left)


def test_a_position_whose_stop_was_told_of_ends_without_a_word_of_it(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(QUIET)
        known = hand.notices("stop_late")
        hand.broker.move(BELOW)
        await hand.tick(QUIET)
        assert not hand.desk.quantity(SYMBOL)
        assert hand.notices("stop_late") == known

    story(tmp_path, act)


def test_a_stop_that_only_moves_is_not_late(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(QUIET)
        known = hand.notices("stop_late")
        hand.broker.reduce(hand.broker.held - Decimal("0.005"))
        await hand.tick(QUIET)
        assert hand.last.quantity == Decimal("0.005")
        assert hand.notices("stop_late") == known

    story(tmp_path, act)


def test_an_alarm_that_came_late_does_not_speak_for_the_time_before_it(tmp_path, monkeypatch):
    """The stop was placed by a machine that was lost, and the venue is away when the next looks."""
    left = {}

    async def act(hand):
        await hand.enter()
        await die_after_the_stop(hand, monkeypatch)
        hand.clock.advance(9)
        left.update(clock=hand.clock, broker=hand.broker)

    async def then(hand):
        hand.broker.away = True
        await hand.tick(30)
        assert hand.last.state is MISSING
        (late,) = hand.notices("stop_late")
        assert "was not seen to have a stop" in late.text
        hand.broker.away = False
        await hand.tick(QUIET)
        assert hand.last.state is VERIFIED
        assert hand.notices("stop_late") == [late]

    story(tmp_path, act)
    story(tmp_path, then, **left)


def test_one_that_was_missing_and_said_so_is_not_told_twice(tmp_path):
    async def act(hand):
        await hand.enter()
        hand.broker.away = True
        await hand.tick(QUIET)
        assert hand.last.state is MISSING
        hand.broker.away = False
        await hand.tick(QUIET)
        assert hand.last.state is VERIFIED
        assert not hand.notices("stop_late")

    story(tmp_path, act)
