"""What holds for every component, whichever it is."""

import copy
import math
import random
from functools import cache
from importlib import import_module
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.strategy import TEMPLATES, explain, validate
from runner.strategy.registry import COMPONENTS, assemble
from runner.strategy.spec import GROUPS, ROLES
from tests.runner.strategy.markets import MARKETS, flat, joined, walk

KINDS = [spec.kind for spec in COMPONENTS.values() if "exit" not in spec.roles]
PACKAGE = "tests.runner.strategy.components"
DAY_LONG = 96  # candles of 15 minutes


def made(kind, **params):
    entry = {"kind": kind, "params": params}
    return assemble({"timeframe": "15m", "signals": [entry]})[0].component


def defaults(spec):
    return {p.name: p.default for p in spec.parameters}


def promised(kind, params=None):
    spec = COMPONENTS[kind]
    return max(spec.warmup(params or defaults(spec)), spec.days * DAY_LONG)


def drawn(draw, parameter):
    if parameter.kind == "choice":
        return draw.choice(parameter.choices)
    top = min(parameter.maximum, 60) if parameter.unit == "candles" else parameter.maximum
    if parameter.kind == "int":
        return draw.randint(int(parameter.minimum), int(top))
    return round(draw.uniform(parameter.minimum, top), 3)


def sound_parameters(kind, seed):
    """Parameters anywhere within their bounds that do not contradict each other."""
    spec, draw = COMPONENTS[kind], random.Random(seed)
    while True:
        params = {p.name: drawn(draw, p) for p in spec.parameters}
        if not list(spec.faults(params)):
            return params


def test_there_are_enough():
    assert len(KINDS) >= 48
    assert {COMPONENTS[kind].group for kind in KINDS} == set(GROUPS) - {"exit"}
    served = {role for kind in KINDS for role in COMPONENTS[kind].roles}
    assert served == set(ROLES.values())


@cache
def worked_by_hand():
    """The kinds that stand in the tables of cases beside this file."""
    here = Path(__file__).parent.glob("test_*.py")
    modules = [import_module(f"{PACKAGE}.{path.stem}") for path in sorted(here)]
    return {kind for module in modules for kind, *_ in getattr(module, "CASES", ())}


@pytest.mark.parametrize("kind", KINDS)
def test_it_was_worked_by_hand(kind):
    assert kind in worked_by_hand()


@pytest.mark.parametrize("kind", KINDS)
def test_it_introduces_itself(kind):
    spec = COMPONENTS[kind]
    assert spec.directional or "signal" not in spec.roles
    assert spec.summary.endswith(".")
    assert spec.summary.count(". ") == 0
    params = defaults(spec)
    assert not list(spec.faults(params))
    assert spec.sentence(params)[0].islower() or spec.sentence(params)[0].isupper()
    for parameter in spec.parameters:
        assert parameter.title
        assert parameter.help.endswith(".")
        if parameter.kind == "choice":
            assert parameter.default in parameter.choices
        else:
            assert parameter.minimum <= parameter.default <= parameter.maximum


@pytest.mark.parametrize("market", MARKETS)
@pytest.mark.parametrize("kind", KINDS)
def test_its_answers_are_of_its_kind_and_silent_only_at_first(kind, market):
    told = [made_one.update(bar) for made_one in [made(kind)] for bar in MARKETS[market]]
    values = [value for value in told if value is not None]
    assert set(values) <= ({-1, 0, 1} if COMPONENTS[kind].directional else {0, 1})
    assert all(type(value) is int for value in values)
    assert told[len(told) - len(values) :] == values
    # MARKETS are of one minute, days are long there.
    if not COMPONENTS[kind].days:
        assert len(told) - len(values) < max(2, promised(kind))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("kind", KINDS)
def test_it_is_sound_and_explained_in_its_roles_and_refused_in_others(kind, role):
    rules = copy.deepcopy(TEMPLATES[0].rules)
    rules[role] = [{"kind": kind}]
    faults = validate(rules)
    if ROLES[role] in COMPONENTS[kind].roles:
        assert faults == []
        assert COMPONENTS[kind].sentence(defaults(COMPONENTS[kind])) in explain(rules)
    else:
        assert [fault.path for fault in faults] == [f"{role}[0].kind"]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 10**6))
@pytest.mark.parametrize("kind", KINDS)
def test_any_sound_parameters_do(kind, seed):
    params = sound_parameters(kind, seed)
    bars = walk(400, seed, step=900.0)
    read, unread = made(kind, **params), made(kind, **params)
    for index, bar in enumerate(bars):
        value = read.update(bar)
        # Deterministic, and nobody's reading changes what comes after.
        assert unread.update(bar) == value
        if value is not None:
            assert read.detail() == read.detail()
            assert read.detail()
        elif not COMPONENTS[kind].days:
            assert index < promised(kind, params)
    assert COMPONENTS[kind].sentence(params)


@pytest.mark.parametrize("kind", KINDS)
def test_where_it_began_is_forgotten_as_promised(kind):
    need = promised(kind)
    bars = walk(1000 + need + 1500, 21, step=900.0)
    whole, late = made(kind), made(kind)
    differ = []
    for index, bar in enumerate(bars):
        value = whole.update(bar)
        other = late.update(bar) if index >= 1000 else None
        if index >= 1000 + need:
            assert other is not None
            differ.append(value != other)
    assert not any(differ), f"{sum(differ)} of {len(differ)} answers differ"


@pytest.mark.parametrize("kind", [k for k in KINDS if COMPONENTS[k].group == "funding"])
def test_unknown_funding_and_interest_pass_nothing(kind):
    component = made(kind)
    told = [
        component.update(bar._replace(funding=math.nan, open_interest=math.nan))
        for bar in walk(100, 3)
    ]
    assert set(told) <= {None, 0}
    assert "not known" in component.detail()


# A stop has a side as long as it is not hit, and so have the levels of a day and of swings.
LASTING = {"supertrend", "parabolic_sar", "pivot_points", "previous_day_break", "swing_trend"}


@pytest.mark.parametrize(
    "kind", [k for k in KINDS if COMPONENTS[k].directional and k not in LASTING]
)
def test_a_market_that_stands_still_gives_no_direction(kind):
    # Wherever it stood before: what is left of the walk in an average is rounding in the end.
    still = [bar._replace(funding=0.0) for bar in flat(1300, 60_000.1)]
    component = made(kind)
    told = [component.update(bar) for bar in joined(walk(300, 5, price=60_000.0), still)]
    assert set(told[-100:]) <= {0, None}
