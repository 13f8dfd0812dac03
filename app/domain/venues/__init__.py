"""What the platform may trade on."""

import os
from collections.abc import Mapping
from dataclasses import replace

from app.domain.venues.binance import BINANCE
from app.domain.venues.bybit import BYBIT
from app.domain.venues.kucoin import KUCOIN
from app.domain.venues.okx import OKX
from app.domain.venues.practice import PRACTICE
from app.domain.venues.venue import KeyField, Venue
from runner import capabilities
from runner.protocol import PRACTICE_LIVE

__all__ = [
    "BINANCE",
    "BYBIT",
    "KUCOIN",
    "OKX",
    "PRACTICE",
    "VENUES",
    "KeyField",
    "Venue",
    "known",
    "listed",
]


def listed(environ: Mapping[str, str]) -> dict[str, Venue]:
    """What there is to choose from, by id.

    Where the environment names a practice market for it, its live twin stands there too, so that
    the whole live path can be walked with play money.
    """
    found = [PRACTICE, BINANCE, BYBIT, OKX, KUCOIN]
    if environ.get(PRACTICE_LIVE, "").strip():
        twin = capabilities.PRACTICE_TWIN
        found.append(replace(PRACTICE, id=twin.exchange, title=twin.title, modes=twin.modes))
    return {venue.id: venue for venue in found}


VENUES = listed(os.environ)


def known(exchange: str) -> Venue:
    """The exchange of a row that is kept; one that is listed no more can only be named."""
    closed = {row.exchange: row.title for row in capabilities.CLOSED}
    return VENUES.get(exchange) or Venue(
        id=exchange,
        title=closed.get(exchange, exchange),
        symbols=(),
        modes=(),
        quote="",
        key_fields=(),
        if_machine_dies="What rests at the exchange stays there, and nobody here can look at it.",
        gone=True,
    )
