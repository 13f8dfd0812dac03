"""Rules are judged before a runner ever sees them."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.strategy import COMPONENTS, TEMPLATES, explain, validate, warmup


def rules_of(key="ema_trend"):
    return copy.deepcopy(next(t.rules for t in TEMPLATES if t.key == key))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.key)
def test_every_template_is_sound_protected_and_explained(template):
    assert validate(template.rules) == []
    assert any(e["kind"] == "stop_loss" and e["enabled"] for e in template.rules["exits"])
    text = explain(template.rules)
    assert "at a loss of" in text
    assert "\n" not in text
    assert 0 < warmup(template.rules) <= 1500


def test_a_fault_names_its_place_and_the_cure():
    rules = rules_of()
    rules["signals"][0]["params"]["fast"] = 0
    (fault,) = validate(rules)
    assert fault.path == "signals[0].params.fast"
    assert fault.message == "Fast average must be a whole number from 2 to 200 candles."


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (lambda r: r.update(timeframe="2m"), "timeframe"),
        (lambda r: r.update(direction="up"), "direction"),
        (lambda r: r.update(market_type="spot"), "direction"),
        (lambda r: r.update(surprise=1), "surprise"),
        (lambda r: r["combination"].update(threshold=1.5), "combination.threshold"),
        (lambda r: r["combination"].update(mode="some"), "combination.mode"),
        (lambda r: r["signals"].clear(), "signals"),
        (lambda r: r["exits"].clear(), "exits"),
        (lambda r: r["exits"].append(r["exits"][0]), "exits"),
        (lambda r: r["signals"][0].update(kind="stop_loss"), "signals[0].kind"),
        (lambda r: r["signals"][0].update(weight=0), "signals[0].weight"),
        (lambda r: r["signals"][0]["params"].update(fast=26), "signals[0].params.fast"),
        (lambda r: r["signals"][0]["params"].update(fast=12.5), "signals[0].params.fast"),
        (lambda r: r["signals"][0]["params"].update(fast=True), "signals[0].params.fast"),
        (lambda r: r["exits"][0]["params"].update(percent=float("nan")), "exits[0].params.percent"),
        (lambda r: r["sizing"].update(value="101"), "sizing.value"),
        (lambda r: r["sizing"].update(value="NaN"), "sizing.value"),
        (lambda r: r["sizing"].update(value=10), "sizing.value"),
        (lambda r: r.update(guards=[{"kind": "ema_cross"}]), "guards[0].kind"),
    ],
)
def test_each_kind_of_bad_input_is_named(change, path):
    rules = rules_of()
    change(rules)
    assert [fault.path for fault in validate(rules)] == [path]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from([*rules_of(), "kind", "params", "value", "mode"]), inner, max_size=5
            )
        ),
        max_leaves=12,
    )
)
@settings(max_examples=60, deadline=None)
def test_nonsense_is_refused_without_a_crash(nonsense):
    assert validate(nonsense)


def test_missing_parameters_take_their_defaults():
    rules = rules_of()
    rules["signals"][0]["params"] = {}
    assert validate(rules) == []
    assert "12-candle EMA" in explain(rules)


def test_several_signals_are_explained_with_their_weights():
    rules = rules_of()
    rules["signals"].append({"kind": "donchian_breakout", "weight": 0.5, "params": {}})
    assert "score of 1" in explain(rules)
    assert "(weight 0.5)" in explain(rules)
    rules["combination"] = {"mode": "min_signals", "threshold": 2}
    assert validate(rules) == []
    assert "at least 2 of these agree" in explain(rules)


def test_every_component_can_describe_its_parameters():
    for spec in COMPONENTS.values():
        for p in spec.parameters:
            assert p.kind in ("int", "float", "choice")
            assert p.default in p.choices or p.minimum <= p.default <= p.maximum
            assert p.help.endswith(".")
