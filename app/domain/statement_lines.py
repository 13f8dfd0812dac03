"""The lines of a statement: price times hours, piece by piece. Pure.

The rounding rule, once for all: a line is its price times its exact length, rounded half to even
to a millionth of a dollar. Totals add lines as they are. Only what is shown is rounded again.

Money is counted here in whole millionths, prices in whole 10^-12 dollars an hour, time in whole
microseconds: integers are exact, and fast enough for every bot of a workspace at once.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from app.domain.price_book import Book, Rates
from app.models.billing import IdlePayer

_MICROSECOND = timedelta(microseconds=1)
_HOUR = 3_600_000_000
_PER_LINE = _HOUR * 10**6
"""From (10^-12 dollars an hour) times microseconds to millionths of a dollar."""


USUAL = "usual"
"""Stands for the machine type that a bot of the region would get."""


class Kind(StrEnum):
    """What a line is for."""

    MACHINE = "machine"
    DISK = "disk"
    IN_USE = "address in use"
    IDLE = "address idle"


class Stretch(NamedTuple):
    """One usage interval within a period; ``machine_type`` of machines alone."""

    start: datetime
    end: datetime
    region: str
    machine_type: str


class Line(NamedTuple):
    """One resource for one stretch at one price; both are ``None`` where the book has none.

    ``rate`` in 10^-12 dollars an hour, ``cost`` in millionths. ``absorbed``: what of it the
    operator pays, by the book.
    """

    kind: Kind
    start: datetime
    end: datetime
    region: str
    machine_type: str
    version: str
    length: int
    rate: int | None
    cost: int | None
    absorbed: int


class Price(NamedTuple):
    """The hour of each kind as the workspace pays it, and of an idle address by the book alone."""

    version: str
    machine: int | None
    disk: int | None
    in_use: int | None
    idle: int | None
    absorbed: int
    awake: int | None


Pricing = Callable[[str, str, datetime], Price]


def pricing(book: Book, markup_percent: Decimal, payer: IdlePayer) -> Pricing:
    """Prices with a mark-up; ``region, machine type, moment``, worked out once for each."""

    @cache
    def of(region: str, kind: str, moment: datetime) -> Price:
        version = book.at(moment)
        rates = version.regions.get(region) if version else None
        name = version.name if version else ""
        if rates is None:
            return Price(name, None, None, None, None, 0, None)
        return _price(
            name, rates, rates.usual_machine if kind == USUAL else kind, markup_percent, payer
        )

    return of


def _price(name: str, rates: Rates, kind: str, markup_percent: Decimal, payer: IdlePayer) -> Price:
    factor = (100 + markup_percent) / 100
    operator = payer is IdlePayer.OPERATOR

    def fine(price: Decimal | None) -> int | None:
        return None if price is None else int((price * factor).scaleb(12))

    parts = fine(rates.machine(kind)), fine(rates.disk), fine(rates.address_in_use)
    return Price(
        name,
        *parts,
        idle=0 if operator else fine(rates.address_idle),
        absorbed=int(rates.address_idle.scaleb(12)) if operator else 0,
        awake=fine(rates.awake(kind)),
    )


def cost(rate: int, length: int) -> int:
    """Price times hours in millionths, half to even."""
    whole, rest = divmod(rate * length, _PER_LINE)
    half = 2 * rest - _PER_LINE
    return whole + (half > 0 or (half == 0 and whole % 2))


def length(start: datetime, end: datetime) -> int:
    """In microseconds; a clock that was set back makes nothing, not less."""
    return max(0, (end - start) // _MICROSECOND)


def clipped(stretches: Iterable[Stretch], start: datetime, end: datetime) -> list[Stretch]:
    """What of them lies within, in order."""
    found = []
    for it in stretches:
        begin, until = max(it.start, start), min(it.end, end)
        if begin < until:
            found.append(Stretch(begin, until, it.region, it.machine_type))
    return sorted(found)


def within(
    machines: Sequence[Stretch],
    addresses: Sequence[Stretch],
    start: datetime,
    end: datetime,
    price: Pricing,
) -> Iterator[Line]:
    """All lines of one bot between two moments without a change of prices between them."""
    inside = clipped(machines, start, end)
    for it in inside:
        at = price(it.region, it.machine_type, start)
        yield _line(Kind.MACHINE, it, at.version, at.machine)
        yield _line(Kind.DISK, it, at.version, at.disk)
    for address in clipped(addresses, start, end):
        at = price(address.region, USUAL, start)
        for piece, used in _split(address, inside):
            if used:
                yield _line(Kind.IN_USE, piece, at.version, at.in_use)
            else:
                yield _line(Kind.IDLE, piece, at.version, at.idle, at.absorbed)


def _split(address: Stretch, machines: Sequence[Stretch]) -> Iterator[tuple[Stretch, bool]]:
    """Cut an address into what a machine of its bot used and what lay idle between."""
    reached = address.start
    for machine in machines:
        begin, until = max(machine.start, reached), min(machine.end, address.end)
        if begin >= until:
            continue
        if begin > reached:
            yield Stretch(reached, begin, address.region, ""), False
        yield Stretch(begin, until, address.region, ""), True
        reached = until
    if reached < address.end:
        yield Stretch(reached, address.end, address.region, ""), False


def _line(kind: Kind, piece: Stretch, version: str, rate: int | None, absorbed: int = 0) -> Line:
    start, end, region, machine_type = piece
    took = (end - start) // _MICROSECOND
    paid = None if rate is None else cost(rate, took)
    waived = cost(absorbed, took) if absorbed else 0
    return Line(kind, start, end, region, machine_type, version, took, rate, paid, waived)


def always_on(
    addresses: Sequence[Stretch],
    machine_type: str,
    start: datetime,
    end: datetime,
    price: Pricing,
) -> int | None:
    """What a machine for all the time of the addresses would cost; ``None`` without a price."""
    total = 0
    for it in clipped(addresses, start, end):
        rate = price(it.region, machine_type, start).awake
        if rate is None:
            return None
        total += cost(rate, length(it.start, it.end))
    return total
