"""The step of a task's machine is cut short anywhere; the next one makes it whole."""

import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.domain import code_tasks
from app.domain.code_tasks import Wish
from app.extensions import db
from app.jobs import code_effect, effect
from app.models import CodeTask, TaskState
from tests import factories
from tests.domain.test_code_tasks import REQUEST
from tests.fakes.gce import Cloud
from tests.gateways.compute.gce_world import REGION, GceWorld
from tests.kill.cutting import killed_at

EFFECT, DOMAIN = "app/jobs/code_effect.py", "app/domain/code_machines.py"
CUTS = [(EFFECT, n) for n in range(1, 22, 4)] + [(DOMAIN, n) for n in range(3, 150, 30)]


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def engine_url(request):
    """Both databases: what a killed worker had begun is undone by each in its own way."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def world(app, monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Cloud(insert=0.1, delete=0.1) as cloud:
        made = GceWorld(cloud)
        monkeypatch.setattr(effect, "compute_driver", lambda _config: made.another())
        yield made
        assert cloud.violations() == []
        assert cloud.problems() == []


def asked(workspace_id, subject):
    wish = Wish(workspace_id, subject, REQUEST, REGION, 60)
    made = code_tasks.ask(wish, datetime.now(UTC))
    db.session.commit()
    return made


def at(column, task_id):
    """One value, without keeping others from the database a moment longer."""
    found = db.session.scalar(select(column).where(CodeTask.id == task_id))
    db.session.rollback()
    return found


def driven(task_id, column):
    """Take steps, however long their pauses are, until this moment of the task is noted."""
    for _ in range(200):
        if at(column, task_id) is not None:
            return
        past = datetime.now(UTC) - timedelta(seconds=1)
        db.session.execute(update(CodeTask).where(CodeTask.id == task_id).values(try_at=past))
        db.session.commit()
        code_effect.advance(task_id)
        time.sleep(0.02)
    raise AssertionError(f"the machine of {task_id} never came to it")


def test_cut_short_anywhere_there_is_one_machine_and_then_none(world):
    workspace = factories.organisation()
    db.session.commit()
    workspace_id, hits = workspace.id, 0
    for number, (place, line) in enumerate(CUTS):
        task_id = asked(workspace_id, f"drn_{number}")
        hits += killed_at(line, place, lambda task=task_id: driven(task, CodeTask.inserted_at))
        driven(task_id, CodeTask.inserted_at)
        (made,) = world.instances()
        assert made["name"] == at(CodeTask.machine, task_id), (place, line)
        code_tasks.leave(task_id, datetime.now(UTC))
        db.session.commit()
        hits += killed_at(line, place, lambda task=task_id: driven(task, CodeTask.gone_at))
        driven(task_id, CodeTask.gone_at)
        found = world.cloud.snapshot()
        assert (found["instances"], found["disks"]) == ([], []), (place, line)
        assert at(CodeTask.state, task_id) is TaskState.DROPPED
    assert hits >= len(CUTS), "most cuts hit"
