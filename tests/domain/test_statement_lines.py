"""Lines of a statement: price times hours, whatever the intervals."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.domain import price_book, statement_lines
from app.domain.statement_lines import Kind, Stretch
from app.models import IdlePayer

START = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
REGION = "us-central1"
BOOK = price_book.load(price_book.SHIPPED)
MICRO = "e2-micro"


def told(machines, addresses, end, payer=IdlePayer.WORKSPACE, markup=Decimal(0), start=START):
    price = statement_lines.pricing(BOOK, markup, payer)
    return list(statement_lines.within(machines, addresses, start, end, price))


def total(lines):
    return sum(line.cost for line in lines)


def stretch(start, end, kind=""):
    return Stretch(START + start * HOUR, START + end * HOUR, REGION, kind)


def test_the_worked_example():
    """Forty hours a week of trading: 173 hours awake of 730, as in the list prices of 2026."""
    lines = told([stretch(0, 173, MICRO)], [stretch(0, 730)], START + 730 * HOUR)
    assert Decimal(total(lines)).scaleb(-6).quantize(Decimal("0.01")) == Decimal("8.12")
    price = statement_lines.pricing(BOOK, Decimal(0), IdlePayer.WORKSPACE)
    always = statement_lines.always_on([stretch(0, 730)], MICRO, START, START + 730 * HOUR, price)
    assert Decimal(always).scaleb(-6).quantize(Decimal("0.01")) == Decimal("10.77")


def test_who_sleeps_pays_nothing_where_the_operator_does():
    ours = told([], [stretch(0, 100)], START + 100 * HOUR, IdlePayer.OPERATOR)
    assert total(ours) == 0
    assert sum(line.absorbed for line in ours) == 1_000_000
    theirs = told([], [stretch(0, 100)], START + 100 * HOUR)
    assert total(theirs) == 1_000_000
    assert sum(line.absorbed for line in theirs) == 0


def test_the_mark_up_is_on_the_price():
    machines, addresses = [stretch(0, 10, MICRO)], [stretch(0, 10)]
    plain = told(machines, addresses, START + 10 * HOUR)
    dearer = told(machines, addresses, START + 10 * HOUR, markup=Decimal("12.5"))
    for before, after in zip(plain, dearer, strict=True):
        assert after.rate == before.rate * 9 // 8


def test_no_price_is_no_guess():
    unknown = Stretch(START, START + HOUR, "mars-north1", MICRO)
    lines = told([unknown], [unknown], START + HOUR)
    assert {line.cost for line in lines} == {None}


minutes = st.lists(st.integers(0, 60_000), min_size=2, max_size=14, unique=True).map(sorted)


@st.composite
def lives(draw):
    """Machines that do not overlap, as one bot has them, and the address around them."""
    moments = [START + timedelta(minutes=one) for one in draw(minutes)]
    pairs = list(pairwise(moments))[::2]
    machines = [Stretch(begin, end, REGION, MICRO) for begin, end in pairs]
    before, after = draw(st.integers(0, 500)), draw(st.integers(0, 500))
    first, last = moments[0] - before * HOUR, moments[-1] + after * HOUR
    return machines, [Stretch(max(first, START), last, REGION, "")], last


@given(lives(), st.integers(1, 60_000))
def test_a_cut_anywhere_loses_nothing(life, minute):
    machines, addresses, end = life
    cut = min(START + timedelta(minutes=minute), end)
    whole = told(machines, addresses, end)
    parts = told(machines, addresses, cut) + told(machines, addresses, end, start=cut)
    for kind in Kind:
        lengths = [sum(it.length for it in lines if it.kind is kind) for lines in (whole, parts)]
        assert lengths[0] == lengths[1]
    # Each line is rounded by itself: half a millionth for each at most.
    assert abs(total(whole) - total(parts)) <= (len(whole) + len(parts)) / 2


@given(lives())
def test_every_line_is_price_times_hours_and_the_address_is_used_once(life):
    machines, addresses, end = life
    lines = told(machines, addresses, end)
    for line in lines:
        exact = Decimal(line.rate).scaleb(-12) * Decimal(line.length) / Decimal(3_600_000_000)
        assert abs(Decimal(line.cost).scaleb(-6) - exact) <= Decimal("0.0000005")
    spent = {kind: sum(it.length for it in lines if it.kind is kind) for kind in Kind}
    assert spent[Kind.IN_USE] == spent[Kind.MACHINE] == spent[Kind.DISK]
    (address,) = addresses
    whole = statement_lines.length(address.start, address.end)
    assert spent[Kind.IN_USE] + spent[Kind.IDLE] == whole


def test_where_the_books_of_two_machines_overlap_the_address_is_paid_once():
    first = Stretch(START, START + 5 * HOUR, REGION, MICRO)
    second = Stretch(START + 3 * HOUR, START + 6 * HOUR, REGION, MICRO)
    lines = told([first, second], [Stretch(START, START + 8 * HOUR, REGION, "")], START + 8 * HOUR)
    spent = {kind: sum(it.length for it in lines if it.kind is kind) for kind in Kind}
    hour = statement_lines.length(START, START + HOUR)
    assert (spent[Kind.IN_USE], spent[Kind.IDLE]) == (6 * hour, 2 * hour)
    assert spent[Kind.MACHINE] == 8 * hour
