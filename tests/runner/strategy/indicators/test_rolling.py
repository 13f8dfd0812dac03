"""Windows against sums and extremes made anew, also after a very long time."""

import random
from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.strategy.indicators.averages import Line
from runner.strategy.indicators.rolling import (
    Delay,
    Highest,
    Lowest,
    MeanDeviation,
    Rank,
    RollingSum,
    Spread,
)

NUMBERS = st.lists(
    st.floats(-1e6, 1e6, allow_nan=False) | st.sampled_from([0.0, 1.0, 2.0]), max_size=60
)
PERIODS = st.integers(1, 12)


def windows(numbers, period):
    return [numbers[i - period + 1 : i + 1] for i in range(period - 1, len(numbers))]


def answers(indicator, numbers, period):
    told = [indicator.update(x) for x in numbers]
    assert told[: period - 1] == [None] * min(len(numbers), period - 1)
    return told[period - 1 :]


@given(NUMBERS, PERIODS)
def test_extremes_are_those_of_the_window(numbers, period):
    own = windows(numbers, period)
    assert answers(Highest(period), numbers, period) == [max(w) for w in own]
    assert answers(Lowest(period), numbers, period) == [min(w) for w in own]


@given(NUMBERS, PERIODS)
def test_age_is_that_of_the_latest_extreme(numbers, period):
    high, low = Highest(period), Lowest(period)
    for end, x in enumerate(numbers, 1):
        high.update(x)
        low.update(x)
        latest_first = numbers[max(0, end - period) : end][::-1]
        assert high.age == latest_first.index(max(latest_first))
        assert low.age == latest_first.index(min(latest_first))


@given(NUMBERS, PERIODS)
def test_rank_counts_what_lies_below(numbers, period):
    expected = [100.0 * sum(y < w[-1] for y in w) / period for w in windows(numbers, period)]
    assert answers(Rank(period), numbers, period) == expected


@given(NUMBERS, PERIODS)
def test_delay_gives_back_what_was(numbers, period):
    delay = Delay(period)
    told = [delay.update(x) for x in numbers]
    assert told == [None] * min(period, len(numbers)) + numbers[: max(0, len(numbers) - period)]


def naive_spread(window):
    mean = fsum(window) / len(window)
    return (fsum((x - mean) ** 2 for x in window) / len(window)) ** 0.5


def naive_mean_deviation(window):
    mean = fsum(window) / len(window)
    return fsum(abs(x - mean) for x in window) / len(window)


def naive_slope(window):
    n = len(window)
    middle, mean = (n - 1) / 2, fsum(window) / n
    above = fsum((i - middle) * (x - mean) for i, x in enumerate(window))
    return above / fsum((i - middle) ** 2 for i in range(n))


@pytest.mark.parametrize(
    ("build", "naive", "scale"),
    [
        (RollingSum, fsum, 0.0),
        (Spread, naive_spread, 0.0),
        (MeanDeviation, naive_mean_deviation, 0.0),
        (Line, naive_slope, 1e-9),  # a slope may be nothing at all
    ],
)
def test_nothing_has_drifted_after_100_000_steps(build, naive, scale):
    draw = random.Random(3)
    period, price, prices = 37, 50_000.0, []
    own = build(period)
    for step in range(100_000):
        price = max(1.0, price * (1 + draw.gauss(0, 0.001)) + (step % 9973 == 0) * 10_000)
        prices.append(price)
        told = own.update(price)
        if step > 99_900:
            assert told == pytest.approx(naive(prices[-period:]), rel=1e-9, abs=scale)


def test_a_still_market_after_a_jump_has_no_spread():
    own = Spread(5)
    for x in (1.0, 90_000.3, 3.0, *[60_000.1] * 5):
        deviation = own.update(x)
    assert deviation == 0.0
    for _ in range(20):
        assert own.update(60_000.1) == 0.0
