"""Why a venue refuses, in the venue's codes turned into causes, and each cause as a sentence."""

from __future__ import annotations

from enum import StrEnum


class Cause(StrEnum):
    """What a refusal says about the request."""

    UNKNOWN = "unknown"
    DUPLICATE = "duplicate"
    BUSY = "busy"
    RATE = "rate"
    CLOCK = "clock"
    MAINTENANCE = "maintenance"
    GONE = "gone"
    KEY_WRONG = "key_wrong"
    KEY_EXPIRED = "key_expired"
    ADDRESS = "address"
    ENVIRONMENT = "environment"
    PERMISSION = "permission"
    KEY_REFUSED = "key_refused"
    ACCOUNT = "account"
    FUNDS = "funds"
    MINIMUM = "minimum"
    PRECISION = "precision"
    PRICE = "price"
    REDUCE_ONLY = "reduce_only"
    TOO_MANY = "too_many"
    POSITION_MODE = "position_mode"
    LEVERAGE = "leverage"
    DELISTED = "delisted"
    REQUEST = "request"


UNPROVEN = "{venue} is not sent {kind} orders: what goes over the wire has not been proven for them"

MAY_HAVE_HAPPENED = frozenset({Cause.UNKNOWN, Cause.DUPLICATE})
"""After these an order may exist: it must be asked for by its id, never sent again."""
PASSING = frozenset({Cause.BUSY, Cause.RATE, Cause.CLOCK, Cause.MAINTENANCE})
"""For certain nothing happened, and later it may work."""

SENTENCES: dict[Cause, str] = {
    Cause.UNKNOWN: "the venue cannot say whether it took the request; it will be asked",
    Cause.DUPLICATE: "the venue has an order with this id already; it will be read",
    Cause.BUSY: "the venue is too busy and did nothing; it is tried again",
    Cause.RATE: "the venue asks for fewer requests; the bot waits",
    Cause.CLOCK: "the machine's clock is off by more than the venue accepts; set it by NTP",
    Cause.MAINTENANCE: "the venue is closed for maintenance; trading goes on when it opens",
    Cause.GONE: "the venue has no such open order",
    Cause.KEY_WRONG: (
        "the venue does not know this key or its secret or passphrase is wrong; "
        "save the key again in the connection"
    ),
    Cause.KEY_EXPIRED: (
        "the key has expired; make a new one at the venue, bound to the bot's address"
    ),
    Cause.ADDRESS: (
        "the key is bound to other addresses; add the bot's address to the key at the venue"
    ),
    Cause.ENVIRONMENT: (
        "the key belongs to the venue's other environment; a testnet bot needs a key made on the "
        "testnet or demo account, a live bot one made on the real account"
    ),
    Cause.PERMISSION: (
        "the key lacks a right; allow reading and trading of contracts, and never withdrawals"
    ),
    Cause.KEY_REFUSED: (
        "the venue refuses the key: it is wrong or deleted, bound to other addresses, or may not "
        "trade futures; check the three at the venue"
    ),
    Cause.ACCOUNT: (
        "the venue does not let this account trade; sign in at the venue and see what it asks for"
    ),
    Cause.FUNDS: "the margin does not suffice; transfer money to the account or trade less",
    Cause.MINIMUM: "the order is smaller than the venue's minimum; raise the size per trade",
    Cause.PRECISION: "the order does not fit the venue's tick or lot size",
    Cause.PRICE: "the price is one the venue does not accept at this moment",
    Cause.REDUCE_ONLY: "there is no position left that this order could reduce",
    Cause.TOO_MANY: "too many orders rest at the venue, or the position is at the venue's limit",
    Cause.POSITION_MODE: "the account is in hedge mode; switch it to one-way mode at the venue",
    Cause.LEVERAGE: "the venue does not let the bot set this leverage now; set it at the venue",
    Cause.DELISTED: "the venue does not trade this symbol any more; choose another",
    Cause.REQUEST: "the venue did not accept the request",
}
