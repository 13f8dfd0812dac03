"""Candles as columns of scaled integers: exact as decimals, cheap as floats.

Times are seconds since the epoch, UTC. A price is its integer over ten to the ``price_scale``, a
volume over ten to the ``volume_scale``; nothing is rounded anywhere.
"""

from __future__ import annotations

import hashlib
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Context, Decimal
from itertools import islice, repeat
from operator import truediv

from runner.errors import Operational
from runner.protocol import Candle

PRICES = ("open", "high", "low", "close")
_EXACT = Context(prec=60)
_LARGEST = 2**63 - 1


def _column() -> array[int]:
    return array("q")


@dataclass
class Columns:
    """Candles of one symbol and time frame, oldest first; each column as long as the others."""

    price_scale: int = 0
    volume_scale: int = 0
    times: array[int] = field(default_factory=_column)
    opens: array[int] = field(default_factory=_column)
    highs: array[int] = field(default_factory=_column)
    lows: array[int] = field(default_factory=_column)
    closes: array[int] = field(default_factory=_column)
    volumes: array[int] = field(default_factory=_column)

    def __len__(self) -> int:
        return len(self.times)

    @property
    def all(self) -> tuple[array[int], ...]:
        """The columns in the order they are stored in."""
        return self.times, self.opens, self.highs, self.lows, self.closes, self.volumes

    @property
    def digest(self) -> str:
        """SHA-256 of what the columns hold, in the scales they have."""
        told = hashlib.sha256()
        for column, scale in zip(self.all, self._scales, strict=True):
            told.update(f"{scale},{len(column)};".encode())
            told.update(column.tobytes())
        return told.hexdigest()

    def candle(self, index: int) -> Candle:
        """One candle in exact decimals."""
        opened, high, low, closed = (
            Decimal(column[index]).scaleb(-self.price_scale, _EXACT)
            for column in (self.opens, self.highs, self.lows, self.closes)
        )
        volume = Decimal(self.volumes[index]).scaleb(-self.volume_scale, _EXACT)
        at = datetime.fromtimestamp(self.times[index], UTC)
        return Candle(at, opened, high, low, closed, volume)

    def price(self, column: Sequence[int], index: int) -> Decimal:
        """One price of one of the columns of prices."""
        return Decimal(column[index]).scaleb(-self.price_scale, _EXACT)

    def floats(self, first: int = 0) -> tuple[Iterator[float], ...]:
        """Open, high, low, close and volume for indicators: the nearest floats there are."""
        scaled = zip(self.all[1:], self._scales[1:], strict=True)
        return tuple(
            map(truediv, islice(column, first, None), repeat(10.0**scale))
            for column, scale in scaled
        )

    def between(self, since: int, until: int) -> Columns:
        """Those that open in ``[since, until)``, seconds since the epoch, in the smallest scales.

        So the digest of a period depends on nothing outside of it.
        """
        first, last = bisect_left(self.times, since), bisect_left(self.times, until)
        times, *parts = (column[first:last] for column in self.all)
        price_scale, prices = _smallest(parts[:-1], self.price_scale)
        volume_scale, volumes = _smallest(parts[-1:], self.volume_scale)
        return Columns(price_scale, volume_scale, times, *prices, *volumes)

    @property
    def _scales(self) -> tuple[int, ...]:
        return (0, *(self.price_scale for _ in PRICES), self.volume_scale)


def _smallest(columns: list[array[int]], scale: int) -> tuple[int, list[array[int]]]:
    """The same numbers without zeros that each of them ends with."""
    while scale and not any(value % 10 for column in columns for value in column):
        columns = [array("q", (value // 10 for value in column)) for column in columns]
        scale -= 1
    return scale, columns


def of_candles(candles: Iterable[Candle]) -> Columns:
    """Columns of candles, oldest first, in the smallest scales that hold every digit.

    Raises:
        Operational: a number has more digits than a column holds.
    """
    found = list(candles)
    prices = [[getattr(candle, name) for candle in found] for name in PRICES]
    volumes = [candle.volume for candle in found]
    price_scale = max((_digits(column) for column in prices), default=0)
    volume_scale = _digits(volumes)
    times = array("q", (int(candle.opened_at.timestamp()) for candle in found))
    opens, highs, lows, closes = (_scaled(column, price_scale) for column in prices)
    scaled = _scaled(volumes, volume_scale)
    return Columns(price_scale, volume_scale, times, opens, highs, lows, closes, scaled)


def joined(parts: Iterable[Columns]) -> Columns:
    """Columns one after the other, in the finest scale of any part."""
    found = [part for part in parts if len(part)]
    price = max((part.price_scale for part in found), default=0)
    volume = max((part.volume_scale for part in found), default=0)
    whole = Columns(price, volume)
    for part in found:
        wanted = (0, *(price for _ in PRICES), volume)
        for into, column, old, new in zip(whole.all, part.all, part._scales, wanted, strict=True):  # noqa: SLF001 - of the same class
            into.extend(column if old == new else _rescaled(column, 10 ** (new - old)))
    return whole


def _digits(numbers: Iterable[Decimal]) -> int:
    """Digits after the point, trailing zeros not counted."""
    most = 0
    for number in numbers:
        exponent = number.as_tuple().exponent
        if isinstance(exponent, int) and -exponent > most:
            exponent = number.normalize(_EXACT).as_tuple().exponent
            assert isinstance(exponent, int)
            most = max(most, -exponent)
    return most


def _scaled(numbers: Iterable[Decimal], scale: int) -> array[int]:
    return _fitting(int(number.scaleb(scale, _EXACT)) for number in numbers)


def _rescaled(column: Iterable[int], factor: int) -> array[int]:
    return _fitting(value * factor for value in column)


def _fitting(values: Iterable[int]) -> array[int]:
    try:
        return array("q", values)
    except OverflowError:
        raise Operational(
            f"a candle has a number with more digits than fit into {_LARGEST}; choose another "
            "symbol or time frame"
        ) from None
