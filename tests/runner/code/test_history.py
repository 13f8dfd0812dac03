"""A class on history: the same bytes each time, faults by their line, and nothing without leave."""

import io
import json

import pytest

from runner.backtest import command
from runner.protocol import CODE_ALLOWED
from tests.runner.backtest import hand_history
from tests.runner.code.sources import CROSSING, hook, rules_of


@pytest.fixture(autouse=True)
def allowed(monkeypatch):
    monkeypatch.setenv(CODE_ALLOWED, "1")


def told(folder, text, count=400):
    candles = hand_history.walk(count)
    hand_history.keep(folder, candles)
    plain = {**hand_history.plain(folder, candles, 60), "rules": rules_of(text)}
    out = io.StringIO()
    command.main(io.StringIO(json.dumps(plain)), out, io.StringIO())
    return json.loads(out.getvalue())


def test_a_class_trades_on_history_and_twice_alike(tmp_path):
    first = told(tmp_path / "one", CROSSING)
    assert first["ok"], first
    result = first["result"]
    assert result["trades_total"] > 5
    assert result["trades"][0]["entry_words"] == "the fast average is above"
    assert {row[0] for row in result["exit_reasons"]} <= {"code", "stop_loss", "stop"}
    assert first["digest"] == told(tmp_path / "two", CROSSING)["digest"]


def test_the_hooks_of_a_run_are_called_in_their_order(tmp_path):
    text = CROSSING.replace(
        'self.state["fills"] = (self.state["fills"] + [fill.side])[-50:]',
        'print("fill", fill.side)',
    ).replace('self.state["stopped"] = self.state.get("stopped", 0) + 1', 'print("stop")')
    output = told(tmp_path, text)["result"]["output"]
    assert output[:2] == ["fill buy", "fill sell"]
    assert output[-1] == "stop" or len(output) == 200


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ("1 / 0", "line 11", "ZeroDivisionError"),
        ("x = [0] * 10**9", "line 11", "MemoryError"),
        ("while True: pass", "line 11", "no answer within"),
    ],
)
def test_a_fault_ends_the_run_and_is_named(tmp_path, monkeypatch, body, field, words):
    monkeypatch.setattr("runner.code.engine.BACKTEST_SECONDS", 1.0)
    error = told(tmp_path, hook(body))["error"]
    assert (error["component"], error["field"]) == ("code", field)
    assert words in error["message"]


def test_without_leave_no_class_is_run(tmp_path, monkeypatch):
    monkeypatch.delenv(CODE_ALLOWED)
    error = told(tmp_path, CROSSING)["error"]
    assert (error["component"], error["message"]) == (
        "code",
        "code strategies are not allowed here",
    )


def test_a_stop_the_class_sets_only_moves_in_favour(tmp_path):
    text = hook(
        """
if self.position is None:
    self.enter_long("in", stop=candle.close * 0.5)
elif self.position.candles == 1:
    self.set_stop(candle.close * 0.9995)
elif self.position.candles == 2:
    self.set_stop(candle.close * 0.5)
else:
    print(self.position.stop > candle.close * 0.9)
"""
    )
    result = told(tmp_path, text)["result"]
    assert set("\n".join(result["output"]).split("\n")) <= {"True"}
    assert any(trade["exit_words"].startswith("price") for trade in result["trades"])
