import pytest

from runner.metrics import interval, p_value
from runner.metrics.student import quantile

TABLE = [(1, 12.7062), (2, 4.30265), (4, 2.77645), (9, 2.26216), (30, 2.04227), (1000, 1.96234)]


@pytest.mark.parametrize(("freedom", "t"), TABLE)
def test_quantiles_are_those_of_the_printed_table(freedom, t):
    assert quantile(freedom) == pytest.approx(t, rel=1e-5)
    assert p_value(t, freedom) == pytest.approx(0.05, rel=1e-4)


def test_one_degree_is_the_cauchy_distribution():
    assert p_value(1, 1) == pytest.approx(0.5)
    assert p_value(0, 7) == 1
    assert p_value(float("inf"), 7) == 0


def test_an_interval_lies_around_the_mean():
    low, high = interval(10, 5, 2)
    assert (low + high) / 2 == pytest.approx(5)
    assert high - low == pytest.approx(2 * 2.26216 * 2 / 10**0.5, rel=1e-5)
