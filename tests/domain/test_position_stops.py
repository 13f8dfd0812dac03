"""What is said of a position's stop follows from the rows and from the time, and hides nothing."""

from datetime import timedelta
from decimal import Decimal

import pytest

from app.domain import money_events, position_stops
from app.domain.overview import Holding
from app.domain.position_stops import STALE_AFTER, Kind
from app.domain.sources import Source
from runner.protocol import Protection, ProtectionState
from tests import factories
from tests.factories import NOW

SYMBOL = "BTC/USDT:USDT"
HELD = Holding(SYMBOL, Decimal("0.012"), Decimal(60_000), Decimal(61_000), Decimal(12), NOW)
LATER = NOW + STALE_AFTER + timedelta(seconds=1)
SEEN = {
    "state": ProtectionState.VERIFIED,
    "price": Decimal("58123.40"),
    "quantity": Decimal("0.012"),
    "verified_at": NOW,
}
LESS = SEEN | {"quantity": Decimal("0.005")}
GONE = {"state": ProtectionState.MISSING, "why": "the venue refused the stop"}
BARE = {"state": ProtectionState.NONE, "why": "no stop loss"}
FLAT = {"state": ProtectionState.NONE, "why": "flat"}


@pytest.fixture
def bot(app):
    return factories.bot(factories.organisation())


def tell(bot, told):
    money_events.protection(Source(bot, None, None, 1, NOW), Protection(SYMBOL, **told), NOW)


@pytest.mark.parametrize(
    ("told", "now", "kind"),
    [
        (SEEN, NOW, Kind.SEEN),
        (SEEN, LATER, Kind.STALE),
        (LESS, NOW, Kind.MISSING),
        (GONE, NOW, Kind.MISSING),
        (GONE, LATER, Kind.MISSING),
        (BARE, NOW, Kind.NONE),
        (FLAT, NOW, Kind.UNTOLD),
    ],
)
def test_each_word_of_a_runner_is_read_for_what_it_is_worth_now(told, now, kind, bot):
    tell(bot, told)
    (stop,) = position_stops.of(bot, [HELD], now)
    assert stop.kind is kind


def test_a_silence_is_said_beside_what_was_told(bot):
    tell(bot, GONE)
    (stop,) = position_stops.of(bot, [HELD], NOW)
    assert stop.at is None
    (stop,) = position_stops.of(bot, [HELD], LATER)
    assert (stop.at, stop.why) == (NOW, GONE["why"])


def test_a_position_nobody_spoke_of_is_not_called_safe(bot):
    assert [s.kind for s in position_stops.of(bot, [HELD], NOW)] == [Kind.UNTOLD]


def test_the_newest_word_counts_and_no_position_needs_none(bot):
    tell(bot, GONE)
    tell(bot, SEEN)
    assert position_stops.of(bot, [HELD], NOW)[0].kind is Kind.SEEN
    assert position_stops.of(bot, [], NOW) == []
