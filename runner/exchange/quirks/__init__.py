"""One small file per venue: how its ccxt class is set up and where it differs."""

from runner.errors import Operational
from runner.exchange.quirks import practice
from runner.exchange.quirks.venue import Venue

VENUES: dict[str, Venue] = {venue.exchange: venue for venue in (practice.VENUE,)}


def venue_of(exchange: str) -> Venue:
    """The venue, or ``Operational`` naming those that are there."""
    if exchange not in VENUES:
        raise Operational(f"exchange {exchange!r} is not supported; choose {', '.join(VENUES)}")
    return VENUES[exchange]
