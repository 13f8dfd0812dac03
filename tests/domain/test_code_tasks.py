"""A code strategy's task from asking to the end of its machine, with Google's own client library
and a cloud whose clock the test moves; the machine's words are the test's.
"""

import base64
import zlib
from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain import code_door, code_machines, code_tasks, finds, sweep_books, sweep_rules
from app.domain.code_tasks import Wish
from app.domain.errors import NotAllowed
from app.domain.sweep_rules import Patience, Whose
from app.extensions import db
from app.gateways.backtest_outcome import End
from app.gateways.compute.driver import MachineState, Outcome, SeenDisk, SeenMachine
from app.models import CloudFind, CodeTask, FindKind, FindState, OutboxMessage, TaskState
from runner.protocol import (
    TASK_PART,
    ProtocolError,
    TaskAnswer,
    TaskClaim,
    TaskPart,
    TaskReport,
    dumps,
)
from tests import factories
from tests.factories import NOW
from tests.fakes.gce import Cloud
from tests.gateways.compute.gce_world import REGION, GceWorld

GATE = "https://gate.example.org"
REQUEST = {"exchange": "practice", "rules": {"code": {"source": "class A: pass"}}}
QUOTA = "Quota 'INSTANCES' exceeded.  Limit: 0.0 in region europe-west1."
GOOD = TaskAnswer(0, '{"ok":true,"result":1}', "simulation: 1 of 2", late=False, steady=True)


class World(GceWorld):
    """One workspace, its runs, and time that passes in the database and in the cloud alike."""

    def __init__(self, cloud):
        super().__init__(cloud)
        self.now, self.workspace, self.given = NOW, factories.organisation(), []
        db.session.commit()

    def ask(self, subject="bkt_one", runs=1, seconds=60):
        wish = Wish(self.workspace.id, subject, REQUEST, REGION, seconds, runs)
        made = code_tasks.ask(wish, self.now)
        db.session.commit()
        return made

    def turn(self, task_id):
        """One step of its machine, done by the real driver."""
        call = code_machines.begin(task_id, GATE, self.now)
        db.session.commit()
        if call is None:
            return None
        if call.step.environment:
            self.given.append(call.step.environment)
        result = self.driver.do(call.step)
        assert code_machines.finish(call, result, self.now)
        db.session.commit()
        return result

    def pass_time(self, seconds):
        self.cloud.advance(seconds)
        self.now += timedelta(seconds=seconds)

    def drive(self, task_id, seconds=60):
        """What workers do meanwhile: a step whenever one is due."""
        until = self.now + timedelta(seconds=seconds)
        while self.now < until:
            self.turn(task_id)
            task = self.task(task_id)
            if task.gone_at is not None:
                return
            self.pass_time(max(1, (min(task.try_at, until) - self.now).total_seconds()))

    def task(self, task_id):
        return db.session.get_one(CodeTask, task_id, populate_existing=True)

    def look(self, task_id):
        seen = code_tasks.look(task_id, self.now)
        db.session.commit()
        return seen

    def words(self, boot="boot-1", at=-1):
        given = self.given[at]
        return TaskClaim(given["PLUTARC_BOT"], given["PLUTARC_TOKEN"], boot)

    def fetch(self, boot="boot-1"):
        made = code_door.fetch(self.words(boot), self.now)
        db.session.commit()
        return made

    def running(self, **more):
        """A task whose machine has fetched it."""
        task_id = self.ask(**more)
        self.drive(task_id, 10)
        assert self.fetch().runs
        return task_id

    def answer(self, answer=GOOD, size=TASK_PART, boot="boot-1"):
        packed = zlib.compress(dumps(answer))
        pieces = [packed[at : at + size] for at in range(0, len(packed), size)]
        for number, piece in enumerate(pieces):
            last = number == len(pieces) - 1
            content = base64.b64encode(piece).decode()
            assert code_door.take(TaskPart(self.words(boot), number, last, content), self.now)
        db.session.commit()

    def is_tidy(self, task_id):
        """Whether its machine and its disk are gone for good, as the rows say too."""
        found = self.cloud.snapshot()
        left = found["instances"] or found["disks"] or found["addresses"]
        return not left and self.task(task_id).gone_at is not None


@pytest.fixture
def world(app, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Cloud(clock="virtual") as cloud:
        yield World(cloud)
        assert cloud.violations() == []
        assert cloud.problems() == []


def test_a_machine_without_keys_is_made_answers_and_goes(world):
    task_id = world.ask()
    assert world.look(task_id).step == code_tasks.CREATING
    world.drive(task_id, 10)
    (made,) = world.instances()
    assert made.get("serviceAccounts") is None
    assert made["scheduling"]["instanceTerminationAction"] == "DELETE"
    assert int(made["scheduling"]["maxRunDuration"]["seconds"]) == 60 + 600
    assert made["scheduling"]["automaticRestart"] is False
    (given,) = {tuple(sorted(it)) for it in world.given}
    assert given == (
        *("PLUTARC_BOT", "PLUTARC_CODE", "PLUTARC_GATE", "PLUTARC_GENERATION"),
        *("PLUTARC_TOKEN", "PLUTARC_WORK"),
    )
    fetched = world.fetch()
    assert '"practice"' in fetched.request
    assert code_door.report(TaskReport(world.words(), "simulation", 3, 10), world.now).wanted
    assert (world.look(task_id).step, world.look(task_id).done) == ("simulation", 3)
    world.answer(size=10)
    (outcome,) = code_tasks.outcomes_of(world.look(task_id), 1)
    assert (outcome.end, outcome.answer) == (End.DONE, GOOD.answer.encode())
    code_tasks.leave(task_id, world.now)
    world.drive(task_id)
    assert world.is_tidy(task_id)
    assert world.task(task_id).state is TaskState.ANSWERED


def test_a_task_is_fetched_by_one_process_alone(world):
    task_id = world.ask()
    world.drive(task_id, 10)
    with pytest.raises(NotAllowed):
        code_door.fetch(replace(world.words(), token="guessed"), world.now)
    with pytest.raises(NotAllowed):
        code_door.fetch(replace(world.words(), task="tsk_other"), world.now)
    assert world.fetch() == world.fetch()  # an answer that was lost is asked for again
    assert world.task(task_id).token == ""
    stranger = TaskReport(world.words("boot-2"), "simulation", 1, 1)
    assert not code_door.report(stranger, world.now).wanted
    assert world.fetch("boot-2") == code_door.NOTHING
    assert "program died" in world.look(task_id).fault["message"]
    assert not code_door.report(TaskReport(world.words(), "x", 1, 1), world.now).wanted
    world.drive(task_id)
    assert world.is_tidy(task_id)


def test_a_cloud_that_refuses_is_told_in_its_own_words(world):
    world.cloud.fail_next("insert", "QUOTA_EXCEEDED", QUOTA, httpErrorStatusCode=403)
    task_id = world.ask()
    world.drive(task_id, 20)
    seen = world.look(task_id)
    assert seen.state is TaskState.FAILED
    assert seen.fault["component"] == "machine"
    assert "Quota 'INSTANCES' exceeded" in seen.fault["message"]
    assert "again later" in seen.fault["message"]
    assert code_tasks.outcomes_of(seen, 2)[0].end is End.FAILED
    world.drive(task_id)
    assert world.is_tidy(task_id)


def test_a_zone_without_room_is_left_for_another(world):
    zones = sorted(world.cloud.behaviour.regions[REGION])
    for zone in zones[:2]:
        world.cloud.stockout(zone)
    task_id = world.ask()
    world.drive(task_id, 60)
    (made,) = world.instances()
    assert made["zone"].endswith(zones[2])
    world.fetch()
    world.answer()
    world.drive(task_id)
    assert world.is_tidy(task_id)


def test_where_no_zone_has_room_it_ends_with_the_reason(world):
    for zone in world.cloud.behaviour.regions[REGION]:
        world.cloud.stockout(zone)
    task_id = world.ask()
    world.drive(task_id, code_tasks.START.total_seconds() + 1)
    fault = world.look(task_id).fault
    assert "no machine began its work within 4 minutes" in fault["message"]
    assert "does not have enough resources" in fault["message"]
    world.drive(task_id, 90)
    assert world.is_tidy(task_id)


@pytest.mark.parametrize("mode", ["drop_after", "drop_before", "late"])
def test_a_lost_answer_to_the_insertion_makes_no_second_machine(world, mode):
    world.cloud.fault("POST instances", mode)
    task_id = world.ask()
    world.drive(task_id, 5)
    if mode == "late":
        world.cloud.arrive()
    world.drive(task_id, 30)
    assert len(world.instances()) == 1
    world.fetch()
    world.answer()
    world.drive(task_id)
    assert world.is_tidy(task_id)


def test_a_silent_machine_is_lost_and_deleted(world):
    task_id = world.running(seconds=600)
    world.pass_time(code_tasks.SILENT.total_seconds() + 1)
    seen = world.look(task_id)
    assert seen.fault == {"component": "machine", "field": "", "message": code_tasks.LOST}
    world.drive(task_id)
    assert world.is_tidy(task_id)
    assert not code_door.report(TaskReport(world.words(), "x", 1, 1), world.now).wanted


def test_time_over_is_over_even_for_a_machine_that_goes_on_talking(world):
    task_id = world.running(seconds=60)
    for _ in range(8):
        world.pass_time(15)
        code_door.report(TaskReport(world.words(), "simulation", 1, 2), world.now)
        db.session.commit()
    assert "more time than a run may take" in world.look(task_id).fault["message"]
    world.drive(task_id)
    assert world.is_tidy(task_id)


def test_the_cloud_itself_ends_a_machine_that_everybody_forgot(world):
    world.running(seconds=60)
    world.pass_time(60 + code_machines.LONGEST.total_seconds() + 60)
    assert world.instances() == []


def test_an_answer_out_of_order_or_too_large_is_refused(world, monkeypatch):
    task_id = world.running()
    words, piece = world.words(), base64.b64encode(b"x" * 900).decode()
    for bad in (TaskPart(words, 1, False, piece), TaskPart(words, 0, False, "no base64!")):
        with pytest.raises(ProtocolError):
            code_door.take(bad, world.now)
    monkeypatch.setattr(code_door, "TASK_LARGEST", 1000)
    assert code_door.take(TaskPart(words, 0, False, piece), world.now).wanted
    assert code_door.take(TaskPart(words, 0, False, piece), world.now).wanted  # once more
    assert not code_door.take(TaskPart(words, 1, True, piece), world.now).wanted
    db.session.commit()
    fault = world.look(task_id).fault
    assert (fault["component"], fault["field"]) == ("request", "since")
    assert "too large" in fault["message"]
    world.drive(task_id)
    assert world.is_tidy(task_id)


def test_after_a_killed_worker_the_machine_goes_and_the_run_gets_another(world):
    first = world.running(seconds=600)
    world.pass_time(code_tasks.SILENT.total_seconds() + 1)
    code_tasks.sweep(world.now)
    db.session.commit()
    assert world.task(first).state is TaskState.DROPPED
    world.drive(first)
    assert world.is_tidy(first)
    second = world.running(seconds=600)
    third = world.ask()  # a worker that came before the sweep
    assert world.task(second).state is TaskState.DROPPED
    assert world.task(third).state is TaskState.WAITING
    world.drive(second)
    assert world.task(second).gone_at is not None


def test_dropped_while_its_machine_is_being_made_it_leaves_none(world):
    task_id = world.ask()
    world.turn(task_id)
    code_tasks.leave(task_id, world.now)
    db.session.commit()
    world.drive(task_id, 90)
    assert world.is_tidy(task_id)


def test_a_workspace_has_one_at_a_time(world):
    mine = world.ask()
    assert world.ask(subject="bkt_two") is None
    code_tasks.leave(mine, world.now)
    assert world.ask(subject="bkt_two") is not None


def test_the_timetable_asks_for_steps_that_the_queue_forgot(world):
    task_id = world.ask()
    db.session.query(OutboxMessage).delete()
    code_tasks.sweep(world.now)
    db.session.commit()
    (asked,) = db.session.query(OutboxMessage)
    assert (asked.job, asked.arguments) == ("advance_task", {"task_id": task_id})


def test_a_sweep_knows_the_machine_and_deletes_it_when_its_task_is_gone(world):
    task_id = world.running()
    name, old = world.task(task_id).machine, world.now - timedelta(hours=1)
    seen = SeenMachine(name, REGION, "z", MachineState.RUNNING, None, old)
    disk = SeenDisk(name, REGION, "z", created_at=old)

    def judged(now):
        books, patience = sweep_books.read([name], now), Patience()
        both = sweep_rules.of_machine(seen, books, now, patience)
        return {both, sweep_rules.of_disk(disk, books, now, patience)}

    assert {it.whose for it in judged(world.now)} == {Whose.OURS}
    world.answer()
    world.drive(task_id)
    later = world.now + sweep_books.JUST_NOW
    assert {(it.whose, it.hold) for it in judged(later)} == {(Whose.NOBODY, False)}

    # It comes back late: what a sweep has found is deleted by the same driver.
    find = CloudFind(kind=FindKind.MACHINE, name=name, region=REGION, zone="", sightings=2)
    find.state, find.first_seen, find.last_seen = FindState.DELETING, later, later
    find.attempt, find.operation, find.detail = 0, "", ""
    db.session.add(find)
    db.session.commit()
    clearing = finds.begin(find.id, later)
    assert world.driver.do(clearing.step).outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("told", "component", "words"),
    [
        (replace(GOOD, status=1, answer=""), "backtest", "without an answer (status 1)"),
        (replace(GOOD, late=True), "request", "more time"),
        (
            replace(GOOD, status=2, answer='{"ok":false,"error":{"component":"code"}}'),
            "code",
            "",
        ),
    ],
)
def test_what_went_wrong_on_the_machine_names_its_place(world, told, component, words):
    task_id = world.running()
    world.answer(told)
    (outcome,) = code_tasks.outcomes_of(world.look(task_id), 2)
    assert (outcome.end, outcome.fault["component"]) == (End.FAILED, component)
    assert words in outcome.fault["message"]
    assert outcome.log == GOOD.log


def test_two_runs_that_differ_are_told_apart_and_rubbish_is_no_answer(world):
    task_id = world.running(runs=2)
    world.answer(replace(GOOD, steady=False))
    first, second = code_tasks.outcomes_of(world.look(task_id), 2)
    assert first.answer != second.answer
    same = code_tasks.Seen(TaskState.ANSWERED, answer=zlib.compress(dumps(GOOD)))
    assert len({it.answer for it in code_tasks.outcomes_of(same, 2)}) == 1
    for rubbish in (b"rubbish", zlib.compress(b"\xff"), zlib.compress(b"{}")):
        (outcome,) = code_tasks.outcomes_of(replace(same, answer=rubbish), 1)
        assert "cannot be read" in outcome.fault["message"]


def test_texts_of_what_is_over_are_forgotten_and_then_the_row(world):
    task_id = world.running()
    world.answer()
    world.drive(task_id)
    code_tasks.forget(world.now + timedelta(hours=1))
    db.session.commit()
    assert (world.task(task_id).request, world.task(task_id).answer) == (b"", None)
    code_tasks.forget(world.now + code_tasks.KEPT + timedelta(minutes=1))
    db.session.commit()
    assert db.session.get(CodeTask, task_id) is None
