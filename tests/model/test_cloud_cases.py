"""Numbered fault cases that need operations, zones and late answers of a real cloud."""

from datetime import timedelta

import pytest

from app.domain import bots
from app.models import Phase
from tests.model.gce import ZONES


@pytest.fixture
def there(place):
    made = place()
    yield made
    made.close()


@pytest.fixture
def asleep(there):
    return there.bot("asleep")


def wakes(there, world, generation):
    """It comes to rest awake, with one machine, of this generation."""
    there.comes_to_rest()
    assert world.compute.phase is Phase.READY
    assert [vm.generation for vm in there.cloud.all] == [generation]


def asks_for_a_machine(world):
    """A worker begins and makes the call; the zones of the region are learned first."""
    world.wish(bots.start)
    world.step()
    return world.begin()


def test_c4_c10_a_call_whose_name_was_lost_and_forgotten(there, asleep):
    there.cloud.fake.configure(operation_ttl=1.0)
    asleep.do(asks_for_a_machine(asleep))
    asleep.pass_time(timedelta(seconds=31))
    wakes(there, asleep, 1)


def test_c11_a_zone_runs_out_while_its_machine_is_seen(there, asleep):
    there.cloud.fake.stockout(ZONES[0])
    held = asks_for_a_machine(asleep)
    asleep.do(held)
    asleep.finish(held)
    assert [vm.row["zone"].rpartition("/")[2] for vm in there.cloud.all] == [ZONES[0]]
    asleep.steps(6)
    assert asleep.machine.zone == ZONES[1]
    wakes(there, asleep, 2)


def test_c12_no_zone_has_a_machine_until_one_has(there, asleep):
    there.cloud.fake.stockout(*ZONES)
    asleep.wish(bots.start)
    asleep.steps(20)
    assert asleep.compute.phase is Phase.BLOCKED
    wakes(there, asleep, 4)


def test_c13_an_insertion_thought_lost_comes_after_the_next_one(there, asleep):
    held = asks_for_a_machine(asleep)
    asleep.do(held, "no answer, applied some time later")
    asleep.finish(held)
    asleep.pass_time(timedelta(minutes=2))
    asleep.steps(12)
    there.cloud.arrive()
    wakes(there, asleep, 2)


@pytest.mark.parametrize("weather", [{"address_lag": 45.0}, {"ghost": 30.0}])
def test_c21_c22_wanted_again_before_the_last_one_is_quite_gone(there, weather):
    world = there.bot("awake")
    there.cloud.fake.configure(**weather)
    there.cloud.fake.delete_by_hand(world.vm.name)
    world.pass_time(timedelta(seconds=6))
    world.steps(4)
    assert world.compute.generation == 1
    wakes(there, world, 2)


def test_c33_machines_start_one_after_another_where_one_may(there, asleep):
    other = there.bot("asleep")
    there.cloud.fake.configure(insert=9.0)
    for world in there.worlds:
        world.wish(bots.start)
    for _ in range(3):
        for world in there.worlds:
            world.step()
    phases = [world.compute.phase for world in there.worlds]
    assert sorted(phases) == [Phase.ASLEEP, Phase.CREATING]
    there.comes_to_rest()
    assert asleep.compute.phase is other.compute.phase is Phase.READY
