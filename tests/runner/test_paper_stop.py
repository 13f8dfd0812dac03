"""A stop on paper rests and fires as at a venue, and nobody is told that it outlives the bot."""

from decimal import Decimal

import pytest

from runner.exchange.base import OrderKind
from runner.exchange.paper import PaperBroker
from runner.exchange.paper_state import PaperState
from runner.protection import RESTS_HERE
from runner.protocol import OrderStatus, ProtectionState, Side
from tests.runner.hand_desk import PRICE, SYMBOL, story
from tests.runner.hand_market import HandMarket, StillClock

LEVEL = Decimal("95000.1")


def paper(price=PRICE):
    """A market around a price, and a paper account on it."""
    clock = StillClock()
    market = HandMarket(clock, [], [])
    go_to(market, price)
    broker = PaperBroker(market, clock, PaperState(Decimal(10_000)), lambda _: None)
    broker.market = market
    return {"clock": clock, "broker": broker}


def go_to(market, price):
    market.set([(price, 1)], [(price + Decimal("0.1"), 1)])


def stops(hand):
    return [o for o in hand.desk.live(SYMBOL) if o.kind == OrderKind.STOP_MARKET]


def test_it_rests_at_the_paper_venue_and_is_told_to_rest_on_the_machine(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        [stop] = stops(hand)
        assert (stop.status, stop.price, stop.quantity) == (OrderStatus.OPEN, LEVEL, hand.quantity)
        assert (hand.last.state, hand.last.why) == (ProtectionState.NONE, RESTS_HERE)
        assert hand.last.price == stop.price
        assert "own machine" in hand.loop._ending._leave(hand.custodian)
        assert hand.notices("left_unprotected")[0].level == "warning"

    run(tmp_path, act)


def test_a_wick_between_two_looks_fires_it_and_the_bot_goes_on_flat(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        [stop] = stops(hand)
        hand.market.print(94_990)  # and the book never shows it
        await hand.tick(5)
        ended = hand.desk.order(stop.client_id)
        assert (ended.status, ended.average) == (OrderStatus.FILLED, PRICE)
        assert hand.desk.quantity(SYMBOL) == 0
        assert hand.desk.holds_nothing()
        assert not hand.notices("order_refused")

    run(tmp_path, act)


def test_the_look_that_finds_the_position_gone_finds_all_that_is_over(tmp_path):
    """A signal of that very second may be followed: nothing that is known stands against it."""

    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        hand.market.print(94_990)
        while hand.desk.quantity(SYMBOL):
            await hand.tick()
        assert hand.custodian.entry is None
        assert not hand.desk.live(SYMBOL)
        standing = hand.bench.standing.blocked(hand.clock.now(), hand.clock.monotonic())
        assert hand.loop._traders[0]._blocked() == standing

    run(tmp_path, act)


@pytest.mark.parametrize("side", [Side.BUY, Side.SELL])
def test_a_position_entered_as_another_was_left_has_a_stop_of_its_own(tmp_path, side):
    """The stop of the one before is no level of this one, though no look came between."""

    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        [old] = stops(hand)
        await hand.custodian.leave("exit", "the strategy wants it")
        go_to(hand.market, Decimal(94_000))  # beyond the old stop
        await hand.enter(side)
        held = hand.desk.quantity(SYMBOL)
        assert held == (hand.quantity if side is Side.BUY else -hand.quantity)
        await hand.tick(5)
        assert hand.desk.quantity(SYMBOL) == held
        [stop] = stops(hand)
        assert stop.client_id != old.client_id
        assert (stop.price < 94_000) is (side is Side.BUY)

    run(tmp_path, act)


def test_a_book_that_falls_through_it_leaves_one_exit_and_nothing_resting(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        go_to(hand.market, Decimal(94_000))
        await hand.tick(3)
        assert hand.desk.quantity(SYMBOL) == 0
        assert hand.desk.holds_nothing()
        assert hand.broker._state.live(SYMBOL) == []
        exits = [e for e in hand.broker._state.executions if e.side == "sell"]
        assert [e.price for e in exits] == [94_000]

    run(tmp_path, act)


def run(tmp_path, act):
    async def go(hand):
        hand.quantity = Decimal("0.012")
        await act(hand)

    story(tmp_path, go, **paper())
