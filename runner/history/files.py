"""The cache of candles: one file for each exchange, symbol, time frame and month.

A file is a line of magic, a line of JSON (what it holds) and the columns, little-endian and
compressed. Its digest is verified at every reading: what is damaged is as good as missing.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import tempfile
import zlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from runner.history.columns import Columns

MAGIC = b"plutarc candles 1\n"
Span = tuple[int, int]
"""Half-open, seconds since the epoch."""


@dataclass(frozen=True)
class Series:
    """What one row of files holds."""

    exchange: str
    symbol: str
    timeframe: str

    @property
    def folder(self) -> Path:
        """A path of plain letters, different for different series."""
        return Path(_plain(self.exchange), _plain(self.symbol), _plain(self.timeframe))


@dataclass
class Month:
    """One file's content: every candle there is in ``[since, until)``, seconds since the epoch.

    ``gaps``: stretches without candles, asked for twice: the venue has none there.
    """

    columns: Columns
    since: int
    until: int
    gaps: list[Span]


class Damaged(Exception):
    """A file does not hold what it says."""


def _plain(name: str) -> str:
    """Letters, digits and dots; every other letter as its number, so that no two names meet."""
    return re.sub(r"[^A-Za-z0-9.]", lambda found: f"_{ord(found[0]):x}_", name)


def month_of(moment: int) -> str:
    """The month a moment lies in, as ``2026-11``."""
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m}"


def bounds(month: str) -> Span:
    """First second of a month, and of the next."""
    first = datetime.strptime(month, "%Y-%m").replace(tzinfo=UTC)
    following = (first + timedelta(days=32)).replace(day=1)
    return int(first.timestamp()), int(following.timestamp())


def months(since: int, until: int) -> list[str]:
    """All months a span touches, in order."""
    found = []
    while since < until:
        found.append(month_of(since))
        since = bounds(found[-1])[1]
    return found


class Files:
    """The files below one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def path(self, series: Series, month: str) -> Path:
        """Where a month's candles lie."""
        return self._folder / series.folder / f"{month}.candles"

    def read(self, series: Series, month: str) -> Month | None:
        """What is kept of a month; ``None`` where nothing is.

        Raises:
            Damaged: the file is not what was written.
        """
        try:
            raw = self.path(series, month).read_bytes()
        except FileNotFoundError:
            return None
        try:
            return _decoded(raw, series, month)
        except (ValueError, KeyError, TypeError, zlib.error) as error:
            raise Damaged(f"{self.path(series, month).name}: {error}") from error

    def end(self, series: Series, until: int) -> int:
        """Up to where the candles before ``until`` are kept, at most."""
        month = month_of(until - 1)
        try:
            content = self.read(series, month)
        except Damaged:
            content = None
        return bounds(month)[0] if content is None else min(content.until, until)

    def write(self, series: Series, month: str, content: Month) -> None:
        """Whole or not at all, whoever else writes the same month at this moment."""
        written(self.path(series, month), _encoded(content, series, month))


def written(target: Path, content: bytes) -> None:
    """A file, whole or not at all, whoever else writes the same at this moment."""
    target.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.stem}-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _encoded(content: Month, series: Series, month: str) -> bytes:
    columns = content.columns
    body = b"".join(little(column).tobytes() for column in columns.all)
    head = {
        **_name(series, month),
        "count": len(columns),
        "price_scale": columns.price_scale,
        "volume_scale": columns.volume_scale,
        "since": content.since,
        "until": content.until,
        "gaps": content.gaps,
        "sha256": columns.digest,
        "bounds": bounds_digest(content.since, content.until, content.gaps),
    }
    line = json.dumps(head, sort_keys=True, separators=(",", ":")).encode()
    return MAGIC + line + b"\n" + zlib.compress(body, 6)


def _decoded(raw: bytes, series: Series, month: str) -> Month:
    if not raw.startswith(MAGIC):
        raise ValueError("no file of candles")
    line, _, packed = raw[len(MAGIC) :].partition(b"\n")
    head: dict[str, Any] = json.loads(line)
    if any(head[key] != value for key, value in _name(series, month).items()):
        raise ValueError("holds other candles than its name says")
    body, size = zlib.decompress(packed), int(head["count"]) * 8
    if len(body) != size * 6:
        raise ValueError("is cut off")
    parts = [array("q", body[start : start + size]) for start in range(0, len(body), size or 1)]
    columns = Columns(
        int(head["price_scale"]), int(head["volume_scale"]), *(little(part) for part in parts)
    )
    if columns.digest != head["sha256"]:
        raise ValueError("its digest is another")
    gaps = [(int(first), int(last)) for first, last in head["gaps"]]
    content = Month(columns, int(head["since"]), int(head["until"]), gaps)
    # Files of before this digest have none; their candles may be known to no venue any more.
    pinned = bounds_digest(content.since, content.until, gaps)
    if head.get("bounds", pinned) != pinned:
        raise ValueError("its bounds or gaps are others")
    return content


def bounds_digest(since: int, until: int, gaps: Sequence[Span] = ()) -> str:
    """Pins what a file says to hold: a changed bound would make candles missing without a gap."""
    told = json.dumps([since, until, [list(gap) for gap in gaps]])
    return hashlib.sha256(told.encode()).hexdigest()


def _name(series: Series, month: str) -> dict[str, str]:
    return {
        "exchange": series.exchange,
        "symbol": series.symbol,
        "timeframe": series.timeframe,
        "month": month,
    }


def little(column: array[int]) -> array[int]:
    """The column as the files have it, whatever the machine's own order of bytes."""
    if sys.byteorder == "little":
        return column
    turned = array("q", column)
    turned.byteswap()
    return turned
