"""What a certification is made of, in words: its steps, where it goes, what it needs.

Pure, so that the platform says the same before it starts one.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from runner.capabilities import TABLE
from runner.capabilities.table import Sandbox

ENVIRONMENTS = ("testnet",)
SYMBOL = "BTC/USDT:USDT"

STEPS: Mapping[str, str] = MappingProxyType(
    {
        "connect": "Connect",
        "clock": "Clock",
        "instruments": "Instrument rules",
        "prices": "Prices that move",
        "address": "Address seen by the venue",
        "key": "Key and its rights",
        "balance": "Balance",
        "leverage": "Leverage",
        "limit": "Limit order",
        "amend": "Order moved to another price",
        "post_only": "Post-only order refused",
        "duplicate": "Same client id twice",
        "market": "Market in and out",
        "reduce_only": "Reduce-only",
        "partial": "Partial fill",
        "cancel_race": "Cancel race",
        "stop": "Stop placed, verified, cancelled",
        "stop_trigger": "Stop triggered",
        "restart": "Restart in mid-order",
        "streams": "Streams",
        "pace": "Rate limits",
    }
)
"""The title of each step, in the order in which they are taken."""

VERDICTS: Mapping[str, str] = MappingProxyType(
    {
        "passed": "passed",
        "failed": "failed",
        "skipped": "not shown",
        "not_offered": "not offered",
    }
)

_PRACTICE = "any key of the practice market; an account opens with its first request"


_PARTIAL = (
    "A partial fill takes up to three times the first level of the book, at most 60 % of what the "
    "account may buy"
)


def needs(exchange: str, symbol: str = SYMBOL) -> tuple[str, ...]:
    """Key, rights, account and funds, each as one clause."""
    quote = symbol.rpartition(":")[2]
    return (
        _key(exchange),
        "the rights to read and to trade contracts; the key must not be able to withdraw",
        f"an account in one-way mode and cross margin, with no order and no position on {symbol}",
        f"test money: {quote} worth at least four of the venue's smallest orders. {_PARTIAL}",
    )


def _key(exchange: str) -> str:
    row = TABLE.get(exchange)
    if row is None:
        return f"a test key of {exchange}"
    if row.sandbox is Sandbox.ENDPOINT:
        return _PRACTICE
    return f"a test key of {row.title}, made at {row.test_keys}, and its passphrase if it has one"


def does(symbol: str = SYMBOL) -> str:
    """What happens to the account."""
    return (
        "It places, moves and takes back orders, opens and closes small positions, sets the "
        f"leverage of {symbol} and puts it back. It takes about a minute, longer in a quiet "
        "market. Whatever happens it takes its orders back and closes its position, and says what "
        "it could not."
    )


def command(exchange: str, environment: str = ENVIRONMENTS[0]) -> str:
    """What proves a venue, from a checkout."""
    return f"python -m runner certify --exchange {exchange} --env {environment}"
