"""Workers are killed while a class runs on its machine in the cloud: the person has an answer, and
no machine stays. A whole plutarc; the cloud is a fake one that runs the real startup script.
"""

import os
import shutil
import signal
import uuid
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.domain import code_tasks, dry_runs, long_runs
from app.extensions import db
from app.models import BacktestState, CodeTask, DryRun, TaskState
from app.models.code_task import OPEN
from tests.e2e.conftest import Installation
from tests.e2e.test_cloud import REGION, boot_in
from tests.e2e.visitor import Visitor
from tests.fakes.gce import Cloud
from tests.fakes.gce_host import Computer
from tests.kill.house import House, children, command
from tests.waiting import until

SLOW = '''"""Takes a few seconds for its candles, so that it is at work when somebody dies."""

from plutarc import Strategy


class Slow(Strategy):
    timeframe = "1s"
    sizing = {"kind": "fixed_notional", "value": "1000"}
    exits = [{"kind": "stop_loss", "params": {"percent": 5}}]
    warmup = 5

    def on_candle(self, candle):
        for _ in range(400_000):
            pass
        self.enter_long("in")
'''


class Place(House):
    """An installation whose classes run in a cloud, and one dry run that somebody asked for."""

    def __init__(self, folder, cloud):
        Installation.__init__(
            self,
            folder,
            DEMO="0",
            COMPUTE_DRIVER="gce",
            GCE_PROJECT=cloud.behaviour.project,
            GCE_REGIONS=REGION,
            GCE_API_ENDPOINT=cloud.url,
            GCE_CREDENTIALS="anonymous",
            NO_PROXY="127.0.0.1",
        )
        self.cloud = cloud

    def ask(self):
        """Somebody writes a class and has it checked; the page that waits for that."""
        visitor = Visitor(self.base)
        visitor.open("/signup").submit(
            "/signup",
            name="Ada",
            email=f"ada-{uuid.uuid4().hex}@example.com",
            password="seven quiet harbours",
        )
        home = visitor.url
        visitor.open(f"{home}strategies/code").submit("/code", name="Slow", source=SLOW)
        self.subject = visitor.url.rpartition("/")[2]
        return visitor, visitor.url

    def worker(self, queue):
        """The process that serves this queue now; ``None`` between two of them."""
        found = self.pids("worker")
        return next((pid for pid in found if queue.encode() in command(pid).split(b"\0")), None)

    def kill_worker(self, queue):
        """Without a word, and its child with it; the supervisor starts another one."""
        pid = until(f"a worker of {queue}", lambda: self.worker(queue))
        horses = children(pid)
        os.kill(pid, signal.SIGKILL)
        until("its child has ended", lambda: not any(command(horse) for horse in horses))

    def rows_of(self, kind, *conditions):
        with self.looking():
            query = select(*kind.__table__.columns).where(*conditions)
            return db.session.execute(query.order_by(kind.created_at)).all()

    def tasks(self):
        return self.rows_of(CodeTask, CodeTask.subject == self.subject)

    def at_work(self, but=()):
        """The task whose class has begun on its machine, if it is another than these."""
        running = [task for task in self.tasks() if task.state is TaskState.RUNNING and task.done]
        return next((task.id for task in running if task.id not in but), None)

    def a_minute_passes(self):
        """Since anybody was heard of who is dead; then what the ticker does each half minute."""
        now = datetime.now(UTC)
        past = now - long_runs.LOST_AFTER - timedelta(seconds=5)
        with self.rows():
            db.session.connection()  # as it does: SQLite's lock first
            running = DryRun.state == BacktestState.RUNNING
            db.session.execute(update(DryRun).where(running).values(heard_at=past))
            there = CodeTask.state.in_(OPEN)
            db.session.execute(update(CodeTask).where(there).values(watched_at=past))
            dry_runs.sweep(now)
            code_tasks.sweep(now)

    def is_tidy(self):
        """Whether no machine and no disk is left, in the cloud as in the rows."""
        found = self.cloud.snapshot()
        there = self.rows_of(CodeTask, CodeTask.gone_at.is_(None))
        return not (found["instances"] or found["disks"] or there)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cloud")
    with Cloud(boot=boot_in(folder / "computers"), halt=Computer.power_off) as cloud:
        made = Place(folder, cloud)
        made.start()
        yield made
        made.stop()
        assert cloud.violations() == []
        assert cloud.problems() == []
    shutil.rmtree(folder / "computers", ignore_errors=True)


def test_after_a_killed_worker_the_run_begins_again_on_another_machine(place):
    visitor, page = place.ask()
    first = until("the class is at work", place.at_work)
    place.kill_worker("backtests")
    place.a_minute_passes()
    second = until("another machine is at work", lambda: place.at_work([first]))
    states = {task.id: task.state for task in place.tasks()}
    assert states == {first: TaskState.DROPPED, second: TaskState.RUNNING}
    until("it passed", lambda: "It passed" in visitor.open(page).text)
    (run,) = place.rows_of(DryRun, DryRun.id == place.subject)
    assert (run.state, run.attempt, run.fault) == (BacktestState.DONE, 2, None)
    until("no machine is left", place.is_tidy)
    assert [task.state for task in place.tasks()] == [TaskState.DROPPED, TaskState.ANSWERED]


def test_a_run_whose_workers_die_twice_says_so_and_leaves_no_machine(place):
    visitor, page = place.ask()
    seen = []
    for _ in range(DryRun.ATTEMPTS):
        seen.append(until("the class is at work", lambda: place.at_work(seen)))
        place.kill_worker("backtests")
        place.a_minute_passes()
    until("it did not pass", lambda: "It did not pass" in visitor.open(page).text)
    assert "the worker was lost twice while it ran" in visitor.text
    until("no machine is left", place.is_tidy)
    assert [task.state for task in place.tasks()] == [TaskState.DROPPED] * len(seen)


def test_a_killed_fleet_worker_neither_doubles_nor_forgets_the_machine(place):
    visitor, page = place.ask()
    until("a machine is being made", place.tasks)
    place.kill_worker("fleet")
    task = until("the class is at work", place.at_work)
    assert len(place.cloud.snapshot()["instances"]) == 1
    place.kill_worker("fleet")
    until("it passed", lambda: "It passed" in visitor.open(page).text)
    place.kill_worker("fleet")
    until("no machine is left", place.is_tidy)
    (only,) = place.tasks()
    assert (only.id, only.state) == (task, TaskState.ANSWERED)
