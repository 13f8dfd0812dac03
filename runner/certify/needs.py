"""What a certification needs and does, said before any request; and where it must not go."""

from __future__ import annotations

from yarl import URL

from runner.errors import Operational
from runner.exchange.quirks import venue_of
from runner.exchange.quirks.venue import Venue
from runner.exchange.transport import is_loopback
from runner.protocol import Mode

ENVIRONMENTS = ("testnet",)
PRACTICE = "http://127.0.0.1:8899"

_WHERE = {
    "practice": "any key of the practice market; an account opens with its first request",
    "binance": "a key of Binance's demo trading (demo.binance.com)",
    "bybit": "a key of Bybit's testnet (testnet.bybit.com)",
    "okx": "a key of OKX's demo trading, with its passphrase",
}


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
    quote = symbol.rpartition(":")[2]
    where = _WHERE.get(exchange, f"a key of the test environment of {exchange}")
    return f"""\
This certifies {exchange} (testnet) with {symbol}. Nothing has been asked of the venue yet.

It needs
  - {where};
  - the rights to read and to trade contracts; the key must not be able to withdraw;
  - an account in one-way mode and cross margin, with no order and no position on {symbol};
  - test money: {quote} worth at least four of the venue's smallest orders. A partial fill takes
    up to three times the first level of the book, at most 60 % of what the account may buy.

It places, moves and takes back orders, opens and closes small positions, sets the leverage of
{symbol} and puts it back. It takes about a minute, longer in a quiet market. Whatever happens it
takes its orders back and closes its position, and says what it could not.
Ctrl-C ends it and cleans up; a second Ctrl-C ends that too.
"""
