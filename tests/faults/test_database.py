"""C28: the database ends its connections in the middle of a transaction, or is yesterday's."""

import pytest

from app.extensions import db
from app.models import Machine, Phase
from tests.faults.life import LEASE
from tests.faults.points import ANSWERED, LEASED, WRITTEN


def test_c28_cut_off_in_the_middle_of_a_transaction(life):
    """SQLite has no process of its own to be started anew: there the worker is killed instead."""
    workers = life.stage.workers
    life.asleep().start()
    workers.trip(*WRITTEN)
    horse = life.comes_to("a child stops at its point", workers.stopped)
    db.engine.dispose()
    if life.stage.database.cut():
        workers.go_on(horse)
        (told,) = life.stage.failed()
        assert "OperationalError" in told
        life.stage.forget_jobs()
        life.stage.pass_time(LEASE)
    else:
        life.strike("horse")
    life.settles(Phase.READY)
    assert life.generations() == [1]


@pytest.mark.parametrize("point", [LEASED, ANSWERED], ids=["leased", "answered"])
def test_c28_restored_from_yesterday(life, point):
    """The machine that it does not know of trades: it is left to a person, and no other one made.

    Its intent went with the rows, so the checks of rows against calls do not apply.
    """
    stage = life.stage
    life.asleep().start()
    stage.exchange(stage.database.keep)
    life.reaches(Phase.BOOTING).runner_behaves()
    (there,) = life.instances()
    stage.exchange(stage.database.put_back)
    assert life.all(Machine) == []
    life.cut("horse", *point)
    stage.pass_time(life.tempo.patience)
    life.reaches(Phase.BLOCKED)
    assert "somebody else" in life.compute.problem
    assert [it["id"] for it in life.instances()] == [there["id"]]
    assert life.asked("DELETE", "instances") == []
