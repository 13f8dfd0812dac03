"""C15 to C19, C25, C35: what happens to a machine that runs, while workers are killed."""

import pytest
from sqlalchemy import select

from app.domain import fleet_alarms
from app.extensions import db
from app.models import AlarmKind, MachineConsole, Phase
from tests.faults.life import seconds
from tests.faults.points import ANSWERED, LEASED, killing

LONGEST = 120 * 86400


def name_of(life):
    (instance,) = life.instances()
    return instance["name"]


@killing("horse")
def test_c15_the_claim_lost_and_doubled(life, whom):
    life.asleep().start()
    life.reaches(Phase.BOOTING)
    life.runner.claim(answered=False)
    life.cut(whom, *ANSWERED)
    life.runner.claim()
    life.runner.claim()
    life.settles(Phase.READY)
    assert life.generations() == [1]


@killing("parent")
def test_c16_a_guest_that_never_boots(life, whom):
    life.asleep().start()
    life.reaches(Phase.BOOTING)
    life.runner.stop()
    life.cloud.write_console(name_of(life), "no such kernel")
    life.stage.pass_time(life.tempo.boot_deadline)
    life.cut(whom, *LEASED)
    life.settles(Phase.READY)
    assert life.generations() == [1, 2]
    assert [it.text for it in all_consoles()] == ["no such kernel"]


def all_consoles():
    return db.session.scalars(select(MachineConsole)).all()


@killing("both")
def test_c17_a_restarted_host_claims_anew_and_the_old_boot_is_told_to_stop(life, whom):
    life.awake()
    before = life.runner
    life.stage.pass_time(seconds(6))
    life.cloud.restart_host(name_of(life))
    assert life.runner is not before
    life.cut(whom, *ANSWERED)
    life.runner_behaves()
    before.sync()
    assert before.stopped
    life.settles(Phase.READY)
    assert life.generations() == [1]


def test_c18_a_position_that_opens_after_the_drain_was_acknowledged(life):
    life.ripe()
    life.position = True
    life.runner.sync()
    for _ in range(3):
        life.step()
        life.runner.sync()
    assert life.phase is Phase.DRAINING
    assert life.asked("DELETE", "instances") == []
    life.position = False
    life.settles(Phase.ASLEEP)


@killing("horse")
def test_c19_flat_but_said_too_long_ago(life, whom):
    life.ripe()
    life.stage.pass_time(seconds(31))
    life.cut(whom, *ANSWERED)
    for _ in range(2):
        life.step()
    assert life.phase is Phase.DRAINING
    assert life.asked("DELETE", "instances") == []
    life.settles(Phase.ASLEEP)


@pytest.mark.parametrize("status", ["TERMINATED", "SUSPENDED"])
def test_c25_a_machine_stopped_by_hand(life, status):
    life.awake()
    life.cloud.terminate(name_of(life), status)
    life.stage.pass_time(seconds(30))
    life.cut("horse", *ANSWERED)
    life.settles(Phase.READY)
    assert life.generations() == [1, 2]


@killing("both")
def test_c24_a_machine_deleted_by_hand_comes_back_even_if_it_was_to_sleep(life, whom):
    """What it held nobody knows, so somebody has to look after it first."""
    life.awake()
    life.cloud.delete_by_hand(name_of(life))
    life.stop()
    life.stage.pass_time(seconds(30))
    life.cut(whom, *ANSWERED)
    life.reaches(Phase.CREATING)
    life.settles(Phase.ASLEEP)
    assert life.generations() == [1, 2]


def test_c24_an_address_released_by_hand_is_never_replaced(life):
    life.asleep()
    life.cloud.release_by_hand(life.address_name)
    life.start()
    life.cut("horse", *LEASED)
    life.stage.pass_time(life.tempo.patience)
    life.settles(Phase.BLOCKED)
    assert life.addresses() == []
    assert len(life.asked("POST", "addresses")) == 1
    assert AlarmKind.ADDRESS_LOST in {it.kind for it in fleet_alarms.open_alarms()}


def test_c35_the_longest_run_time_ends_a_machine_with_an_open_position(life):
    life.awake()
    life.position = True
    life.runner.sync()
    life.stop()
    life.cloud.advance(LONGEST + 60)
    assert life.instances() == []
    life.stage.pass_time(seconds(30))
    life.cut("horse", *ANSWERED)
    life.reaches(Phase.BOOTING)
    life.runner_behaves()
    life.position = False
    life.settles(Phase.ASLEEP)
    assert life.generations() == [1, 2]
