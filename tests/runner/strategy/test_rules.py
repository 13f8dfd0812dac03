"""Rules are judged before a runner ever sees them."""

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.strategy import COMPONENTS, TEMPLATES, explain, is_protected, validate, warmup
from runner.strategy.registry import assemble
from runner.strategy.spec import GROUPS, MOST_HISTORY


def rules_of(key="ema_trend"):
    return copy.deepcopy(next(t.rules for t in TEMPLATES if t.key == key))


SLOW = {"timeframe": "1d", "params": {"fast": 100, "slow": 200}}
BY_ATR = {"kind": "atr_risk", "value": "1", "period": 14, "multiple": 2}


def ladder(**params):
    return {"kind": "take_profit_ladder", "params": params}


ENDLESS = {"kind": "fixed_notional", "value": "1e999999"}
FLAT_LADDER = ladder(distance_2=4, distance_3=4)
FULL_LADDER = ladder(share_2=40)
NO_LADDER = ladder(share_1=0, share_2=0, share_3=0)
EARLY = {"kind": "break_even", "params": {"activation": 0.5, "offset": 0.5}}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda t: t.key)
def test_every_template_is_sound_protected_and_explained(template):
    assert validate(template.rules) == []
    assert is_protected(template.rules)
    text = explain(template.rules)
    assert "at a loss of" in text
    assert "\n" not in text
    assert 0 < warmup(template.rules) <= MOST_HISTORY


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
        (lambda r: r.update(sizing=ENDLESS), "sizing.value"),
        (lambda r: r["sizing"].update(value=10), "sizing.value"),
        (lambda r: r.update(guards=[{"kind": "stop_loss"}]), "guards[0].kind"),
        (lambda r: r["signals"][0].update(timeframe="2m"), "signals[0].timeframe"),
        (lambda r: r["signals"][0].update(timeframe="5m"), "signals[0].timeframe"),
        (lambda r: r["exits"][1].update(timeframe="1m"), "exits[1].timeframe"),
        (lambda r: r["filters"][0].update(surprise=1), "filters[0].surprise"),
        (lambda r: r["signals"][0].update(SLOW), "signals[0].timeframe"),
        (lambda r: r["combination"].update(mode="all"), "combination.threshold"),
        (lambda r: r["combination"].update(mode="weighted", threshold=2), "combination.threshold"),
        (lambda r: r["combination"].update(threshold=None), "combination.threshold"),
        (lambda r: r["combination"].update(surprise=1), "combination.surprise"),
        (lambda r: r["sizing"].update(kind="all"), "sizing.kind"),
        (lambda r: r["sizing"].update(period=14), "sizing.period"),
        (lambda r: r.update(sizing={**BY_ATR, "period": 1}), "sizing.period"),
        (lambda r: r.update(sizing={**BY_ATR, "multiple": "2"}), "sizing.multiple"),
        (lambda r: r.update(sizing={**BY_ATR, "value": "200"}), "sizing.value"),
        (lambda r: r["exits"].append(FLAT_LADDER), "exits[2].params.distance_3"),
        (lambda r: r["exits"].append(FULL_LADDER), "exits[2].params.share_1"),
        (lambda r: r["exits"].append(NO_LADDER), "exits[2].params.share_1"),
        (lambda r: r["exits"].append(EARLY), "exits[2].params.offset"),
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
    rules["combination"] = {"mode": "weighted", "threshold": 0.5}
    assert "add up to a score of 0.75 of 1.5: the 12-candle EMA" in explain(rules)


@pytest.mark.parametrize(
    ("combination", "words"),
    [
        ({"mode": "min_signals", "threshold": 2}, "at least 2 of these agree: the"),
        ({"mode": "all"}, "all of these agree: the"),
        ({"mode": "any"}, "any of these speaks and fewer speak against it: the"),
        ({"mode": "majority"}, "most of these agree (2 of 3): the"),
    ],
)
def test_counting_is_explained(combination, words):
    rules = rules_of()
    rules["signals"] += [{"kind": "donchian_breakout"}, {"kind": "rsi_reversion"}]
    rules["combination"] = combination
    assert validate(rules) == []
    assert f"it enters when {words}" in explain(rules)


def test_a_component_s_own_candles_and_the_risk_are_explained():
    rules = rules_of()
    rules["signals"][0]["timeframe"] = "1h"
    rules["sizing"] = BY_ATR
    assert validate(rules) == []
    assert "when on 1h candles the 12-candle EMA crosses" in explain(rules)
    assert "2 times the 14-candle ATR against it costs 1 % of the account's equity" in explain(
        rules
    )


def test_the_warm_up_counts_candles_of_the_strategy():
    rules = {
        **rules_of(),
        "filters": [],
    }  # 15m; the slow average has 26 candles, and (25/27)^69 is under 0.5 %
    assert warmup(rules) == 26 + 69 + 1
    rules["signals"][0]["timeframe"] = "1h"
    assert warmup(rules) == 4 * (26 + 69 + 1) + 3
    rules["signals"][0]["enabled"] = False
    rules["exits"].append({"kind": "chandelier", "params": {"period": 20}, "timeframe": "4h"})
    assert warmup(rules) == 16 * (6 * 20 + 2) + 15
    rules["exits"][-1]["enabled"] = False
    rules["sizing"] = {**BY_ATR, "period": 100}
    assert warmup(rules) == 602


def test_the_warm_up_counts_the_days_a_component_has_to_see():
    rules = rules_of()
    rules["signals"] = [{"kind": "previous_day_break"}]
    assert warmup(rules) == 2 * 96 + 1
    rules["signals"][0]["timeframe"] = "1h"
    assert warmup(rules) == 4 * (2 * 24 + 1) + 3
    rules["timeframe"] = rules["signals"][0]["timeframe"] = "1s"
    assert [fault.path for fault in validate(rules)] == ["signals[0].timeframe"]


@pytest.mark.parametrize(
    ("exit_", "protected"),
    [
        ({"kind": "stop_loss"}, True),
        ({"kind": "stop_loss", "enabled": False}, False),
        ({"kind": "atr_stop"}, True),
        ({"kind": "chandelier"}, True),
        ({"kind": "trailing_stop", "params": {"activation": 0}}, True),
        ({"kind": "trailing_stop"}, False),
        ({"kind": "break_even"}, False),
        ({"kind": "take_profit"}, False),
    ],
)
def test_only_a_stop_that_stands_from_the_entry_on_protects(exit_, protected):
    assert is_protected({**rules_of(), "exits": [exit_]}) is protected


def test_every_component_can_describe_its_parameters():
    for spec in COMPONENTS.values():
        for p in spec.parameters:
            assert p.kind in ("int", "float", "choice")
            assert p.default in p.choices or p.minimum <= p.default <= p.maximum
            assert p.help.endswith(".")


def test_every_component_says_what_it_is():
    for spec in COMPONENTS.values():
        defaults = {p.name: p.default for p in spec.parameters}
        assert spec.group in GROUPS
        assert set(spec.roles) <= {"signal", "filter", "guard", "gate"} or spec.roles == ("exit",)
        assert spec.directional or "signal" not in spec.roles
        assert spec.sentence(defaults)
        assert spec.sentence(defaults)[0].islower() or spec.sentence(defaults)[0].isdigit()
        assert not spec.sentence(defaults).endswith(".")
        assert 1 <= spec.warmup(defaults) <= 1500
        assert not list(spec.faults(defaults))
        assert spec.summary.endswith(".")


def test_every_kind_is_known_by_one_name():
    live = assemble({"timeframe": "1m", "signals": [{"kind": kind} for kind in _reading()]})
    assert [placed.kind for placed in live] == _reading()


def _reading():
    return [kind for kind, spec in COMPONENTS.items() if spec.roles != ("exit",)]
