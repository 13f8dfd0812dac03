"""Public data that cannot be true is not believed: no decision is made on it."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from typing import Any

from runner.errors import Temporary
from runner.exchange.base import Book, Funding, Level, PublicTrade
from runner.exchange.numbers import NoNumber, amount, exact, price
from runner.protocol import Candle, Side

_HOURS = re.compile(r"[1-9]\d?h", re.ASCII)
_USUAL_HOURS = 8
_ONE = Decimal(1)
_EARLIEST = datetime(2009, 1, 3, tzinfo=UTC)


def moment(milliseconds: Any, what: str = "a time") -> datetime:
    """A time as venues write it. Raises ``NoNumber`` for one that cannot be."""
    try:
        found = datetime.fromtimestamp(int(exact(milliseconds, what)) / 1000, UTC)
    except (OverflowError, OSError, ValueError) as error:
        raise NoNumber(f"the venue sent an impossible number for {what}: {milliseconds}") from error
    if found < _EARLIEST:
        raise NoNumber(f"the venue sent an impossible number for {what}: {milliseconds}")
    return found


def candles(
    symbol: str, rows: Iterable[list[Any]], span: timedelta, size: Decimal = _ONE
) -> list[Candle]:
    """Candles oldest first, each right after the other. Raises ``Temporary`` otherwise.

    ``size`` is what one unit of the venue's volumes is in base units.
    """
    found = [_candle(symbol, row, size) for row in rows]
    for one, next_one in pairwise(found):
        step = next_one.opened_at - one.opened_at
        if step <= timedelta(0):
            raise Temporary(f"the candles of {symbol} are out of order at {one.opened_at:%H:%M:%S}")
        if step != span:
            raise Temporary(
                f"the candles of {symbol} have a gap from {one.opened_at + span:%Y-%m-%d %H:%M:%S} "
                f"to {next_one.opened_at:%Y-%m-%d %H:%M:%S} UTC"
            )
    return found


def past_candles(symbol: str, rows: Iterable[list[Any]], size: Decimal = _ONE) -> list[Candle]:
    """Candles of long ago, oldest first: nobody can ask again, so what cannot be true is left out.

    Whoever keeps them finds the gap.
    """
    found: dict[datetime, Candle] = {}
    for row in rows:
        with contextlib.suppress(NoNumber, Temporary):
            candle = _candle(symbol, row, size)
            found[candle.opened_at] = candle
    return [found[at] for at in sorted(found)]


def book(symbol: str, bids: Iterable[Any], asks: Iterable[Any]) -> Book:
    """A book whose sides are sorted and do not cross. Raises ``Temporary`` otherwise."""
    sides = [_side(symbol, name, levels) for name, levels in (("a bid", bids), ("an ask", asks))]
    buying, selling = sides
    if not buying or not selling:
        raise Temporary(f"the book of {symbol} has an empty side")
    rises = any(one[0] <= next_one[0] for one, next_one in pairwise(buying))
    falls = any(one[0] >= next_one[0] for one, next_one in pairwise(selling))
    if rises or falls:
        raise Temporary(f"the book of {symbol} is out of order")
    if buying[0][0] >= selling[0][0]:
        raise Temporary(
            f"the book of {symbol} is crossed: bid {buying[0][0]:f}, ask {selling[0][0]:f}"
        )
    return Book(buying, selling)


def trades(symbol: str, rows: Iterable[dict[str, Any]], size: Decimal) -> list[PublicTrade]:
    """Prints of the tape; ``size`` is what one unit of the venue's amounts is in base units."""
    return [
        PublicTrade(
            moment(row["timestamp"], f"the time of a trade of {symbol}"),
            price(row["price"], f"the price of a trade of {symbol}"),
            amount(row["amount"], f"the quantity of a trade of {symbol}") * size,
            Side(row["side"]) if row.get("side") in set(Side) else None,
        )
        for row in rows
    ]


def funding(symbol: str, row: dict[str, Any]) -> Funding:
    """What is paid next. Raises ``NoNumber`` where rate or time make no sense.

    Venues that do not tell how often it is paid do so every eight hours.
    """
    told = str(row["interval"] or "")
    return Funding(
        exact(row["fundingRate"], f"the funding rate of {symbol}"),
        moment(row["fundingTimestamp"], f"the next funding time of {symbol}"),
        int(told[:-1]) if _HOURS.fullmatch(told) else _USUAL_HOURS,
    )


def settled(
    symbol: str, rows: Iterable[dict[str, Any]], since: datetime, until: datetime
) -> list[tuple[datetime, Decimal]]:
    """Funding rates of long ago within a period, each once, oldest first."""
    found = {
        moment(row["timestamp"], f"the time of a funding of {symbol}"): exact(
            row["fundingRate"], f"a past funding rate of {symbol}"
        )
        for row in rows
        if row["fundingRate"] is not None
    }
    return sorted((at, rate) for at, rate in found.items() if since <= at < until)


def scaled(found: Book, size: Decimal) -> Book:
    """A book in base units of one whose quantities are contracts of ``size``."""
    if size == 1:
        return found
    bids, asks = (
        tuple((at, quantity * size) for at, quantity in side) for side in (found.bids, found.asks)
    )
    return Book(bids, asks)


def _candle(symbol: str, row: list[Any], size: Decimal) -> Candle:
    opened_at = moment(row[0], f"the time of a candle of {symbol}")
    names = ("open", "high", "low", "close")
    opens, high, low, closes = (
        price(value, f"the {name} of a candle of {symbol}")
        for name, value in zip(names, row[1:5], strict=True)
    )
    if high < max(opens, closes) or low > min(opens, closes):
        raise Temporary(
            f"the candle of {symbol} at {opened_at:%H:%M:%S} contradicts itself: high {high:f}, "
            f"low {low:f}, from {opens:f} to {closes:f}"
        )
    volume = amount(row[5], f"the volume of a candle of {symbol}") * size
    return Candle(opened_at, opens, high, low, closes, volume)


def _side(symbol: str, name: str, levels: Iterable[Any]) -> tuple[Level, ...]:
    return tuple(
        (
            price(level[0], f"{name} price of {symbol}"),
            amount(level[1], f"{name} quantity of {symbol}"),
        )
        for level in levels
    )
