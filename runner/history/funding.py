"""Funding rates as a venue settled them: fetched once, kept in one file a symbol, verified.

A file is a line of magic, a line of JSON (what it holds) and two columns, little-endian and
compressed: times in seconds since the epoch, rates as whole numbers with a scale.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

from runner.errors import Operational
from runner.history.files import Series, Span, bounds_digest, little, written

MAGIC = b"plutarc funding 1\n"
LATE = 600
"""Seconds after which a venue that has not shown a payment will never show it."""
DAY = 86_400
"""A rate that was settled longer ago says nothing of now; no venue waits so long."""


def _column() -> array[int]:
    return array("q")


class PastFunding(Protocol):
    """A venue's funding rates of long ago. Raises ``Temporary`` or ``Operational``."""

    async def past_funding(
        self, symbol: str, since: datetime, until: datetime
    ) -> list[tuple[datetime, Decimal]] | None:
        """Those settled in ``[since, until)``, oldest first; ``None`` if it tells none at all."""


@dataclass(frozen=True)
class Settled:
    """Every payment there was in ``[since, until)``, as far as the venue tells."""

    since: int
    until: int
    times: array[int] = field(default_factory=_column)
    rates: array[int] = field(default_factory=_column)
    scale: int = 0

    def __len__(self) -> int:
        return len(self.times)

    def rate(self, place: int) -> Decimal:
        """Exactly as the venue wrote it."""
        return Decimal(self.rates[place]).scaleb(-self.scale)

    def between(self, since: int, until: int) -> Settled:
        """Those of a part of it; its digest depends on nothing outside."""
        first, last = bisect_left(self.times, since), bisect_left(self.times, until)
        pairs = [(self.times[place], self.rate(place)) for place in range(first, last)]
        return settled(pairs, since, until)

    def next_after(self, at: int) -> int | None:
        """When is paid next."""
        place = bisect_right(self.times, at)
        return self.times[place] if place < len(self.times) else None

    def due(self, after: int, until: int) -> list[tuple[int, Decimal]]:
        """The payments in ``(after, until]``."""
        first, last = bisect_right(self.times, after), bisect_right(self.times, until)
        return [(self.times[place], self.rate(place)) for place in range(first, last)]

    def known(self, at: int) -> Decimal | None:
        """The rate settled last at a moment; ``None`` where that is more than a day ago."""
        place = bisect_right(self.times, at) - 1
        fresh = place >= 0 and at - self.times[place] <= DAY
        return self.rate(place) if fresh else None

    @property
    def digest(self) -> str:
        """What pins these rates."""
        told = hashlib.sha256(f"{self.scale},{len(self.times)};".encode())
        told.update(self.times.tobytes())
        told.update(self.rates.tobytes())
        return told.hexdigest()


def settled(pairs: Iterable[tuple[int, Decimal]], since: int, until: int) -> Settled:
    """Payments in columns, in the smallest scale that holds them."""
    rows = sorted(dict(pairs).items())
    scale = max((_digits(rate) for _, rate in rows), default=0)
    rates = array("q", (int(rate.scaleb(scale)) for _, rate in rows))
    return Settled(since, until, array("q", (at for at, _ in rows)), rates, scale)


def load(folder: Path, exchange: str, symbol: str, since: int, until: int) -> Settled:
    """The payments of ``[since, until)``, from the file alone.

    Raises:
        Operational: the file does not hold all of the period.
    """
    kept = _read(folder, exchange, symbol)
    if kept is None or kept.since > since or kept.until + LATE < until:
        raise Operational(f"the funding rates of {symbol} at {exchange} were not fetched")
    return kept.between(since, until)


async def fetch(
    past: PastFunding, folder: Path, exchange: str, symbol: str, period: Span, now: datetime
) -> None:
    """Make the file hold a period. Raises ``Temporary`` or ``Operational``."""
    since, until = period[0], min(period[1], int(now.timestamp()) - LATE)
    kept = _read(folder, exchange, symbol)
    if kept is None or until < kept.since or since > kept.until:
        # Between two stretches that do not meet nothing would be known: begin anew.
        kept = Settled(since, since)
    pairs = [(kept.times[place], kept.rate(place)) for place in range(len(kept))]
    for first, last in ((since, kept.since), (kept.until, until)):
        if first < last:
            span = datetime.fromtimestamp(first, UTC), datetime.fromtimestamp(last, UTC)
            found = await past.past_funding(symbol, *span)
            pairs += [(int(at.timestamp()), rate) for at, rate in found or ()]
    whole = min(since, kept.since), max(until, kept.until)
    inside = [(at, rate) for at, rate in pairs if whole[0] <= at < whole[1]]
    keep(folder, exchange, symbol, settled(inside, *whole))


def _digits(rate: Decimal) -> int:
    exponent = rate.normalize().as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


def _path(folder: Path, exchange: str, symbol: str) -> Path:
    return folder / Series(exchange, symbol, "any").folder.parent / "settled.funding"


def _read(folder: Path, exchange: str, symbol: str) -> Settled | None:
    """What is kept; a damaged file is as good as none."""
    try:
        raw = _path(folder, exchange, symbol).read_bytes()
        return _decoded(raw, exchange, symbol)
    except (OSError, ValueError, KeyError, TypeError, zlib.error):
        return None


def keep(folder: Path, exchange: str, symbol: str, content: Settled) -> None:
    """Write a file, whole or not at all."""
    head = {
        "exchange": exchange,
        "symbol": symbol,
        "count": len(content),
        "scale": content.scale,
        "since": content.since,
        "until": content.until,
        "sha256": content.digest,
        "bounds": bounds_digest(content.since, content.until),
    }
    line = json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
    body = b"".join(little(column).tobytes() for column in (content.times, content.rates))
    written(_path(folder, exchange, symbol), MAGIC + line + b"\n" + zlib.compress(body, 6))


def _decoded(raw: bytes, exchange: str, symbol: str) -> Settled:
    if not raw.startswith(MAGIC):
        raise ValueError("no file of funding rates")
    line, _, packed = raw[len(MAGIC) :].partition(b"\n")
    head: dict[str, Any] = json.loads(line)
    body, size = zlib.decompress(packed), int(head["count"]) * 8
    if (head["exchange"], head["symbol"]) != (exchange, symbol) or len(body) != 2 * size:
        raise ValueError("holds other rates than its name says, or is cut off")
    times, rates = (little(array("q", part)) for part in (body[:size], body[size:]))
    found = Settled(int(head["since"]), int(head["until"]), times, rates, int(head["scale"]))
    if found.digest != head["sha256"]:
        raise ValueError("its digest is another")
    pinned = bounds_digest(found.since, found.until)
    if head.get("bounds", pinned) != pinned:  # files of before have none
        raise ValueError("its bounds are others")
    return found
