"""Paper beside a backtest: matched by candle, taken apart by cause, and the parts add up."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import drift
from runner.protocol import Side
from tests.factories import NOW
from tests.readied import MINUTE, deal


def at(number):
    return NOW + number * MINUTE


def compare(paper, backtest, unfinished=()):
    return drift.compare(paper, backtest, MINUTE, unfinished)


def parts(found):
    return {name: value for name, value in vars(found.parts).items() if value}


def test_the_same_trades_have_no_drift():
    both = [deal(at(0)), deal(at(9), side=Side.SELL, entry=105, out=100)]
    found = compare(both, both)
    assert (len(found.pairs), found.missing, found.extra) == (2, [], [])
    assert found.difference == 0
    assert parts(found) == {}


@pytest.mark.parametrize(
    ("paper", "expected"),
    [
        # Backtest: one unit in at 100, out at 101, fees 0.1: 0.9 net.
        ({"entry": "100.2"}, {"entry": Decimal("-0.2")}),
        ({"out": "100.9"}, {"exit": Decimal("-0.1")}),
        ({"fees": "0.25"}, {"fees": Decimal("-0.15")}),
        ({"funding": "-0.3"}, {"funding": Decimal("-0.3")}),
        ({"quantity": 2, "fees": "0.2"}, {"size": Decimal("0.9")}),
        ({"out": "100.5", "closed_at": at(9)}, {"timing": Decimal("-0.5")}),
    ],
)
def test_each_cause_alone_worked_by_hand(paper, expected):
    found = compare([deal(at(0), **paper)], [deal(at(0))])
    assert parts(found) == expected
    assert found.difference == sum(expected.values())


def test_a_short_that_sells_lower_came_in_worse():
    short = {"side": Side.SELL, "entry": 100, "out": 99}
    found = compare([deal(at(0), **{**short, "entry": "99.9"})], [deal(at(0), **short)])
    assert parts(found) == {"entry": Decimal("-0.1")}
    (pair,) = found.pairs
    assert pair.entry_bps == 10
    assert pair.exit_bps == 0


def test_what_only_one_made_is_missing_or_extra():
    found = compare([deal(at(0)), deal(at(20), out=90)], [deal(at(0)), deal(at(30), out=110)])
    assert [it.decided_at for it in found.extra] == [at(20)]
    assert [it.decided_at for it in found.missing] == [at(30)]
    assert parts(found) == {"extra": Decimal("-10.1"), "missing": Decimal("-9.9")}
    assert found.difference == Decimal(-20)


def test_the_other_side_at_the_same_candle_is_another_trade():
    found = compare([deal(at(0))], [deal(at(0), side=Side.SELL)])
    assert (len(found.pairs), len(found.extra), len(found.missing)) == (0, 1, 1)


def test_what_is_still_open_on_one_side_is_left_out():
    symbol = deal(at(0)).symbol
    found = compare([deal(at(0)), deal(at(20))], [deal(at(0))], [(symbol, at(20))])
    assert (len(found.pairs), found.extra, found.missing, found.open) == (1, [], [], 1)
    found = compare([deal(at(0))], [deal(at(0)), deal(at(20))], [(symbol, at(20))])
    assert (found.missing, found.open, found.difference) == ([], 1, 0)


def test_an_exit_one_candle_later_is_the_same_and_two_are_not():
    late = deal(at(0), closed_at=at(5) + timedelta(seconds=5))
    assert compare([late], [deal(at(0))]).pairs[0].same_exit
    later = deal(at(0), closed_at=at(5) + timedelta(seconds=6))
    assert not compare([later], [deal(at(0))]).pairs[0].same_exit


PRICES = st.decimals("0.01", 100_000, places=2)
MONEY = st.decimals(-500, 500, places=4)
DEALS = st.builds(
    lambda number, side, quantity, entry, out, fees, funding, held: deal(
        at(number),
        side=side,
        quantity=quantity,
        entry=entry,
        out=out,
        fees=fees,
        funding=funding,
        closed_at=at(number + held),
    ),
    st.integers(0, 12),
    st.sampled_from(Side),
    st.decimals("0.001", 50, places=3),
    PRICES,
    PRICES,
    MONEY,
    MONEY,
    st.integers(1, 9),
)
TRADES = st.lists(DEALS, max_size=10, unique_by=lambda it: it.decided_at)


@given(TRADES, TRADES)
def test_the_parts_add_up_to_the_difference_exactly(paper, backtest):
    found = compare(paper, backtest)
    assert found.parts.total == found.difference
    assert len(found.pairs) + len(found.extra) == len(paper)
    assert len(found.pairs) + len(found.missing) == len(backtest)


@given(TRADES, TRADES)
def test_seen_from_the_other_side_it_is_the_opposite(paper, backtest):
    assert compare(paper, backtest).difference == -compare(backtest, paper).difference


@given(TRADES, TRADES)
def test_what_is_stored_says_the_same(paper, backtest):
    found = compare(paper, backtest)
    told = drift.plain(found, Decimal(1000))
    assert sum(map(Decimal, told["parts"].values())) == found.difference
    assert len(told["rows"]) == len(found.pairs) + len(found.extra) + len(found.missing)
