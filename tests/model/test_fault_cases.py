"""The numbered fault cases that a small cloud of its own can play, in process, on both databases.

All forty are listed in ``tests/faults/cases.csv`` with the tests that play them. ``tests/faults``
has them with real processes that are killed, a real queue and the cloud's own client library.
Those that need operations, zones and late answers are played in process by
``test_cloud_cases.py``. C29 (a worker's clock minutes off) is part of the state machine on
PostgreSQL.
"""

from datetime import timedelta

import pytest

from app.domain import bots
from app.models import Phase
from tests.model import checks
from tests.model.cloud import Fate


@pytest.fixture
def awake(world):
    world.steps(2)
    world.wish(bots.start)
    world.wake()
    return world


@pytest.fixture
def finishing(awake):
    awake.wish(bots.stop)
    awake.steps(2)
    awake.runner.sync()
    return awake


def settles(world, phase):
    assert world.settle()
    assert world.compute.phase is phase
    checks.everything(world)


def test_c2_worker_lost_between_intent_and_reservation(world):
    world.begin()
    settles(world, Phase.ASLEEP)


@pytest.mark.parametrize("fate", [Fate.MUTE, Fate.LOST])
def test_c3_c5_answer_to_a_reservation_lost(world, fate):
    world.step(fate)
    settles(world, Phase.ASLEEP)
    assert len(world.cloud.addresses) == 1


def test_c1_c7_worker_lost_before_an_insertion(world):
    world.steps(2)
    world.wish(bots.start)
    world.begin()
    settles(world, Phase.READY)


@pytest.mark.parametrize("fate", [Fate.MUTE, Fate.LOST])
def test_c8_c9_answer_to_an_insertion_lost(world, fate):
    world.steps(2)
    world.wish(bots.start)
    world.step(fate)
    settles(world, Phase.READY)


def test_c14_c26_a_zombie_inserts_an_old_generation(world):
    world.steps(2)
    world.wish(bots.start)
    zombie = world.begin()
    world.pass_time(timedelta(minutes=10))
    settles(world, Phase.READY)
    world.do(zombie)
    assert not world.finish(zombie)
    checks.everything(world)
    assert world.vm.generation == 2


def test_c15_claim_doubled_or_its_answer_lost(world):
    world.steps(2)
    world.wish(bots.start)
    world.steps(2)
    world.runner.claim(answered=False)
    world.runner.claim()
    world.runner.claim()
    settles(world, Phase.READY)


def test_c16_guest_never_boots(world):
    world.steps(2)
    world.wish(bots.start)
    world.steps(2)
    world.pass_time(timedelta(seconds=61))
    world.steps(4)
    assert world.vm.generation == 2


def test_c17_restarted_host_while_finishing(finishing):
    before = finishing.runner
    finishing.vm.boots += 1
    finishing.runner.claim()
    before.sync()
    assert before.stopped
    finishing.vm.running = True
    settles(finishing, Phase.ASLEEP)


def test_c18_c19_nothing_is_deleted_on_an_old_word(finishing):
    finishing.runner.sync()
    finishing.pass_time(timedelta(seconds=31))
    finishing.steps(4)
    assert finishing.compute.phase is Phase.DRAINING


def test_c23_changed_minds_while_creating_and_deleting(awake):
    for verb in (bots.stop, bots.start, bots.stop, bots.start):
        awake.wish(verb)
        awake.step()
    settles(awake, Phase.READY)


def test_c24_machine_deleted_by_hand(awake):
    del awake.cloud.vms[awake.vm.name]
    awake.pass_time(timedelta(seconds=6))
    settles(awake, Phase.READY)


def test_c24_address_released_by_hand_is_never_replaced_in_silence(world):
    world.steps(2)
    world.cloud.addresses.clear()
    world.wish(bots.start)
    world.steps(2)
    assert world.compute.phase is Phase.BLOCKED
    assert not world.cloud.addresses


def test_c25_machine_stopped_by_hand(awake):
    awake.vm.running = False
    awake.pass_time(timedelta(seconds=6))
    settles(awake, Phase.READY)
