"""A task's machine: what it runs is bounded, told as it goes, and handed in whole."""

import asyncio
import base64
import json
import zlib
from dataclasses import replace
from types import SimpleNamespace

from runner import task
from runner.errors import Superseded, Temporary
from runner.protocol import Task, TaskAnswer, TaskClaim, TaskWanted, loads
from runner.task_run import Progress, Run
from tests.runner.backtest import hand_history
from tests.runner.code.sources import CROSSING, hook, rules_of

WHO = TaskClaim("tsk_a", "token", "boot-1")
ENDLESS = hook("while True: pass")


def asked(folder, text, *, runs=1, seconds=60):
    """A task whose candles lie where its machine looks for them."""
    candles = hand_history.walk(200)
    place = folder / "history"
    hand_history.keep(place, candles)
    plain = {**hand_history.plain(place, candles, 60), "rules": rules_of(text)}
    plain.pop("folder")
    return Task(json.dumps(plain), runs, seconds)


class Client:
    """A gate that takes everything, or says what the test lets it say."""

    def __init__(self, wanted=True, faults=()):
        self.wanted, self.faults, self.reports, self.parts = wanted, list(faults), [], []

    def _said(self):
        if self.faults:
            raise self.faults.pop(0)
        return TaskWanted(self.wanted)

    async def report(self, told):
        self.reports.append(told)
        return self._said()

    async def part(self, part):
        told = self._said()
        self.parts.append(part)
        return told

    @property
    def answer(self):
        assert [part.number for part in self.parts] == list(range(len(self.parts)))
        assert [part.last for part in self.parts][-1:] == [True]
        packed = b"".join(base64.b64decode(part.content) for part in self.parts)
        return loads(TaskAnswer, zlib.decompress(packed))


def run_once(folder, text, **more):
    return asyncio.run(Run(asked(folder, text, **more), folder, Progress()).answer())


def carried_out(folder, wanted, client):
    place = SimpleNamespace(directory=folder)
    return asyncio.run(task._carried_out(wanted, client, WHO, place))


def test_it_runs_the_class_and_says_how_far_it_is(tmp_path):
    progress = Progress()
    answer = asyncio.run(Run(asked(tmp_path, CROSSING), tmp_path, progress).answer())
    told = json.loads(answer.answer)
    assert (answer.status, told["ok"], answer.late) == (0, True, False)
    assert progress.step == "simulation"
    assert progress.done == progress.of > 0
    assert answer.log.startswith("simulation: ")


def test_a_class_that_loops_for_ever_is_named_by_its_line(tmp_path):
    answer = run_once(tmp_path, ENDLESS)
    error = json.loads(answer.answer)["error"]
    assert (error["component"], error["field"]) == ("code", "line 11")
    assert "no answer within" in error["message"]


def test_what_takes_longer_than_its_time_is_ended(tmp_path):
    assert run_once(tmp_path, ENDLESS, seconds=1).late


def test_the_class_learns_nothing_of_its_machine(tmp_path, monkeypatch):
    monkeypatch.setenv("PLUTARC_TOKEN", "secret-Zx98q")
    run = Run(asked(tmp_path, CROSSING), tmp_path, Progress())
    run._bound = lambda: None
    monkeypatch.setattr("runner.task_run._PROGRAM", "import os; print(dict(os.environ), end='')")
    told = asyncio.run(run.answer()).answer
    assert "PLUTARC_CODE" in told
    assert "TOKEN" not in told


def test_two_runs_have_to_give_the_same(tmp_path, monkeypatch):
    answer = carried_out(tmp_path, asked(tmp_path, CROSSING, runs=2), Client())
    assert (answer.status, answer.steady) == (0, True)
    answers = iter(["one", "two"])

    async def another(self):
        return TaskAnswer(0, next(answers), "", late=False, steady=True)

    monkeypatch.setattr(Run, "answer", another)
    answer = carried_out(tmp_path, Task("{}", 2, 60), Client())
    assert (answer.answer, answer.steady) == ("one", False)


def test_what_nobody_wants_any_more_is_ended_at_once(tmp_path):
    for client in (Client(wanted=False), Client(faults=[Superseded("gone")])):
        assert carried_out(tmp_path, asked(tmp_path, ENDLESS, seconds=600), client) is None
        assert len(client.reports) == 1


def test_an_answer_goes_in_parts_and_waits_for_the_gate(monkeypatch):
    monkeypatch.setattr(task, "TASK_PART", 10)
    client = Client(faults=[Temporary("away")])
    given = TaskAnswer(0, '{"ok":true}', "a line", late=False, steady=True)
    asyncio.run(task._tell(client, WHO, given))
    assert client.answer == given
    assert len(client.parts) > 3


def test_an_answer_that_is_too_large_says_so_instead(monkeypatch):
    monkeypatch.setattr(task, "TASK_LARGEST", 10)
    client = Client()
    asyncio.run(task._tell(client, WHO, TaskAnswer(0, "{}", "a line", late=False, steady=True)))
    error = json.loads(client.answer.answer)["error"]
    assert client.answer.status == 2
    assert (error["component"], error["field"]) == ("request", "since")
    assert "too large" in error["message"]


def test_a_run_for_want_of_memory_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "runner.task_run._PROGRAM", "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"
    )
    answer = run_once(tmp_path, CROSSING)
    assert "out of memory" in json.loads(answer.answer)["error"]["message"]
    assert not replace(answer).late
