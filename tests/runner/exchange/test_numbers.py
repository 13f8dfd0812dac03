"""What is no number never becomes one, and public data that cannot be true is not believed."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import RunnerError, Temporary, UnknownOutcome
from runner.exchange import sanity
from runner.exchange.failures import Failures
from runner.exchange.numbers import NoNumber, amount, exact, exact_or_none, price, text

NONSENSE = ["NaN", "nan", "-NaN", "sNaN", "Infinity", "-inf", "", " ", "1,5", "0x10", "1_000", "١"]
NOTHING = [None, True, False, [], {}, float("nan"), float("inf"), Decimal("NaN"), Decimal("-Inf")]
MINUTE = timedelta(minutes=1)
START = datetime(2026, 11, 23, 9, tzinfo=UTC)


@pytest.mark.parametrize("value", [*NONSENSE, *NOTHING, "1e999999999", "12 ", "--1"])
def test_what_is_no_number_is_refused_by_name(value):
    with pytest.raises(NoNumber, match="the venue sent no number for the price of an order") as e:
        exact(value, "the price of an order")
    assert isinstance(e.value, Temporary)


@settings(deadline=None)
@given(st.decimals(allow_nan=False, allow_infinity=False, places=8))
def test_a_number_keeps_every_digit(number):
    assert exact(format(number, "f")) == number
    assert exact(text(number)) == number
    assert (exact_or_none(format(number, "f")) or 0) == number


@settings(deadline=None)
@given(st.text() | st.floats() | st.integers() | st.none() | st.booleans())
def test_a_value_is_a_finite_number_or_refused(value):
    try:
        number = exact(value)
    except NoNumber:
        return
    assert number.is_finite()


@settings(deadline=None)
@given(st.decimals(max_value=-1, allow_nan=False, allow_infinity=False, places=3))
def test_prices_are_above_zero_and_amounts_not_below(number):
    with pytest.raises(NoNumber, match="negative"):
        amount(number)
    with pytest.raises(NoNumber, match="impossible"):
        price(number)
    with pytest.raises(NoNumber, match="impossible"):
        price(0)
    assert amount(0) == 0


def test_a_broken_number_in_the_answer_to_an_order_leaves_it_unknown():
    failures = Failures(None, {})
    unknown = pytest.raises(UnknownOutcome, match="place: the venue sent no number")
    with unknown, failures.writing("place"):
        exact(None)
    with pytest.raises(NoNumber), failures.reading("read"):
        exact(None)


@pytest.mark.parametrize("broken", [KeyError("x"), TypeError(), AttributeError(), IndexError()])
def test_an_answer_of_another_shape_never_ends_the_process(broken):
    failures = Failures(None, {})
    with pytest.raises(Temporary, match="another shape"), failures.reading("read"):
        raise broken
    with pytest.raises(UnknownOutcome), failures.writing("place"):
        raise broken


def row(minute, opens="100", high="101", low="99", closes="100.5", volume="1"):
    at = int((START + minute * MINUTE).timestamp() * 1000)
    return [at, opens, high, low, closes, volume]


def test_good_candles_pass_unchanged():
    found = sanity.candles("X", [row(0), row(1), row(2)], MINUTE)
    assert [candle.opened_at for candle in found] == [START + n * MINUTE for n in range(3)]
    assert found[0].high == 101


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([row(0, high="100.2")], "contradicts itself"),
        ([row(0, low="100.1")], "contradicts itself"),
        ([row(0, low="-1")], "impossible number for the low"),
        ([row(0, opens="0")], "impossible number for the open"),
        ([row(0, closes=None)], "no number for the close"),
        ([row(0, volume="NaN")], "no number for the volume"),
        ([row(0, volume="-2")], "negative number for the volume"),
        ([row(1), row(0)], "out of order at 09:01:00"),
        ([row(0), row(0)], "out of order"),
        ([row(0), row(2)], "gap from 2026-11-23 09:01:00 to 2026-11-23 09:02:00"),
        ([[0, "1", "1", "1", "1", "1"]], "impossible number for the time"),
        ([[10**30, "1", "1", "1", "1", "1"]], "impossible number for the time"),
        ([[None, "1", "1", "1", "1", "1"]], "no number for the time"),
    ],
)
def test_candles_that_cannot_be_true_are_a_passing_fault(rows, words):
    with pytest.raises(Temporary, match=words):
        sanity.candles("X", rows, MINUTE)


BIDS, ASKS = [["100", "1"], ["99", "2"]], [["101", "1"], ["102", "2"]]


@pytest.mark.parametrize(
    ("bids", "asks", "words"),
    [
        ([], ASKS, "empty side"),
        (BIDS, [], "empty side"),
        ([["101", "1"]], ASKS, "crossed: bid 101, ask 101"),
        ([["103", "1"]], ASKS, "crossed"),
        (BIDS[::-1], ASKS, "out of order"),
        (BIDS, ASKS[::-1], "out of order"),
        ([["100", "-1"]], ASKS, "negative number for a bid quantity"),
        ([["0", "1"]], ASKS, "impossible number for a bid price"),
        (BIDS, [[None, "1"]], "no number for an ask price"),
    ],
)
def test_a_book_that_cannot_be_true_is_a_passing_fault(bids, asks, words):
    with pytest.raises(Temporary, match=words):
        sanity.book("X", bids, asks)


levels = st.lists(st.tuples(st.decimals(1, 200, places=1), st.decimals(0, 9, places=1)), max_size=4)


@settings(deadline=None)
@given(levels, levels)
def test_a_book_is_sorted_and_uncrossed_or_refused(bids, asks):
    try:
        book = sanity.book("X", bids, asks)
    except RunnerError:
        return
    prices = [level[0] for level in (*reversed(book.bids), *book.asks)]
    assert prices == sorted(set(prices))
    assert book.bids
    assert book.asks


def test_contracts_become_base_units():
    size = Decimal("0.01")
    book = sanity.scaled(sanity.book("X", BIDS, ASKS), size)
    assert book.bids == ((100, size), (99, 2 * size))
    (trade,) = sanity.trades("X", [{"timestamp": row(0)[0], "price": "5", "amount": "3"}], size)
    assert (trade.at, trade.price, trade.quantity) == (START, 5, 3 * size)


@pytest.mark.parametrize("broken", [{"price": "-5"}, {"amount": None}, {"timestamp": ""}])
def test_a_print_of_the_tape_that_cannot_be_true_is_refused(broken):
    good = {"timestamp": row(0)[0], "price": "5", "amount": "3"}
    with pytest.raises(Temporary):
        sanity.trades("X", [{**good, **broken}], Decimal(1))
