"""The luck in the best of many, worked out by hand and by drawing."""

import random
from datetime import UTC, datetime, timedelta
from math import sqrt

import pytest

from runner.metrics import Period, Tried, moments, neighbours, search_figures
from runner.metrics.search import luckiest

START = datetime(2026, 7, 1, tzinfo=UTC)
PERIOD = Period(START, START + timedelta(days=10))


def tried(place, score, results=()):
    return Tried(place, score, score, moments(results))


def test_moments_by_hand():
    """1, 2, 3, 6: mean 3, squares 4 + 1 + 0 + 9, cubes -8 - 1 + 0 + 27, fourths 16 + 1 + 81."""
    found = moments([1, 2, 3, 6])
    assert (found.count, found.mean) == (4, 3)
    assert found.deviation == pytest.approx(sqrt(14 / 3))
    assert found.skew == pytest.approx((18 / 4) / (14 / 4) ** 1.5)
    assert found.kurtosis == pytest.approx((98 / 4) / (14 / 4) ** 2)
    assert found.ratio == pytest.approx(3 / sqrt(14 / 3))


@pytest.mark.parametrize("results", [(), (5,), (2, 2, 2)])
def test_without_a_spread_there_is_no_ratio(results):
    assert moments(results).ratio is None


def test_the_luckiest_of_many_is_what_drawing_finds():
    dice = random.Random(3)
    drawn = [max(dice.gauss(0, 1) for _ in range(50)) for _ in range(4000)]
    assert luckiest(50) == pytest.approx(sum(drawn) / len(drawn), abs=0.05)
    assert (luckiest(1), luckiest(0)) == (0, 0)


def test_neighbours_are_one_step_away_on_each_axis_and_have_a_figure():
    grid = [tried((x, y), 10 * x + y) for x in range(4) for y in range(4)]
    grid[1] = tried((0, 1), None)
    assert sorted(neighbours(grid[0], grid)) == [10, 11]
    assert len(neighbours(grid[5], grid)) == 7


def test_a_lone_peak_has_neighbours_far_below():
    grid = [tried((x,), {2: 100}.get(x, 10), (1, 2)) for x in range(5)]
    figures = search_figures(grid[2], grid, PERIOD)
    assert figures["stability"].value == pytest.approx(10)
    assert figures["stability"].sample == 2
    assert figures["tried"].value == 5
    assert figures["winning"].value == 100


def test_deflated_by_hand():
    """Two combinations with ratios 1 and 0: their spread is 1/√2, times the luckiest of two."""
    best, other = (0, 2, 1), (-1, 1)
    grid = [tried((0,), 3, best), tried((1,), 0, other)]
    assert (moments(best).ratio, moments(other).ratio) == (1, 0)
    figures = search_figures(grid[0], grid, PERIOD)
    chance = luckiest(2) / sqrt(2)
    assert figures["chance_ratio"].value == pytest.approx(chance)
    assert figures["deflated"].value == pytest.approx(1 - chance)
    assert 50 < figures["deflated_sharpe"].value < 100


def test_no_luck_is_taken_off_a_loss():
    """The best of two losers loses 1 a trade: a larger loss is nothing that anybody had."""
    grid = [tried((0,), -2, (-2, 0)), tried((1,), -4, (-3, -1))]
    figures = search_figures(grid[0], grid, PERIOD)
    assert figures["deflated"].value is None
    assert "no gain" in figures["deflated"].reason
    assert figures["deflated_sharpe"].value < 50


def test_what_cannot_be_measured_says_why():
    grid = [tried((0,), -5, (1,)), tried((1,), None)]
    figures = search_figures(grid[0], grid, PERIOD)
    for key in ("stability", "chance_ratio", "deflated", "deflated_sharpe"):
        assert figures[key].value is None
        assert figures[key].reason


def test_of_worthless_strategies_the_best_is_seldom_called_better_than_luck():
    called = 0
    for seed in range(60):
        dice = random.Random(seed)
        grid = [tried((n,), 0, [dice.gauss(0, 1) for _ in range(60)]) for n in range(40)]
        best = max(grid, key=lambda it: it.moments.ratio)
        called += search_figures(best, grid, PERIOD)["deflated_sharpe"].value > 95
    assert called <= 6
