"""Columns lose no digit, and a period's digest depends on nothing outside of it."""

import random
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from runner.errors import Operational
from runner.history.columns import joined, of_candles
from runner.protocol import Candle

START = datetime(2026, 7, 1, tzinfo=UTC)


def _at(minute, price, volume="1"):
    number = Decimal(price)
    return Candle(
        START + timedelta(minutes=minute), number, number, number, number, Decimal(volume)
    )


def test_every_digit_of_every_number_comes_back():
    dice = random.Random(5)
    candles = [
        _at(n, f"{dice.randint(1, 10**9)}.{dice.randint(0, 10**8):08}", f"{dice.random():.12f}")
        for n in range(500)
    ]
    columns = of_candles(candles)
    assert [columns.candle(n) for n in range(500)] == candles


def test_floats_are_the_nearest_there_are():
    candles = [_at(n, f"{n + 1}.1234567", "0.3") for n in range(50)]
    opens, *_, volumes = of_candles(candles).floats()
    assert list(opens) == [float(c.open) for c in candles]
    assert list(volumes) == [0.3] * 50


def test_trailing_zeros_change_neither_scale_nor_digest():
    plain, padded = of_candles([_at(0, "1.5")]), of_candles([_at(0, "1.5000", "1.00")])
    assert padded.price_scale == 1
    assert padded.digest == plain.digest


def test_joined_parts_take_the_finest_scale():
    whole = joined([of_candles([_at(0, "2")]), of_candles([_at(1, "2.25", "0.001")])])
    assert [whole.candle(n) for n in (0, 1)] == [_at(0, "2"), _at(1, "2.25", "0.001")]


def test_a_period_has_the_same_digest_whatever_lies_around_it():
    inside = [_at(n, f"{n + 1}.5") for n in range(10, 20)]
    around = [_at(0, "1.123456789"), *inside, _at(30, "2.000001", "0.12345")]
    first, last = (int((START + timedelta(minutes=m)).timestamp()) for m in (10, 20))
    cut = of_candles(around).between(first, last)
    assert cut.digest == of_candles(inside).digest
    assert len(cut) == 10


def test_a_number_too_long_for_a_column_is_named():
    with pytest.raises(Operational, match="choose another symbol"):
        of_candles([_at(0, "1", "123456789012.123456789012")])
