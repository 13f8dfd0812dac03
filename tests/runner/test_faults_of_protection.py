"""What once left a position without its stop, or nobody told of it."""

from decimal import Decimal

from runner.errors import Operational
from runner.protocol import ProtectionState
from tests.runner.hand_desk import PRICE, story


def delist(hand):
    """As after a restart, when the venue's list does not show the instrument."""

    def instrument(_):
        raise Operational("the venue does not list it")

    hand.market.instrument = instrument


def test_what_is_not_listed_any_more_keeps_its_stop(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(4)
        delist(hand)
        hand.broker.vanish()
        await hand.tick(10)
        assert hand.broker.is_covered()
        assert hand.last.state is ProtectionState.VERIFIED

    story(tmp_path, act)


def test_what_is_not_listed_any_more_is_closed_at_its_stop(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(4)
        delist(hand)
        hand.broker.vanish()
        hand.broker.refuses = True
        hand.broker.move(PRICE - 6000)
        await hand.tick(2)
        assert not hand.broker.held

    story(tmp_path, act, stop=None, disaster_stop_percent=Decimal(5))
