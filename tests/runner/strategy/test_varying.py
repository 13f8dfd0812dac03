"""Rules with other numbers: paths, copies, what is switched off."""

import pytest

from runner.strategy import dials, varied
from tests.runner.backtest.hand_history import rules
from tests.runner.code.sources import CROSSING, rules_of


def test_every_parameter_of_what_is_switched_on_has_a_path_and_its_value():
    signals = [
        {"kind": "ema_cross", "params": {"fast": 3, "slow": 6}},
        {"kind": "ema_cross", "params": {"fast": 5, "slow": 9}, "enabled": False},
        {"kind": "ema_cross", "params": {"fast": 7}},
    ]
    found = {dial.path: dial.value for dial in dials(rules(signals)) if dial.role == "signal"}
    assert found == {
        "signals[0].params.fast": 3,
        "signals[0].params.slow": 6,
        "signals[2].params.fast": 7,
        "signals[2].params.slow": dials(rules(signals))[3].parameter.default,
    }


def test_a_copy_is_changed_and_the_rules_are_not():
    before = rules()
    after = varied(before, {"signals[0].params.fast": 4})
    assert after["signals"][0]["params"] == {"fast": 4, "slow": 6}
    assert before["signals"][0]["params"] == {"fast": 3, "slow": 6}


@pytest.mark.parametrize(
    "path", ["signals[1].params.fast", "sizing.value", "x", "nope[0].params.a"]
)
def test_a_path_of_other_rules_is_refused(path):
    with pytest.raises(KeyError):
        varied(rules(), {path: 1})


def test_what_a_source_declares_is_not_varied():
    """Rules of a code strategy that differ from its source are none, so nothing could be run."""
    assert dials(rules_of(CROSSING)) == []
