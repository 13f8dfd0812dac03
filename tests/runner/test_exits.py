"""A decided exit happens: whatever refuses it first, rests in its way or was said since."""

from dataclasses import replace
from decimal import Decimal

import pytest

from runner.errors import Operational, UnknownOutcome
from runner.exchange.base import OrderKind
from runner.occasion import Occasion
from runner.protection import AGAIN_AFTER
from runner.protocol import Candle, Side, Verdict
from runner.step import Conclusion, ExitCall
from tests.runner.hand_broker import RESTING
from tests.runner.hand_desk import ENTRY, PRICE, SYMBOL, story
from tests.runner.test_faults_of_protection import busy


async def conclude_exit(hand, candle):
    (trader,) = hand.loop._traders
    fired = Verdict("opposite_signal", "exit", 1, "the signal turned")
    call = ExitCall(fired.component, fired.detail)
    conclusion = Conclusion("exit", fired.detail, 0, (fired,), call)
    await hand.loop._try(trader._exit(Occasion(candle), conclusion))


@pytest.mark.parametrize("fault", ["refused", "away", "restarted"])
def test_an_exit_a_candle_decided_is_tried_until_it_is_done(fault, tmp_path):
    """Nothing waits for the next candle, which may say something else."""

    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        place = hand.broker.place
        busy(hand, OrderKind.MARKET)
        hand.broker.away = fault == "away"
        await conclude_exit(hand, Candle(hand.clock.now(), *[PRICE] * 4, Decimal(1)))
        assert hand.broker.held
        await hand.tick(2)
        hand.broker.place, hand.broker.away = place, False
        if fault == "restarted":
            settings = hand.bench.configuration
            hand.bench.memory.__init__(hand.store, settings, 1, {}, hand.clock.now())
        await hand.tick(int(AGAIN_AFTER.total_seconds()))
        assert not hand.broker.held
        assert {o.purpose for o in hand.bench.journal.orders_on(SYMBOL, 99)} >= {"opposite_signal"}
        await hand.tick(10)
        assert not hand.broker.stops()
        assert hand.custodian.entry is None

    story(tmp_path, act)


@pytest.mark.parametrize("late", [False, True])
def test_a_limit_that_only_reduces_makes_way_for_the_way_out(late, tmp_path):
    """``late``: the venue takes a moment to answer the cancelling."""

    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        profit = PRICE + 1000
        limit = replace(
            ENTRY, side=Side.SELL, kind=OrderKind.LIMIT, price=profit, leg="tp", reduce_only=True
        )
        await hand.desk.submit(limit)
        place = hand.broker.place

        async def one_at_a_time(request):
            """As venues do whose reduce-only orders together may not exceed the position."""
            resting = [o for o in hand.broker.orders.values() if o.status in RESTING]
            if any(o.kind is OrderKind.LIMIT for o in resting):
                raise Operational("reduce-only orders would exceed the position")
            return await place(request)

        hand.broker.place = one_at_a_time
        hand.bench.standing.flattening = True
        cancel = hand.broker.cancel
        if late:
            hand.broker.cancel = nothing
        await hand.tick()
        hand.broker.cancel = cancel
        await hand.tick(2)
        assert not hand.broker.held
        assert not await hand.broker.open_orders(SYMBOL)
        assert not hand.notices("order_refused")

    async def nothing(_):
        raise UnknownOutcome("the line went dead")

    story(tmp_path, act)


def test_an_exit_at_a_price_is_not_taken_back_with_the_price(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(3)
        place = hand.broker.place
        hand.broker.vanish()
        busy(hand, OrderKind.MARKET)
        hand.broker.refuses = True
        hand.broker.move(PRICE - 6000)
        await hand.tick(2)
        hand.broker.move(PRICE)
        hand.broker.place = place
        await hand.tick(int(AGAIN_AFTER.total_seconds()))
        assert not hand.broker.held

    story(tmp_path, act)
