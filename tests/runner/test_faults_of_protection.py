"""What once left a position without its stop, or nobody told of it."""

from decimal import Decimal

from runner.errors import Operational, Temporary
from runner.exchange.base import OrderKind
from runner.ledger import apply
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


def busy(hand, kind):
    """The venue says that it did nothing with such orders, and that asking again may help."""
    place = hand.broker.place

    async def refuse(request):
        if request.kind is kind:
            raise Temporary("the venue is too busy and did nothing")
        return await place(request)

    hand.broker.place = refuse


def test_a_venue_that_is_busy_costs_no_stop(tmp_path):
    async def act(hand):
        await hand.enter()
        await hand.tick(8)
        before = hand.broker.stops()
        hand.broker.lot, _ = apply(hand.broker.lot, Decimal("0.003"), PRICE)
        place = hand.broker.place
        busy(hand, OrderKind.STOP_MARKET)
        await hand.tick(12)
        assert hand.broker.stops() == before
        assert "too busy" in hand.last.why or "covers less" in hand.last.why
        assert not hand.notices("stop_replaced_bare")
        hand.broker.place = place
        await hand.tick(12)
        assert hand.broker.is_covered()

    story(tmp_path, act)
