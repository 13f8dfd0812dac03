"""Differences between rules are told, all of them, in the words of the form."""

from copy import deepcopy

import pytest

from app.domain.strategy_changes import differences
from runner.strategy import COMPONENTS, TEMPLATES

BY_KEY = {template.key: template.rules for template in TEMPLATES}


def told(before, after):
    return [
        (one.role, one.component, one.setting, one.before, one.after)
        for one in differences(before, after)
    ]


@pytest.fixture
def rules():
    return deepcopy(BY_KEY["ema_trend"])


def test_a_parameter_has_its_title_and_unit(rules):
    after = deepcopy(rules)
    after["signals"][0]["params"]["fast"] = 9
    title = COMPONENTS["ema_cross"].title
    ((role, component, _, before, now),) = told(rules, after)
    assert (role, component, before, now) == ("Signal", title, "12 candles", "9 candles")


def test_what_is_added_tells_all_its_settings(rules):
    after = deepcopy(rules)
    after["signals"].append({"kind": "macd_cross", "enabled": False, "params": {}, "weight": 2.5})
    found = told(rules, after)
    title = COMPONENTS["macd_cross"].title
    assert {one[1] for one in found} == {title}
    assert ("Signal", title, "", "", "there") in found
    assert ("Signal", title, "Switched", "", "off") in found
    assert ("Signal", title, "Weight", "", "2.5") in found
    assert told(after, rules) == [("Signal", title, "", "there", "")]


def test_the_head_is_told_in_words(rules):
    after = deepcopy(rules)
    after["combination"] = {"mode": "all"}
    after["direction"] = "long"
    after["sizing"] = {"kind": "atr_risk", "value": "1", "period": 14, "multiple": 2.0}
    assert {one[2:] for one in told(rules, after)} == {
        ("Direction", "Long and short", "Long only"),
        ("Signals count by", "Sum of weights", "All signals"),
        ("Enter from", "1", ""),
        ("Position size", "Percent of equity", "Percent of equity at risk"),
        ("Size", "10", "1"),
        ("ATR length", "", "14"),
        ("Distance at risk", "", "2"),
    }


def test_a_new_order_is_a_difference(rules):
    after = deepcopy(rules)
    after["exits"].reverse()
    ((role, _, setting, before, now),) = told(rules, after)
    assert (role, setting) == ("Exit", "Order")
    assert before.split(", ") == now.split(", ")[::-1]


def test_a_default_written_down_is_none(rules):
    after = deepcopy(rules)
    del after["exits"][0]["enabled"]
    del after["signals"][0]["weight"]
    assert told(rules, after) == []


def test_two_of_a_kind_are_told_apart(rules):
    rules["signals"].append(deepcopy(rules["signals"][0]))
    after = deepcopy(rules)
    after["signals"][1]["timeframe"] = "4h"
    title = COMPONENTS["ema_cross"].title + " (2)"
    assert told(rules, after) == [("Signal", title, "Candles", "as the strategy", "4h")]


def leaves(found, path=()):
    items = found.items() if isinstance(found, dict) else enumerate(found)
    for key, value in items:
        if isinstance(value, dict | list):
            yield from leaves(value, (*path, key))
        elif key != "kind":
            yield (*path, key), value


def other(value):
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, int | float) else f"{value}1"


@pytest.mark.parametrize("key", BY_KEY)
def test_no_change_of_any_value_goes_untold(key):
    for path, value in leaves(BY_KEY[key]):
        after = deepcopy(BY_KEY[key])
        place = after
        for step in path[:-1]:
            place = place[step]
        place[path[-1]] = other(value)
        assert len(told(BY_KEY[key], after)) == 1, path
    assert told(BY_KEY[key], BY_KEY[key]) == []
