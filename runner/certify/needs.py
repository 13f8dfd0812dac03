"""What a certification needs and does, said before any request; and where it must not go."""

from __future__ import annotations

from textwrap import fill

from yarl import URL

from runner.certify import outline
from runner.certify.outline import ENVIRONMENTS
from runner.errors import Operational
from runner.exchange.quirks import venue_of
from runner.exchange.quirks.venue import Venue
from runner.exchange.transport import is_loopback
from runner.protocol import Mode

PRACTICE = "http://127.0.0.1:8899"


def endpoint_of(exchange: str, environment: str, given: str | None) -> str | None:
    """The endpoint to use, ``None`` for the venue's own test host.

    Raises:
        Operational: whatever could lead to real money, or to nowhere.
    """
    if environment not in ENVIRONMENTS:
        raise Operational(
            f"a certification sends orders and never does so with real money: --env "
            f"{environment} is refused; use --env testnet"
        )
    venue = venue_of(exchange, Mode.TESTNET)  # raises where there is no such thing
    if given is None and not venue.origins():
        given = PRACTICE
    if given is not None:
        if not is_loopback(URL(given).host):
            raise Operational(f"--endpoint must be on this machine, not {given}")
        return given.rstrip("/")
    _refuse_live(venue)
    return None


def _refuse_live(venue: Venue) -> None:
    """A venue with one host for both tells test money by a header, which the connector checks."""
    real = {
        origin for mode in (Mode.LIVE, Mode.PAPER) for origin in venue.facts.hosts.get(mode, ())
    }
    for origin in venue.origins():
        if origin in real and venue.header_rule is None:
            raise Operational(f"{origin} trades real money; a certification is refused there")


def said(exchange: str, symbol: str) -> str:
    """Funds, rights and what will happen, in words for a person."""
    needed = ";\n".join(_point(it) for it in outline.needs(exchange, symbol))
    return f"""\
This certifies {exchange} (testnet) with {symbol}. Nothing has been asked of the venue yet.

It needs
{needed}.

{fill(outline.does(symbol), 97)}
Ctrl-C ends it and cleans up; a second Ctrl-C ends that too.
"""


def _point(text: str) -> str:
    return fill(text, 97, initial_indent="  - ", subsequent_indent="    ")
