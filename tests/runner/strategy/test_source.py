"""Reading a source without running it: what it declares, and each fault with its line."""

import sys

import pytest

from runner.strategy import (
    COMPONENTS,
    explain,
    is_protected,
    source,
    source_names,
    validate,
    warmup,
)
from runner.strategy.source_template import TEMPLATE
from tests.runner.code.sources import CROSSING, hook, rules_of


def faults(text):
    return [(fault.line, fault.message) for fault in source.read(text).faults]


def test_a_sound_source_declares_rules_that_can_be_traded():
    for text in (CROSSING, TEMPLATE):
        rules = rules_of(text)
        assert validate(rules) == []
        assert is_protected(rules)
        assert "class Crossing decides when" in explain(rules)
    assert warmup(rules_of(CROSSING)) == 30
    assert rules_of(CROSSING)["code"]["params"] == {"fast": 3, "slow": 6}


def test_rules_that_are_not_what_the_source_declares_are_refused():
    for change in ({"timeframe": "1h"}, {"exits": []}, {"signals": [{"kind": "ema_cross"}]}):
        assert [fault.path for fault in validate({**rules_of(CROSSING), **change})] == ["code"]
    twisted = rules_of(CROSSING)
    twisted["code"] = {**twisted["code"], "class": "Other"}
    assert [fault.path for fault in validate(twisted)] == ["code"]
    for nonsense in (None, 5, {}, {"source": 5}):
        assert validate({**rules_of(CROSSING), "code": nonsense})


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ('timeframe = "1m"', 'timeframe = "7m"', 7, "Choose one of 1s"),
        ('"percent": 2', '"percent": 2000', 9, "Loss must be a number"),
        ('"kind": "stop_loss"', '"kind": "stop_lost"', 9, "There is no exit of this kind"),
        ('"value": "1000"', '"value": "much"', 8, "positive decimal number"),
        ("warmup = 30", "warmup = 10**9", 10, "write the value itself"),
        ("warmup = 30", "warmup = 100000", 10, "from 2 to 5000"),
        ("(3, 2, 50)", "(1, 2, 50)", 11, "'fast' must be a name with"),
        ("from plutarc import Ema", "from plutarc import os", 3, "plutarc offers no os here"),
        ("from plutarc", "import os\nfrom plutarc", 3, "os cannot be imported"),
        ("from plutarc", "from . import a\nfrom plutarc", 3, ". cannot be imported"),
        ("from plutarc", "from math import *\nfrom plutarc", 3, "math offers no everything"),
        ("def on_candle(self, candle)", "def on_candle(self)", 19, "on_candle(self, candle)"),
        ("def on_candle(self, candle)", "async def on_candle(self, candle)", 19, "async"),
        ("def on_candle", "def on_bar", 19, "There is no hook on_bar"),
        ("def on_start(self)", "def __init__(self)", 13, "__init__ is not called"),
        ("class Crossing(Strategy)", "class Crossing", 1, "one class that derives"),
        ('self.state["candles"] += 1', "().__class__", 20, "__class__ leads out"),
        ('self.state["candles"] += 1', "open('/etc/passwd')", 20, "There is no open here"),
        ('self.state["candles"] += 1', "yield 1", 20, "answers at once"),
        ('self.state["candles"] += 1', "global x", 20, "self.state, not in global"),
        ('self.state["candles"] += 1', "eval('1')", 20, "There is no eval here"),
        ('self.state["candles"] += 1', "x = (", 20, "This is no Python"),
    ],
)
def test_a_fault_names_its_line(old, new, line, words):
    assert old in CROSSING
    text = CROSSING.replace(old, new, 1)
    found = faults(text)
    if not found:
        found = [
            (int(it.message.removeprefix("Line ").partition(",")[0]), it.message)
            for it in validate(source.read(text).rules)
        ]
    assert any(number == line and words in message for number, message in found), found


@pytest.mark.parametrize(
    "bomb",
    [
        "\0",
        "x" * 40_000,
        "x = " + "(" * 150 + ")" * 150,
        "x = " + "-" * 250 + "1",
        "x = " + "[" * 90 + "]" * 90,
        "\n".join(" " * n + "if 1:" for n in range(99)),
        "x = " + "9" * 290,
        "é" * 20_000,
        "\n" * 40_000,
    ],
)
def test_no_text_keeps_the_reader_busy_or_breaks_it(bomb):
    assert faults(bomb)
    assert faults(CROSSING + bomb) or "9" * 290 in bomb


def test_a_source_of_nothing_says_what_to_write():
    for nothing in ("", "  \n", None, 5):
        assert faults(nothing) == [(1, "Write a class that derives from Strategy.")]


def test_every_name_that_is_promised_is_there():
    from runner.code import api
    from runner.code.child import _modules

    assert set(api.names()) == set(source_names.API)
    assert set(_modules()) == set(source_names.MODULES)
    assert "code" not in COMPONENTS


def test_reading_runs_nothing(tmp_path, capsys):
    left = tmp_path / "left"
    text = f"open({str(left)!r}, 'w').close()\nprint('ran')\n" + CROSSING
    assert faults(text)
    sound = CROSSING + "\nprint('ran')\n"
    assert not faults(sound)
    assert validate(rules_of(sound)) == []
    assert not left.exists()
    assert capsys.readouterr().out == ""
    assert "strategy" not in sys.modules


def test_the_hook_helper_of_other_tests_is_sound():
    assert not faults(hook("self.say('nothing')"))
