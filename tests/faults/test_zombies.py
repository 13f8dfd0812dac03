"""C14, C26, C38: a worker that was held up for long goes on, beside one that took over."""

import pytest

from app.extensions import db
from app.models import Phase
from tests.faults.life import seconds
from tests.faults.points import ANSWERED, BEFORE_INSERTING, LEASED
from tests.model import checks as of_model


def held_up(life, point):
    """A worker's child that is stopped at that point; another worker is there from now on."""
    workers = life.stage.workers
    workers.trip(*point)
    horse = life.comes_to("a child stops at its point", workers.stopped)
    life.stage.forget_jobs()
    workers.start()
    return horse


def rows(life):
    """All that a step may write; whoever goes on must not be kept waiting for this look."""
    found = of_model.rows(life)
    db.session.rollback()
    return found


def goes_on_in_vain(life, horse):
    """What it has in hand is written by nobody any more. What it still asks comes to its end."""
    before = rows(life)
    life.stage.workers.go_on(horse)
    assert rows(life) == before, "a stale fence wrote something"
    life.stage.pass_time(seconds(5))


def test_c14_an_old_generation_is_asked_for_while_its_address_is_held(life):
    life.asleep().start()
    zombie = held_up(life, BEFORE_INSERTING)
    life.stage.pass_time(seconds(600))
    life.settles(Phase.READY)
    goes_on_in_vain(life, zombie)
    assert len(life.asked("POST", "instances")) == 2
    life.settles(Phase.READY)
    assert [it["labels"]["generation"] for it in life.instances()] == ["2"]


def test_c14_an_old_generation_is_asked_for_while_its_address_is_free(life):
    """It comes to be, gets nothing to trade with, and is gone before the next one."""
    life.asleep().start()
    zombie = held_up(life, BEFORE_INSERTING)
    life.stop()
    life.stage.pass_time(seconds(600))
    life.settles(Phase.ASLEEP)
    goes_on_in_vain(life, zombie)
    late = life.runner
    life.runner_behaves()
    assert late.stopped
    assert not late.granted
    name = late.vm.name
    life.start()
    life.settles(Phase.READY)
    assert name not in [it["name"] for it in life.instances()]


@pytest.mark.parametrize("point", [LEASED, ANSWERED], ids=["leased", "answered"])
def test_c26_a_waking_whose_lease_ran_out_in_the_middle(life, point):
    life.asleep().start()
    zombie = held_up(life, point)
    life.stage.pass_time(seconds(90))
    life.stage.look()
    life.stage.pass_time(life.tempo.patience)
    life.settles(Phase.READY)
    goes_on_in_vain(life, zombie)
    life.settles(Phase.READY)


@pytest.mark.parametrize("point", [LEASED, ANSWERED], ids=["leased", "answered"])
def test_c26_an_end_whose_lease_ran_out_in_the_middle(life, point):
    zombie = held_up(life.ripe(), point)
    life.stage.pass_time(seconds(90))
    life.settles(Phase.ASLEEP)
    goes_on_in_vain(life, zombie)
    life.settles(Phase.ASLEEP)
    assert len(life.asked("DELETE", "instances")) == 1


@pytest.mark.parametrize("point", [LEASED, ANSWERED], ids=["leased", "answered"])
def test_c38_the_same_job_runs_again_while_the_first_is_at_it(life, point):
    life.asleep().start()
    horse = held_up(life, point)
    before = rows(life)
    for _ in range(3):
        life.stage.ask("advance_bot", bot_id=life.bot_id)
    assert rows(life) == before
    life.stage.workers.go_on(horse)
    life.settles(Phase.READY)
    assert len(life.asked("POST", "instances")) == 1
