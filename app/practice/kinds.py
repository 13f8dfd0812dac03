"""The kinds of faults, what their numbers mean, and how a wish for one is read."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.practice import keys
from app.practice.faults import Fault
from app.practice.instruments import INSTRUMENTS

Json = dict[str, Any]
_FIELDS = ("kind", "match", "probability", "count", "seconds", "amount", "id", "persist")
_MATCHES = ("method", "path", "account", "address", "symbol")
LONGEST = 86_400.0


class Malformed(Exception):
    """A wish for a fault that cannot be understood; says what to do."""


@dataclass(frozen=True)
class Range:
    """A number of a fault: its meaning, bounds, and the value where none is named."""

    meaning: str
    least: float
    most: float
    default: float | None = None
    required: bool = True


@dataclass(frozen=True)
class Kind:
    """``lasting``: ``seconds`` is how long the fault stays on, not how long one strike takes."""

    summary: str
    seconds: Range | None = None
    amount: Range | None = None
    lasting: bool = False


_FOR = Range("how long the fault stays on; without it until cleared", 0, LONGEST, required=False)
_SILENT = Range("how long the connection is kept silent before it drops", 0, 600, 30)
_STATUS = Range("the HTTP status", 500, 599, 503)
KINDS = {
    "delay": Kind(
        "The request waits before it is handled.",
        seconds=Range("how long it waits", 0, 600),
    ),
    "error_5xx": Kind("Nothing is applied, the answer is an error.", amount=_STATUS),
    "error_after": Kind("The request is applied, the answer is an error.", amount=_STATUS),
    "timeout_before_accept": Kind("Nothing is applied, no answer comes.", seconds=_SILENT),
    "timeout_after_accept": Kind("The request is applied, no answer comes.", seconds=_SILENT),
    "duplicate_answer": Kind(
        "The network delivers the request twice and the market handles it twice, as Binance "
        "would; the caller gets the second answer. For an order whose client id still rests in "
        "the book that is -4116, while the first stands. Client ids need to be unique among open "
        "orders only, so an order that filled at once is placed again."
    ),
    "disconnect": Kind("The request is applied, the connection closes within the answer."),
    "rate_ban": Kind(
        "The source address is refused with Retry-After until the ban is over.",
        seconds=Range("how long the ban lasts", 1, LONGEST, 60),
        amount=Range("the HTTP status: 429 or 418", 418, 429, 418),
    ),
    "clock_skew": Kind(
        "The market tells the time, and checks timestamps, by a clock that is off. Trading and "
        "candles go by the true one.",
        seconds=_FOR,
        amount=Range("how far it is ahead, in milliseconds", -86_400_000, 86_400_000),
        lasting=True,
    ),
    "maintenance": Kind("Everything is refused with -1016.", seconds=_FOR, lasting=True),
    "key_refused": Kind(
        "Signed requests are refused with -2015, as of a key that expired or was deleted.",
        seconds=_FOR,
        lasting=True,
    ),
    "withdrawal_right": Kind(
        "The account says of itself that it may withdraw.", seconds=_FOR, lasting=True
    ),
    "stale_data": Kind(
        "Candles, book, tape and tickers stay as they were when it was set.",
        seconds=_FOR,
        lasting=True,
    ),
    "stream_drop": Kind("The websocket closes without a word, in the place of an event."),
    "stream_stall": Kind(
        "The websocket stays open and answers pings, and says nothing any more.",
        seconds=_FOR,
        lasting=True,
    ),
    "stream_gap": Kind("An event of a websocket is lost; those after it come as if it had not."),
    "stream_twice": Kind("An event of a websocket comes twice."),
    "stream_swap": Kind("An event of a websocket comes after the one that follows it."),
    "listen_key_expiry": Kind(
        "A listen key that is in use ends at once. The venue says so on its stream, which stays "
        "open and carries nothing from then on."
    ),
    "price_gap": Kind(
        "The price jumps with the next full second, for good: what has traded beyond a gap stays "
        "traded, so neither clearing nor a restart takes it back.",
        seconds=Range("after how long it jumps back; without it never", 1, LONGEST, required=False),
        amount=Range("by how many percent", -50, 100),
    ),
}


def read(wish: object, new_id: Callable[[], str], ms: int) -> Fault:
    """The fault that is wished for. Raises ``Malformed``."""
    if not isinstance(wish, dict):
        raise Malformed("each fault must be an object with a kind")
    _known(wish, _FIELDS, "fields")
    kind = KINDS.get(str(wish.get("kind")))
    if kind is None:
        raise Malformed(f"kind must be one of {', '.join(KINDS)}")
    seconds = _number(wish, "seconds", kind.seconds)
    persist, name = wish.get("persist", False), wish.get("id") or new_id()
    if not isinstance(persist, bool):
        raise Malformed("persist must be true or false")
    if not isinstance(name, str) or len(name) > 64:
        raise Malformed("id must be a text of at most 64 characters")
    chance = Range("the chance of each request to be struck", 0, 1, 1)
    fault = Fault(
        id=name,
        kind=wish["kind"],
        set_at=ms,
        match=_match(wish.get("match", {})),
        probability=_number(wish, "probability", chance) or 0.0,
        count=_count(wish.get("count")),
        seconds=seconds,
        amount=_number(wish, "amount", kind.amount),
        persist=persist,
        lasts_until=ms + round(seconds * 1000) if kind.lasting and seconds is not None else None,
    )
    _check_kind(fault)
    return fault


def _check_kind(fault: Fault) -> None:
    if fault.kind == "rate_ban" and fault.amount not in (418, 429):
        raise Malformed("amount of rate_ban is the HTTP status: 418 or 429")
    if fault.kind != "price_gap":
        return
    if fault.count is not None or fault.probability < 1 or set(fault.match) - {"symbol"}:
        raise Malformed("a price_gap meets everyone at once: it may only match a symbol")
    if not fault.amount:
        raise Malformed("amount of price_gap is in percent and must not be 0")
    fault.count = 0  # it strikes as it is set


def _known(given: Json, allowed: tuple[str, ...], what: str) -> None:
    unknown = sorted(map(str, set(given) - set(allowed)))
    if unknown:
        raise Malformed(f"unknown {what}: {', '.join(unknown)}; use {', '.join(allowed)}")


def _match(given: object) -> dict[str, str]:
    """Patterns may hold ``*``. A key is kept masked, a unified symbol as the venue writes it."""
    if not isinstance(given, dict) or not all(isinstance(one, str) for one in given.values()):
        raise Malformed(f"match must be an object of texts: {', '.join(_MATCHES)}")
    _known(given, _MATCHES, "things to match")
    match = dict(given)
    if keys.is_key(match.get("account", "")):
        match["account"] = keys.masked(match["account"])
    if "method" in match:
        match["method"] = match["method"].upper()
    if "symbol" in match:
        match["symbol"] = match["symbol"].partition(":")[0].replace("/", "").upper()
        if match["symbol"] not in INSTRUMENTS:
            raise Malformed(f"symbol must be one of {', '.join(INSTRUMENTS)}")
    return match


def _number(given: Json, name: str, bounds: Range | None) -> float | None:
    value = given.get(name)
    if bounds is None:
        if value is not None:
            raise Malformed(f"{name} means nothing for {given['kind']}; leave it out")
        return None
    if value is None and (bounds.default is not None or not bounds.required):
        return bounds.default
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not bounds.least <= number <= bounds.most:
        between = f"a number from {bounds.least:g} to {bounds.most:g}"
        raise Malformed(f"{name} of {given['kind']} must be {between}: {bounds.meaning}")
    return float(number)


def _count(value: object) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise Malformed("count must be a whole number from 1: how many requests are struck")
    return value
