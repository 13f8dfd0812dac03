"""Recordings of a market as a runner saw it: book, tape, marks, rates, candles, in JSON lines.

Each line is one answer of the venue with the moment it came: what was asked for by ``desk`` (who
decides), by ``venue`` (who fills paper orders) or for ``both``. The first line says what it is of.
Of a code strategy's runner there is also when its class began, was asked and had answered; never
what it answered, so that a replay has to find that by itself.
"""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import json
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

from runner.clock import Clock
from runner.errors import Operational
from runner.exchange.base import DEPTH, Book, Funding, Instrument, Market, PublicTrade
from runner.history.asking import Answered, Asked, Asking, Began
from runner.protocol import Candle, ProtocolError, from_plain, to_plain

FORMAT = 1
DESK, VENUE, BOTH = "desk", "venue", "both"


@dataclass(frozen=True)
class Head:
    """What a recording is of. ``asks``: a class was asked, and the moments of that are in it."""

    format: int
    exchange: str
    timeframe: str
    instruments: dict[str, Any]
    asks: bool = False

    def rules(self) -> dict[str, Instrument]:
        """The venue's rules of each symbol."""
        return {name: from_plain(Instrument, one) for name, one in self.instruments.items()}


@dataclass(frozen=True)
class OpenInterest:
    """What stands open, in base units."""

    quantity: Decimal


@dataclass(frozen=True)
class Seen:
    """One answer: ``what`` is a Book, a list of prints or candles, a mark, a rate; or an asking.

    ``since``: the first candle of the answer, also where it was not written down again; a candle
    before it was not told this time. Older recordings do not say.
    """

    at: datetime
    who: str
    symbol: str
    what: Book | list[PublicTrade] | list[Candle] | Decimal | Funding | OpenInterest | Asking
    since: datetime | None = None


class Recorder:
    """Writes lines as answers come. Compressed; whole lines survive a kill after each ``flush``."""

    def __init__(self, path: Path | str, head: Head) -> None:
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = gzip.open(path, "wt", encoding="utf-8", compresslevel=6)  # noqa: SIM115 - closed by ``close``
        self._write(to_plain(head))
        self._rows: dict[str, dict[datetime, Candle]] = {}

    def note(self, seen: Seen) -> None:
        """Write an answer down; of candles only those that are new or other than before."""
        what: Any = seen.what
        kind = _KINDS[type(what)]
        if kind == "list":
            kind = "candles" if what and isinstance(what[0], Candle) else "trades"
        first = {}
        if kind == "candles":
            first = {"since": to_plain(min(row.opened_at for row in what))}
            what = self._changed(seen.symbol, what)
        plain = {"value": what} if kind == "mark" else what
        self._write(
            {
                "at": to_plain(seen.at),
                "who": seen.who,
                "symbol": seen.symbol,
                "kind": kind,
                "what": to_plain(plain),
                **first,
            }
        )

    def close(self) -> None:
        """End the file."""
        self._file.close()

    def _changed(self, symbol: str, rows: list[Candle]) -> list[Candle]:
        known = self._rows.setdefault(symbol, {})
        fresh = [row for row in rows if known.get(row.opened_at) != row]
        known.update((row.opened_at, row) for row in fresh)
        for old in sorted(known)[:-_KEPT]:
            del known[old]
        return fresh

    def _write(self, plain: Any) -> None:
        self._file.write(json.dumps(plain, separators=(",", ":")) + "\n")


_KINDS: dict[type, str] = {
    Book: "book",
    list: "list",
    Decimal: "mark",
    Funding: "funding",
    OpenInterest: "open_interest",
    Began: "began",
    Asked: "asked",
    Answered: "answered",
}
_KEPT = 5_000


class HeldClock(Clock):
    """Shows the moment of an answer to whoever works on it, as a recording tells it.

    A clock that is read again after an answer was written down may show a moment by which a candle
    or a print counts and by the recorded one does not: then nothing read from it is exact.
    """

    def __init__(self) -> None:
        super().__init__()
        self._held: datetime | None = None

    def now(self) -> datetime:
        return self._held or super().now()

    def answered(self) -> datetime:
        """Now, until the one who asked waits for something else."""
        moment = super().now()
        self._held = moment
        asyncio.get_running_loop().call_soon(self._let_go, moment)
        return moment

    def _let_go(self, moment: datetime) -> None:
        if self._held is moment:
            self._held = None


class Tap:
    """A market that writes down what it answers, for one of those who ask."""

    def __init__(self, market: Market, clock: Clock, recorder: Recorder, who: str) -> None:
        self._market = market
        self._clock = clock
        self._recorder = recorder
        self._who = who

    def _note(self, symbol: str, what: Any) -> None:
        self._recorder.note(Seen(self._clock.answered(), self._who, symbol, what))

    async def open(self, wanted: Collection[str] = ()) -> None:
        await self._market.open(wanted)

    async def close(self) -> None:
        await self._market.close()

    def instrument(self, symbol: str) -> Instrument:
        return self._market.instrument(symbol)

    async def time(self) -> datetime:
        return await self._market.time()

    async def address(self) -> str | None:
        return await self._market.address()

    async def candles(self, symbol: str, timeframe: str, limit: int) -> list[Candle]:
        found = await self._market.candles(symbol, timeframe, limit)
        self._note(symbol, found)
        return found

    async def book(self, symbol: str, depth: int = DEPTH) -> Book:
        found = await self._market.book(symbol, depth)
        self._note(symbol, found)
        return found

    async def trades(self, symbol: str) -> list[PublicTrade]:
        found = await self._market.trades(symbol)
        self._note(symbol, found)
        return found

    async def mark(self, symbol: str) -> Decimal:
        found = await self._market.mark(symbol)
        self._note(symbol, found)
        return found

    async def funding(self, symbol: str) -> Funding:
        found = await self._market.funding(symbol)
        self._note(symbol, found)
        return found

    async def open_interest(self, symbol: str) -> Decimal:
        found = await self._market.open_interest(symbol)
        self._note(symbol, OpenInterest(found))
        return found


def noting(symbol: str, clock: HeldClock, recorder: Recorder) -> Callable[[Asking], None]:
    """Writes down when a symbol's class was asked and had answered; for ``Coder.note``."""
    return lambda what: recorder.note(Seen(clock.answered(), DESK, symbol, what))


def head_of(path: Path) -> Head:
    """What a recording is of. Raises ``Operational`` for a file that is none."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            head: Head = from_plain(Head, json.loads(file.readline()))
    except (OSError, ValueError, EOFError, ProtocolError) as error:
        raise Operational(f"{path.name} is no recording: {error}") from error
    if head.format != FORMAT:
        raise Operational(f"{path.name} is a recording of format {head.format}, {FORMAT} is known")
    return head


def seen(path: Path) -> Iterator[Seen]:
    """All answers in their order; one that was cut off by a kill ends it."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        file.readline()
        while True:
            try:
                line = file.readline()
            except EOFError:
                return
            if not line.endswith("\n"):
                return
            yield _read(json.loads(line))


def digest_of(path: Path) -> str:
    """SHA-256 of the file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


@dataclass(frozen=True)
class _Line:
    at: datetime
    who: str
    symbol: str
    kind: str
    what: Any
    since: datetime | None = None


@dataclass(frozen=True)
class _Mark:
    value: Decimal


def _read(plain: dict[str, Any]) -> Seen:
    line: _Line = from_plain(_Line, plain)
    return Seen(line.at, line.who, line.symbol, _READERS[line.kind](line.what), line.since)


def _book(plain: Any) -> Book:
    sides = [
        tuple((Decimal(price), Decimal(quantity)) for price, quantity in plain[side])
        for side in ("bids", "asks")
    ]
    return Book(sides[0], sides[1])


_READERS: dict[str, Any] = {
    "book": _book,
    "trades": lambda rows: [from_plain(PublicTrade, row) for row in rows],
    "candles": lambda rows: [from_plain(Candle, row) for row in rows],
    "mark": lambda plain: from_plain(_Mark, plain).value,
    "funding": lambda plain: from_plain(Funding, plain),
    "open_interest": lambda plain: from_plain(OpenInterest, plain),
    "began": lambda plain: from_plain(Began, plain),
    "asked": lambda plain: from_plain(Asked, plain),
    "answered": lambda plain: from_plain(Answered, plain),
}
