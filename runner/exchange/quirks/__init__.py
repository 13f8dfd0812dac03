"""One small file per venue: how its ccxt class is set up and where it differs."""

import importlib

from runner.capabilities.table import Sandbox
from runner.errors import Operational
from runner.exchange.quirks.catalog import UNLISTED, VENUES
from runner.exchange.quirks.venue import Venue
from runner.protocol import Mode

_CLASSES = {
    "practice": "Practice",
    "binance": "Binance",
    "bybit": "Bybit",
    "okx": "Okx",
    "kucoin": "Kucoin",
    "practice-live": "PracticeLive",
}


def venue_of(exchange: str, mode: Mode) -> Venue:
    """The venue as it is in ``mode``; only its own file is loaded.

    Raises:
        Operational: an exchange that is not there (named with those that are), or not this mode.
    """
    if exchange not in (*VENUES, *UNLISTED):
        raise Operational(f"exchange {exchange!r} is not supported; choose {', '.join(VENUES)}")
    module = importlib.import_module(f"runner.exchange.quirks.{exchange.partition('-')[0]}")
    found: type[Venue] = getattr(module, _CLASSES[exchange])
    if mode not in found.facts.modes:
        none = mode is Mode.TESTNET and found.facts.sandbox is Sandbox.NONE
        why = ": it has no test environment; try the bot in paper mode" if none else ""
        raise Operational(f"{exchange} has no {mode} mode{why}")
    return found(mode)
