"""What counts as raising a limit, and how much a bot may hold under its limits."""

from dataclasses import fields, replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain import limits as rules
from runner.desk import Intent
from runner.exchange.base import OrderKind
from runner.protocol import Limits, OnBreach, Side
from runner.risk import Exposure, Stake, judge

AMOUNTS = st.none() | st.decimals("1", "1000000", places=2)
COUNTS = st.none() | st.integers(1, 9)
LIMITS = st.builds(
    Limits,
    max_position_notional=AMOUNTS,
    max_order_notional=AMOUNTS,
    max_open_positions=COUNTS,
    max_orders_per_minute=COUNTS,
    max_daily_loss=AMOUNTS,
    cooldown_seconds=COUNTS,
    balance_reserve=AMOUNTS,
    allowed_symbols=st.none() | st.lists(st.sampled_from("01")).map(tuple),
    on_breach=st.sampled_from(OnBreach),
)


def entry(symbol, quantity):
    return Intent(
        "decision", "entry", symbol, Side.BUY, OrderKind.MARKET, Decimal(quantity), "entry", "why"
    )


SMALL = st.none() | st.decimals("1", "30", places=0)
FEW = st.none() | st.integers(1, 3)
TWO_LIMITS = st.builds(
    Limits,
    max_position_notional=SMALL,
    max_order_notional=SMALL,
    max_open_positions=FEW,
    max_orders_per_minute=FEW,
    max_daily_loss=SMALL,
    max_leverage=FEW.map(lambda it: it and Decimal(it)),
    max_drawdown=SMALL,
    price_collar_percent=SMALL,
    max_error_streak=FEW,
    cooldown_seconds=FEW,
    allowed_symbols=st.none() | st.lists(st.sampled_from("01")).map(tuple),
    balance_reserve=SMALL,
)
NUMBER = st.decimals("0", "30", places=0)
STAKES = st.builds(Stake, NUMBER, NUMBER, NUMBER, st.just(Decimal(1)), NUMBER)
EXPOSURES = st.builds(
    Exposure,
    equity=NUMBER,
    day_result=NUMBER.map(lambda number: 15 - number),
    drawdown=NUMBER,
    stakes=st.fixed_dictionaries({"0": STAKES, "1": STAKES}),
    orders_last_minute=st.integers(0, 3),
    refused_in_a_row=st.integers(0, 3),
    lost_ago=st.none() | st.timedeltas(timedelta(0), timedelta(seconds=4)),
)
INTENTS = st.builds(entry, st.sampled_from("01"), st.integers(1, 20))


@pytest.mark.parametrize("name", [field.name for field in fields(Limits)][:-1])
def test_larger_or_gone_is_a_raise_and_smaller_or_new_is_none(name):
    """What is larger: a number, a longer list; of a reserve and a pause it is the smaller one."""
    values: tuple = ((), ("A",)) if name == "allowed_symbols" else (2, 3)
    if name in ("balance_reserve", "cooldown_seconds"):
        values = (3, 2)
    low, high = (Limits(**{name: value}) for value in values)
    assert rules.raised(low, high) == [name]
    assert rules.raised(low, Limits()) == [name]
    assert rules.raised(high, low) == []
    assert rules.raised(Limits(), high) == []
    assert rules.raised(low, low) == []


def test_another_list_of_symbols_is_a_raise():
    one, other = (Limits(allowed_symbols=(name,)) for name in "AB")
    assert rules.raised(one, other) == ["allowed_symbols"]


@pytest.mark.parametrize(
    ("before", "after", "up"),
    [("stop", "flatten", 1), ("flatten", "pause", 1), ("pause", "stop", 0), ("pause", "pause", 0)],
)
def test_a_milder_answer_to_a_breach_is_a_raise(before, after, up):
    one, other = (Limits(on_breach=OnBreach(it)) for it in (before, after))
    assert rules.raised(one, other) == ["on_breach"] * up


def test_every_limit_has_a_title_and_a_direction():
    names = {field.name for field in fields(Limits)}
    assert set(rules.FIELDS) == set(rules.TITLES) == names


@given(TWO_LIMITS, TWO_LIMITS, EXPOSURES, INTENTS)
@settings(max_examples=300, deadline=None)
def test_what_one_refuses_and_another_accepts_was_raised(before, after, exposure, intent):
    """The runner's own judgement: a direction that is told wrongly would let entries in unasked."""
    if judge(intent, before, exposure) is not None and judge(intent, after, exposure) is None:
        assert rules.raised(before, after)


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
    free = Limits(
        max_position_notional=limits.max_position_notional,
        max_order_notional=limits.max_order_notional,
        max_open_positions=limits.max_open_positions,
    )
    held = []
    for wish in wishes:
        marks = [*held, wish][:symbols]
        stakes = {str(n): Stake(Decimal(n < len(held)), mark=it) for n, it in enumerate(marks)}
        exposure = Exposure(Decimal(1), Decimal(0), Decimal(0), stakes)
        if len(held) < symbols and judge(entry(str(len(held)), 1), free, exposure) is None:
            held.append(wish)
    largest = rules.largest_holding(limits, symbols)
    assert largest is None or sum(held) <= largest


def test_the_largest_holding_is_reached_to_the_cent():
    limits = Limits(max_position_notional=Decimal(500), max_open_positions=2)
    assert rules.largest_holding(limits, 3) == 1000
    assert rules.largest_holding(limits, 1) == 500
    assert rules.largest_holding(replace(limits, max_order_notional=Decimal(300)), 3) == 600
    assert rules.largest_holding(Limits(max_open_positions=2), 3) is None
