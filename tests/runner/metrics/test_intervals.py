"""Intervals: Wilson's by hand and by its equation, the bootstrap by what it may never say."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.metrics import by_luck, profit_factor, strict, tally, trade_figures, win_rate
from runner.metrics.intervals import MOST
from tests.runner.metrics.test_trades import WEEK
from tests.runner.metrics.trades import trade

RESULTS = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=60)


def test_seventeen_of_thirty_one_worked_by_hand():
    """z² / 31 = 0.123918; (17/31 + 0.061959) / 1.123918 = 0.543052; the reach is 0.165330."""
    low, high = win_rate(17, 31)
    assert low == pytest.approx(0.3777, abs=2e-4)
    assert high == pytest.approx(0.7084, abs=2e-4)


@pytest.mark.parametrize(
    ("wins", "count", "low", "high"),
    # Newcombe (1998), Statistics in Medicine 17, table I, method 3.
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_shares_are_those_of_the_printed_table(wins, count, low, high):
    assert win_rate(wins, count) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_the_bounds_solve_the_equation_of_the_score(pair):
    """At a bound the share lies exactly z standard errors away from it."""
    wins, count = pair
    low, high = win_rate(wins, count)
    assert 0 <= low <= wins / count <= high <= 1
    for bound in (low, high):
        if 0 < bound < 1:
            error = (bound * (1 - bound) / count) ** 0.5
            assert abs(wins / count - bound) / error == pytest.approx(1.959964, rel=1e-4)


def test_ten_times_the_trades_tell_more():
    narrow, wide = win_rate(170, 310), win_rate(17, 31)
    assert narrow[1] - narrow[0] < (wide[1] - wide[0]) / 2


@given(RESULTS)
def test_a_profit_factor_lies_within_what_was_drawn_and_repeats(results):
    found = profit_factor(results)
    lost, won = [it for it in results if it < 0], [it for it in results if it > 0]
    if len(results) < 5 or not lost or not won:
        assert found is None
        return
    low, high = found
    assert 0 <= low <= high <= inf
    assert found == profit_factor(results)


def test_a_profit_factor_of_two_results_worked_by_hand():
    """Of twenty draws of +2 or -1 with evens, 5 wins or fewer are rarer than 2.5 %, 6 are not."""
    low, high = profit_factor([2, -1] * 10)
    assert (low, high) == (pytest.approx(2 * 6 / 14), pytest.approx(2 * 14 / 6))


def test_of_very_many_the_newest_are_drawn_from():
    assert profit_factor([-9.0] * 50 + [2.0, -1.0] * (MOST // 2)) == profit_factor(
        [2.0, -1.0] * (MOST // 2)
    )


def test_the_scale_of_money_changes_nothing():
    results = [3.0, -1.5, 2.0, -4.0, 1.0, 6.0, -2.0]
    assert profit_factor(results) == profit_factor([16 * it for it in results])


def test_many_tries_find_luck():
    assert by_luck(1) == pytest.approx(0.05)
    assert by_luck(14) == pytest.approx(0.5123, abs=1e-4)
    assert by_luck(0) == 0
    assert by_luck(20, strict(20)) == pytest.approx(0.05)


def test_the_bounds_stand_among_the_figures():
    found = trade_figures(tally([trade(1)] * 17 + [trade(-1)] * 14), WEEK)
    assert found["wins_low"].value == pytest.approx(37.77, abs=0.02)
    assert found["wins_high"].value == pytest.approx(70.84, abs=0.02)
    nothing = trade_figures(tally([]), WEEK)
    assert (nothing["wins_low"].value, nothing["wins_low"].reason) == (
        None,
        "No trade was closed in this period.",
    )
