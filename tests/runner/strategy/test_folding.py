"""Higher candles are what folding by hand makes of the base candles."""

from itertools import groupby

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.strategy.folding import Fold
from runner.strategy.spec import Bar

MIDNIGHT = 1_763_856_000.0  # 2025-11-23 00:00 UTC


def base(minute, opening=10.0, high=11.0, low=9.0, close=10.5, volume=1.0):
    return Bar(opening, high, low, close, volume, MIDNIGHT + 60.0 * minute)


def by_hand(bars, seconds):
    """All periods but one that began before the history, and the one that still runs."""
    periods = [(s, list(g)) for s, g in groupby(bars, key=lambda b: b.at // seconds)]
    found = []
    for place, (number, members) in enumerate(periods):
        start = number * seconds
        begins = members[0].at == start or place > 0
        ended = members[-1].at == start + seconds - 60 or place < len(periods) - 1
        if begins and ended:
            found.append(
                Bar(
                    members[0].open,
                    max(b.high for b in members),
                    min(b.low for b in members),
                    members[-1].close,
                    sum(b.volume for b in members),
                    start,
                )
            )
    return found


@given(
    st.integers(0, 200),
    st.lists(st.booleans(), min_size=1, max_size=120),
    st.randoms(use_true_random=False),
    st.sampled_from((300, 900, 3600)),
)
@settings(max_examples=120, deadline=None)
def test_folding_equals_grouping_by_the_grid(first, kept, random, seconds):
    prices = [[random.uniform(1, 100) for _ in range(4)] for _ in kept]
    bars = [
        base(first + n, p[0], max(p), min(p), p[1], p[2])
        for n, (keep, p) in enumerate(zip(kept, prices, strict=True))
        if keep
    ]
    fold = Fold(seconds, 60)
    found = [closed[:6] for bar in bars for closed in fold.add(bar)]
    assert found == [tuple(b)[:6] for b in by_hand(bars, seconds)]


def test_a_higher_candle_comes_with_the_base_candle_that_ends_it():
    fold = Fold(300, 60)
    assert [len(fold.add(base(n))) for n in range(11)] == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0]


def test_a_higher_candle_that_began_unseen_is_left_out():
    fold = Fold(300, 60)
    assert [len(fold.add(base(n))) for n in range(3, 10)] == [0, 0, 0, 0, 0, 0, 1]


def test_funding_and_open_interest_are_the_last_known():
    fold = Fold(120, 60)
    fold.add(base(0)._replace(funding=0.1, open_interest=5.0))
    (closed,) = fold.add(base(1)._replace(funding=0.2, open_interest=6.0))
    assert (closed.funding, closed.open_interest) == (0.2, 6.0)


@pytest.mark.parametrize(("seconds", "opens"), [(14_400, 4 * 60), (86_400, 24 * 60)])
def test_long_candles_open_on_the_grid_of_utc(seconds, opens):
    fold = Fold(seconds, 60)
    closed = [bar for n in range(2 * opens) for bar in fold.add(base(n))]
    assert [bar.at for bar in closed] == [MIDNIGHT, MIDNIGHT + seconds]
