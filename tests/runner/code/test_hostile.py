"""What a class may try against the process that runs it, and what comes of it."""

import os
from pathlib import Path

import pytest

from runner.code import cage
from runner.code.process import CodeFault, Process
from tests.runner.code.sources import hook

LIMIT = 1.0


def asked(text, *, candles=1, seconds=LIMIT, state=None, held=None):
    """The last answer of a class to so many candles."""
    process = Process(seconds=seconds)
    try:
        process.start(start(text, state))
        for number in range(candles):
            row = [number * 60.0, 100.0, 101.0, 99.0, 100.0, 5.0]
            answer = process.ask("on_candle", {"candle": row, "position": held})
        return answer
    finally:
        process.end()


def start(text, state=None, history=()):
    return {
        "source": text,
        "class": "Odd",
        "params": {},
        "warmup": 10,
        "symbol": "BTC/USDT:USDT",
        "timeframe": "1m",
        "state": state or {},
        "history": list(history),
    }


def fault_of(text, **more):
    with pytest.raises(CodeFault) as found:
        asked(text, **more)
    return found.value


def inside(expression):
    """A class that reaches real builtins past all names, as somebody would who finds a gap.

    The source check refuses it; what is tested is that nothing is gained where it does not.
    """
    way = "b = [c for c in ().__class__.__base__.__subclasses__() if c.__name__ == 'Quitter']"
    reach = "g = b[0].__init__.__globals__ if b else Strategy.use.__globals__"
    lines = [way, reach, "i = g['__builtins__']", "i = i if isinstance(i, dict) else vars(i)"]
    return hook("\n".join([*lines, "m = i['__import__']", expression]))


def test_an_endless_loop_is_ended_and_its_line_told():
    fault = fault_of(hook("n = 0\nwhile True:\n    n += 1"))
    assert fault.fatal
    assert fault.line in (12, 13)
    assert "no answer within 1 seconds" in str(fault)


def test_a_loop_inside_one_call_is_ended_too():
    fault = fault_of(hook("n = 0\nsum(range(10**12))"))
    assert (fault.fatal, fault.line) == (True, 12)


def test_a_start_that_takes_for_ever_is_ended(monkeypatch):
    monkeypatch.setattr("runner.code.process.START_SECONDS", 2.0)
    fault = fault_of(hook("pass", start="while True: pass"))
    assert (fault.hook, fault.fatal, fault.line) == ("on_start", True, 8)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("x = [0] * 10**9", "MemoryError"),
        ("x = []\nwhile True:\n    x.append('x' * 10**7)", "MemoryError"),
        ("x = 'x' * 10**10", "MemoryError"),
        ("def f():\n    return f()\nf()", "RecursionError"),
        ("raise ValueError('no')", "ValueError: no"),
        ("self.state['a'] = 'x' * 10**6", "16,384 at most"),
        ("self.state['a'] = self", "not JSON serializable"),
        ("self.state['a'] = float('nan')", "JSON"),
        ("self.state = 5", "must be a dict"),
        ("self.enter_long(stop=-5)", "is no price"),
        ("self.set_stop(float('nan'))", "is no price"),
        ("self.use(Ema(5), 'colour')", "price must be one of"),
    ],
)
def test_a_fault_is_told_with_its_line_and_the_next_candle_asks_again(body, words):
    fault = fault_of(hook(body), seconds=20.0)  # to fill the memory takes its time
    assert words in str(fault)
    assert not fault.fatal
    again = hook("if candle.time.minute == 0:\n" + "\n".join(f"    {x}" for x in body.split("\n")))
    process = Process(seconds=LIMIT)
    try:
        process.start(start(again))
        with pytest.raises(CodeFault):
            process.ask("on_candle", {"candle": [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]})
        answer = process.ask("on_candle", {"candle": [60.0, 1.0, 1.0, 1.0, 1.0, 1.0]})
        assert answer.state is None  # what the failed hook changed does not count
    finally:
        process.end()


def test_output_without_end_is_cut():
    assert len(asked(hook("print('x' * 10**6)\nprint('more')")).said) == 2_000
    assert len(asked(hook("self.say('x' * 10**6)")).why) == 200


@pytest.mark.parametrize(
    "body",
    [
        "m('os').fork()",
        "m('os').kill(m('os').getpid(), 0)",
        "m('os').listdir('/')",
        "i['open']('/etc/passwd')",
        "i['open']('/tmp/left-behind', 'w')",
        "m('os').open('/proc/self/environ', 0)",
        "m('os').ptrace(0)",
        "m('_socket').socket()",
        "m('subprocess').Popen(['true'])",
        "m('_thread').start_new_thread(print, ())",
        "m('resource').setrlimit(m('resource').RLIMIT_AS, (-1, -1))",
    ],
)
@pytest.mark.skipif(not cage.is_known(), reason="another system refuses to run any code at all")
def test_past_every_name_there_is_still_no_way_out(body):
    text = inside(body)
    fault = fault_of(text)
    kinds = (
        "PermissionError",
        "ModuleNotFoundError",
        "ImportError",
        "RuntimeError",
        "Attribute",
        "not allowed",
    )
    assert any(kind in str(fault) for kind in (*kinds, "OSError", "ZeroDivision")), fault
    assert "KeyError" not in str(fault)
    assert "IndexError" not in str(fault)
    assert not Path("/tmp/left-behind").exists()


def test_no_shell_is_started(tmp_path):
    answer = asked(inside(f"self.say(str(m('os').system('touch {tmp_path}/made')))"))
    assert answer.why != "0"
    assert not (tmp_path / "made").exists()


def test_the_environment_is_empty_and_no_descriptor_is_inherited(monkeypatch, tmp_path):
    monkeypatch.setenv("PLUTARC_TOKEN", "secret-token")
    with (tmp_path / "open").open("w") as held:
        os.set_inheritable(held.fileno(), True)
        body = "e = m('os').environ\nself.say(' '.join(sorted(e)))"
        assert "PLUTARC" not in asked(inside(body)).why
        fault = fault_of(inside(f"m('os').write({held.fileno()}, b'x')"))
        assert "Bad file descriptor" in str(fault)


@pytest.mark.parametrize("body", ["m('os')._exit(0)", "m('os')._exit(7)", "m('os').abort()"])
def test_a_process_that_ends_itself_is_a_fault(body):
    fault = fault_of(inside(body))
    assert fault.fatal
    assert "ended" in str(fault) or "crashed" in str(fault)


def test_an_answer_of_its_own_making_is_not_believed():
    said = "b'[' * 50000 + b'\\n'"
    fault = fault_of(inside(f"m('os').write(1, {said})\nwhile True: pass"))
    assert "cannot be read" in str(fault)
    forged = 'b\'{"ok": true, "wish": 9}\\n\''
    assert "makes no sense" in str(
        fault_of(inside(f"m('os').write(1, {forged})\nwhile True: pass"))
    )
    flood = "b'x' * 200000"
    assert "cannot be read" in str(fault_of(inside(f"m('os').write(1, {flood})\nwhile True: pass")))


@pytest.mark.parametrize(
    "body",
    ["import os", "import plutarc.os", "from math import os", "__import__('os')", "eval('1')"],
)
def test_names_are_refused_where_it_runs_as_well(body):
    words = str(fault_of(hook(body)))
    assert any(it in words for it in ("cannot be imported", "ImportError", "NameError"))


def test_modules_hold_nothing_but_their_public_names():
    for name in ("collections", "dataclasses", "enum", "functools", "statistics", "typing"):
        inner = "('sys', 'os', '_sys', 'types', 're')"
        seen = f"' '.join(n for n in {inner} if hasattr(m, n)) or 'none'"
        body = f"import {name} as m\nself.say({seen})"
        assert asked(hook(body)).why == "none"


def test_the_same_sets_have_the_same_order_in_every_process():
    body = "self.say(' '.join({str(n) for n in range(50)}))"
    assert len({asked(hook(body)).why for _ in range(3)}) == 1


def test_no_process_is_left_behind():
    process = Process(seconds=LIMIT)
    process.start(start(hook("pass")))
    pid = process._process.pid
    process.end()
    process.end()
    assert not Path(f"/proc/{pid}").exists()
    with pytest.raises(CodeFault, match="not running"):
        process.ask("on_candle", {"candle": [0.0] * 6})
