"""What counts as raising a limit, and how much a bot may hold under its limits."""

from dataclasses import fields, replace
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import limits as rules
from runner.protocol import Limits
from runner.risk import Exposure, refuse

AMOUNTS = st.none() | st.decimals("1", "1000000", places=2)
COUNTS = st.none() | st.integers(1, 9)
LIMITS = st.builds(
    Limits,
    max_position_notional=AMOUNTS,
    max_order_notional=AMOUNTS,
    max_open_positions=COUNTS,
    max_orders_per_minute=COUNTS,
    max_daily_loss=AMOUNTS,
)


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)])
def test_larger_or_gone_is_a_raise_and_smaller_or_new_is_none(name):
    low, high = (Limits(**{name: value}) for value in (2, 3))
    assert rules.raised(low, high) == [name]
    assert rules.raised(low, Limits()) == [name]
    assert rules.raised(high, low) == []
    assert rules.raised(Limits(), high) == []
    assert rules.raised(low, low) == []


@given(LIMITS, LIMITS)
@settings(max_examples=60, deadline=None)
def test_the_lower_of_two_never_raises_and_lacks_only_the_raises(before, after):
    lower = rules.lower_of(before, after)
    assert rules.raised(before, lower) == []
    assert set(rules.raised(lower, after)) == set(rules.raised(before, after))


@given(LIMITS, st.integers(1, 4), st.lists(st.decimals("1", "2000000", places=2), max_size=6))
@settings(max_examples=80, deadline=None)
def test_what_the_runner_lets_in_never_passes_the_largest_holding(limits, symbols, wishes):
    """The runner's own rule, one entry for each symbol it does not hold."""
    free = replace(limits, max_daily_loss=None, max_orders_per_minute=None)
    held = []
    for wish in wishes:
        exposure = Exposure(Decimal(1), Decimal(1), len(held), 0)
        if len(held) < symbols and refuse(wish, free, exposure) is None:
            held.append(wish)
    largest = rules.largest_holding(limits, symbols)
    assert largest is None or sum(held) <= largest


def test_the_largest_holding_is_reached_to_the_cent():
    limits = Limits(max_position_notional=Decimal(500), max_open_positions=2)
    assert rules.largest_holding(limits, 3) == 1000
    assert rules.largest_holding(limits, 1) == 500
    assert rules.largest_holding(replace(limits, max_order_notional=Decimal(300)), 3) == 600
    assert rules.largest_holding(Limits(max_open_positions=2), 3) is None
