"""Every kind of alarm and warning that can be told has a title and what to do about it."""

import ast

import pytest

from app.domain import account_rule, alarm_kinds, bot_alarms
from runner import health
from runner.protocol import ALARM
from tests.shape import source

LOUD = (ALARM, "warning")
TROUBLES = ("disk", "fault", "clock", "data of BTC/USDT:USDT")
"""What ``runner.health`` makes codes of."""
BY_NAME = {
    "CODE": account_rule.CODE,
    "LOST_CONTACT": bot_alarms.LOST_CONTACT,
    "STOP_MISSING": bot_alarms.STOP_MISSING,
}


def told():
    """Each place that tells: where, the level as it stands there, and the code."""
    for path, tree in source.python("app", "runner"):
        for call in ast.walk(tree):
            if isinstance(call, ast.Call):
                name = getattr(call.func, "attr", getattr(call.func, "id", ""))
                if name in ("notice", "say", "Notice") and levelled(call.args):
                    yield f"{source.name(path)}:{call.lineno}", *call.args[:2]
                if name == "ring" and ast.unparse(call.func) == "bot_alarms.ring":
                    yield f"{source.name(path)}:{call.lineno}", ast.Constant(ALARM), call.args[1]


def levelled(arguments):
    """Whether they are a level, a code and a text."""
    if len(arguments) < 3:
        return False
    first = arguments[0]
    return ast.unparse(first) == "level" or getattr(first, "value", None) in (*LOUD, "info")


def codes(node):
    """The codes an expression may come to; none where it passes on what was told."""
    if isinstance(node, ast.Constant):
        return {node.value}
    if isinstance(node, ast.Name) and node.id in BY_NAME:
        return {BY_NAME[node.id]}
    if isinstance(node, ast.JoinedStr):
        return codes(node.values[0].value)
    if ast.unparse(node) == "_code(name)":
        return {health._code(name) for name in TROUBLES}
    assert ast.unparse(node) in ("code", "data.code", "_code(source, data)"), ast.unparse(node)
    return set()


def rung():
    """The codes by whether they ring or warn; a level that is a variable may be either."""
    found = {level: set() for level in LOUD}
    for _, level, code in told():
        said = level.value if isinstance(level, ast.Constant) else None
        for one in LOUD:
            if said in (one, None) and not (said is None and isinstance(code, ast.Name)):
                found[one] |= codes(code)
    return found


def test_the_walk_finds_them():
    assert len({code for found in rung().values() for code in found}) > 20
    assert {health._code(name) for name in TROUBLES} == {
        name for name in alarm_kinds.ALARMS | alarm_kinds.WARNINGS if name.startswith("trouble_")
    }


def test_each_that_rings_has_its_own_title_and_what_to_do():
    levels = rung()
    by_level = {"trouble_clock", "trouble_data"}  # told through one verb with those that ring
    lacking = levels[ALARM] - set(alarm_kinds.ALARMS) - by_level
    assert not lacking, f"Give these a title and a cure in alarm_kinds.ALARMS: {sorted(lacking)}"


def test_each_that_warns_has_one_too():
    known = set(alarm_kinds.WARNINGS) | {"trouble_disk", "trouble_fault"}
    lacking = rung()["warning"] - known
    assert not lacking, f"Give these a title and a cure in alarm_kinds.WARNINGS: {sorted(lacking)}"


def test_none_is_told_by_nobody():
    said = {code for found in rung().values() for code in found} | {bot_alarms.LOST_CONTACT}
    assert not (set(alarm_kinds.ALARMS) | set(alarm_kinds.WARNINGS)) - said


@pytest.mark.parametrize("code", [*alarm_kinds.ALARMS, *alarm_kinds.WARNINGS])
def test_a_title_names_the_bot_and_a_cure_is_a_sentence(code):
    title = alarm_kinds.title(f"{code} BTC/USDT:USDT", "Tide")
    assert "Tide" in title
    assert not title.endswith(".")
    assert alarm_kinds.cure(code).endswith(".")
    assert len(title) < 100


def test_what_another_version_tells_is_shown_as_well():
    assert alarm_kinds.title("something_new", "Tide") == "Tide needs you"
    assert alarm_kinds.cure("something_new")
