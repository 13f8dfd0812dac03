"""What is exported comes back as it was; what is no such file says why."""

from types import SimpleNamespace

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as any_of

from app.domain import strategy_files
from app.domain.strategy_files import FORMAT, UnreadableFile
from runner.strategy import COMPONENTS, TEMPLATES

RULES = {template.key: template.rules for template in TEMPLATES}
LETTERS = any_of.characters(exclude_categories=("Cc", "Cs"))


def file_of(rules, name="Tide", summary="", tags=()):
    strategy = SimpleNamespace(name=name, summary=summary, tag_names=list(tags))
    return strategy_files.written(SimpleNamespace(strategy=strategy, rules=rules))


def refused(content):
    with pytest.raises(UnreadableFile) as caught:
        strategy_files.read(content if isinstance(content, bytes) else content.encode())
    return caught.value.faults


@pytest.mark.parametrize("key", RULES)
def test_each_template_comes_back(key):
    assert strategy_files.read(file_of(RULES[key]).encode()).rules == RULES[key]


@given(
    any_of.text(LETTERS, min_size=1, max_size=80).filter(str.strip),
    any_of.text(LETTERS, max_size=300),
    any_of.data(),
)
def test_what_is_written_is_read(name, summary, data):
    """Whatever the texts are, and whatever a component's parameters are set to."""
    spec = data.draw(any_of.sampled_from([s for s in COMPONENTS.values() if "signal" in s.roles]))
    params = {}
    for item in spec.parameters:
        bounds = (item.minimum, item.maximum)
        values = {
            "int": lambda low, high: any_of.integers(int(low), int(high)),
            "float": lambda low, high: any_of.floats(float(low), float(high)),
            "choice": lambda *_, item=item: any_of.sampled_from(item.choices),
        }
        params[item.name] = data.draw(values[item.kind](*bounds))
    entry = {"kind": spec.kind, "enabled": True, "params": params, "weight": 1.0}
    rules = {**RULES["ema_trend"], "signals": [entry], "timeframe": "1d"}
    content = file_of(rules, name, summary).encode()
    if strategy_files.strategies.faults(rules):
        assert refused(content)
        return
    found = strategy_files.read(content)
    assert (found.name, found.summary, found.rules) == (name, summary, rules)


def test_tags_come_along():
    content = file_of(RULES["ema_trend"], tags=["ether", "scalping"])
    assert strategy_files.read(content.encode()).tags == ("ether", "scalping")
    bare = file_of(RULES["ema_trend"])
    assert "tags" not in bare
    assert strategy_files.read(bare.encode()).tags == ()


@pytest.mark.parametrize(
    ("tags", "said"),
    [
        ("scalping", "must be a list"),
        (["Scalping"], "is no tag"),
        (["<b>"], "is no tag"),
        (["x" * 31], "at most 30"),
        ([["nested"]], "is no tag"),
        ([str(n) for n in range(11)], "at most 10"),
        ([7], "is no tag"),
    ],
)
def test_a_tag_that_is_none_is_named(tags, said):
    content = yaml.safe_load(file_of(RULES["ema_trend"])) | {"tags": tags}
    assert any(said in fault for fault in refused(yaml.safe_dump(content)))


def test_faults_name_component_and_parameter():
    text = file_of(RULES["ema_trend"]).replace("fast: 12", "fast: many")
    (fault,) = refused(text)
    assert fault.startswith(f"Signal 1, {COMPONENTS['ema_cross'].title}, Fast average: ")
    text = file_of(RULES["ema_trend"]).replace("kind: stop_loss", "kind: stop_gain")
    assert any(fault.startswith("Exit 1: ") for fault in refused(text))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"- a\n- b\n",
        b"format: other\n",
        b"[" * 50_000,
        b"a: [1",
        b"x: !!python/object/apply:os.getcwd []\n",
        b"x: 2026-99-99\n",
        b"x: " + b"9" * 5000,
        f"format: {FORMAT}\nname: a\nname: b\n".encode(),
        b"k: [[[[[[[[[[[1]]]]]]]]]]]",
        b"? " * 20_000,
        b"? [a]\n: 1\n",
        b"a: &a [1]\nb: *a\n",
        b" " * 70_000,
        f"format: {FORMAT}\n".encode(),
        f"format: {FORMAT}\nname: x\nrules: 3\n".encode(),
        f'format: {FORMAT}\nname: "a\\0b"\nrules: {{}}\n'.encode(),
        f'format: {FORMAT}\nname: "\\ud800"\nrules: {{signals: [3]}}\n'.encode(),
        file_of(RULES["ema_trend"]).replace("fast: 12", "fast: 1" + "0" * 400).encode(),
        file_of({**RULES["ema_trend"], "more": 1}).encode(),
        file_of(
            {**RULES["ema_trend"], "sizing": {"kind": "fixed_notional", "value": "9" * 99}}
        ).encode(),
    ],
)
def test_what_is_no_strategy_says_why(content):
    faults = refused(content)
    assert faults
    assert all(0 < len(fault) < 4000 for fault in faults)


def test_a_file_of_another_release_says_which_one_it_needs():
    content = file_of(RULES[next(iter(RULES))]).replace(FORMAT, "plutarc strategy 2")
    (fault,) = refused(content)
    assert 'is of format "plutarc strategy 2"' in fault
    assert "update this one first" in fault
