"""A part of the position leaves: once, whatever is lost, late or refused on the way."""

from decimal import Decimal

import pytest

from runner.exchange.base import OrderKind
from runner.protection import AGAIN_AFTER
from runner.protocol import Side
from tests.runner.hand_desk import PRICE, SYMBOL, story
from tests.runner.test_faults_of_protection import busy

D = Decimal
LADDER = {"kind": "take_profit_ladder", "params": {}}  # 50 % at 1 %, 30 % at 2 %, 20 % at 3 %
TRAIL = {"kind": "trailing_stop", "params": {"activation": 1, "distance": 1}}


def above(percent):
    return PRICE * (100 + D(percent)) / 100


def exits(hand):
    orders = hand.bench.journal.orders_on(SYMBOL, 99)
    return [o.filled for o in reversed(orders) if o.purpose == LADDER["kind"] and o.filled]


def restart(hand):
    """A new process on the same disk."""
    settings = hand.bench.configuration
    hand.bench.memory.__init__(hand.store, settings, 1, {}, hand.clock.now())


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
@pytest.mark.parametrize("restarted", [False, True])
def test_a_ladder_is_climbed_step_by_step(side, restarted, tmp_path):
    sign = 1 if side is Side.BUY else -1

    async def act(hand):
        await hand.enter(side=side)
        await hand.tick(3)
        for percent, held in (("1.1", "0.006"), ("1.2", "0.006"), ("2.1", "0.003"), ("3.1", "0")):
            hand.broker.move(PRICE * (100 + sign * D(percent)) / 100)
            await hand.tick(3)
            assert abs(hand.broker.held) == D(held)
            if held != "0":
                await hand.tick(70)
                assert [stop.quantity for stop in hand.broker.stops()] == [D(held)]
            if restarted:
                restart(hand)
        await hand.tick(3)
        assert exits(hand) == [D("0.006"), D("0.003"), D("0.003")]
        assert hand.custodian.entry is None
        assert not hand.broker.stops()

    story(tmp_path, act, exits=[LADDER])


@pytest.mark.parametrize(
    "fault", ["answer lost", "order lost", "refused", "list late", "all late", "books lost"]
)
@pytest.mark.parametrize("restarted", [False, True])
def test_a_part_leaves_once_whatever_goes_wrong(fault, restarted, tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        place = hand.broker.place
        positions, executions = hand.broker.positions, hand.broker.executions
        if fault.endswith("lost") and fault != "books lost":
            hand.broker.loses = fault.split()[0]
        if fault == "refused":
            busy(hand, OrderKind.MARKET)
        if fault.endswith("late"):
            before = await positions()

            async def old(*_):
                return before

            hand.broker.positions = old
        if fault == "all late":
            seen = await executions(SYMBOL, hand.clock.now().replace(year=2020))

            async def old_trades(*_):
                return seen

            hand.broker.executions = old_trades
        hand.broker.move(above("1.1"))
        await hand.tick(2)
        if restarted:
            restart(hand)
        await hand.tick(4)
        hand.broker.place = place
        hand.broker.positions, hand.broker.executions = positions, executions
        await hand.tick(int(AGAIN_AFTER.total_seconds()) + 20)
        assert hand.broker.held == D("0.006")
        assert exits(hand) == [D("0.006")]
        assert hand.custodian.entry.exit_purpose == ""
        assert hand.broker.is_covered()

    story(tmp_path, act, exits=[LADDER])


def test_a_part_that_is_refused_does_not_hide_the_stop(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        place = hand.broker.place
        busy(hand, OrderKind.MARKET)
        hand.broker.move(above("1.1"))
        await hand.tick(2)
        hand.broker.vanish()
        hand.broker.refuses = True
        hand.broker.move(above(-6))
        await hand.tick(2)
        assert hand.custodian.entry.exit_purpose == "stop_loss"
        hand.broker.place = place
        await hand.tick(int(AGAIN_AFTER.total_seconds()))
        assert not hand.broker.held

    story(tmp_path, act, exits=[LADDER])


def test_a_step_while_another_is_under_way_adds_to_it(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        place = hand.broker.place
        busy(hand, OrderKind.MARKET)
        hand.broker.move(above("1.1"))
        await hand.tick(2)
        hand.broker.move(above("2.1"))
        await hand.tick(2)
        hand.broker.place = place
        await hand.tick(int(AGAIN_AFTER.total_seconds()))
        assert exits(hand) == [D("0.009")]
        assert hand.broker.held == D("0.003")

    story(tmp_path, act, exits=[LADDER])


@pytest.mark.parametrize(
    ("entered", "held"),
    [
        ("0.001", "0.001"),  # half of it is less than the venue takes: nothing leaves
        ("0.002", "0.001"),
    ],
)
def test_a_share_below_the_venue_s_minimum_leaves_nothing(entered, held, tmp_path):
    async def act(hand):
        await hand.enter(quantity=entered)
        await hand.tick(3)
        hand.broker.move(above("1.1"))
        await hand.tick(5)
        assert hand.broker.held == D(held)
        assert hand.custodian.entry.steps == 1
        hand.broker.move(above("3.1"))  # the last step leaves all there is
        await hand.tick(5)
        assert not hand.broker.held

    story(tmp_path, act, exits=[LADDER])


def test_the_stop_at_the_venue_follows_the_best_price_and_survives(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        assert [stop.price for stop in hand.broker.stops()] == [D("95000.1")]
        hand.broker.move(above(2))
        await hand.tick(8)
        (stop,) = hand.broker.stops()
        assert stop.price == above(2) * D("0.99")
        restart(hand)
        hand.broker.move(above("1.5"))
        await hand.tick(8)
        assert [found.price for found in hand.broker.stops()] == [stop.price]
        hand.broker.move(above("0.9"))
        await hand.tick(3)
        assert not hand.broker.held

    story(tmp_path, act, exits=[TRAIL])
