"""The process of a backtest: ended when it is not wanted, too slow or too hungry."""

import json
import os
from contextlib import suppress

import pytest

from app.gateways.backtest import Backtester
from app.gateways.backtest_outcome import End
from tests.runner.backtest.hand_history import keep, plain, walk


def pretender(tmp_path, text):
    """Sources whose runner does as written."""
    home = tmp_path / "sources" / "runner"
    home.mkdir(parents=True)
    (home / "__init__.py").write_text("")
    (home / "__main__.py").write_text(text)
    return home.parent


def is_gone(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return False
    return True


def test_an_answer_is_kept_as_it_was_written(tmp_path):
    candles = walk(300)
    keep(tmp_path, candles)
    request = plain(tmp_path, candles, 60)
    first, second = (Backtester(tmp_path, {}).run(request, lambda *_: True) for _ in range(2))
    assert first.end is End.DONE, first
    assert json.loads(first.answer)["ok"] is True
    assert first.answer == second.answer


def test_a_wrong_request_names_component_and_field(tmp_path):
    outcome = Backtester(tmp_path, {}).run({"exchange": "practice"}, lambda *_: True)
    assert outcome.end is End.FAILED
    assert outcome.fault["component"] == "request"
    assert "missing" in outcome.fault["message"]


def test_what_is_not_wanted_any_more_is_killed_even_if_it_will_not_hear(tmp_path, monkeypatch):
    monkeypatch.setattr("app.gateways.backtest._GRACE", 0.2)
    text = "import os, signal, sys, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    text += "open('pid', 'w').write(str(os.getpid()))\nsys.stderr.write('here\\n')\n"
    text += "sys.stderr.flush()\nwhile True: time.sleep(1)\n"
    root = pretender(tmp_path, text)
    wanted = lambda *_: not (root / "pid").exists()  # noqa: E731 -- a look
    outcome = Backtester(tmp_path / "h", {}, root=root).run({}, wanted)
    assert outcome.end is End.CANCELLED
    assert is_gone(int((root / "pid").read_text()))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("while True: pass", "more time"),
        ("import sys\nsys.stderr.write('why\\n')\nraise SystemExit(9)", "without an answer"),
        ("x = bytearray(8 * 1024**3)", "without an answer"),
    ],
)
def test_a_run_that_never_ends_dies_or_eats_memory_fails_with_words(tmp_path, text, words):
    root = pretender(tmp_path, text)
    seconds = 2 if "while" in text else 60
    outcome = Backtester(tmp_path / "h", {}, root=root, seconds=seconds).run({}, lambda *_: True)
    assert outcome.end is End.FAILED
    assert words in outcome.fault["message"]
    assert ("why" in outcome.log) == ("why" in text)


def test_no_setting_of_the_platform_reaches_it(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "of the platform")
    text = "import json, os\nprint(json.dumps({'ok': True, 'names': sorted(os.environ)}))"
    root = pretender(tmp_path, text)
    outcome = Backtester(tmp_path / "h", {}, root=root).run({}, lambda *_: True)
    assert outcome.end is End.DONE
    assert "SECRET_KEY" not in json.loads(outcome.answer)["names"]
