"""C18 to C22: the end of a machine, cut short; what forbids it, and what lingers after it."""

import pytest

from app.models import Phase
from tests.faults.points import (
    ANSWERED,
    BEFORE_DELETING,
    ENDED,
    LEASED,
    WRITTEN,
    each_of_them,
    killing,
)


def ends_once(life, deletions=1):
    life.settles(Phase.ASLEEP)
    assert len(life.asked("DELETE", "instances")) == deletions
    assert life.generations() == [1]


@each_of_them
def test_c20_decided_and_nothing_asked(life, whom):
    life.ripe().cut(whom, *BEFORE_DELETING)
    ends_once(life)


@each_of_them
def test_c20_lost_before_it_arrived(life, whom):
    life.ripe().cut_at(whom, "DELETE instances", "hold_before")
    life.cloud.let_go(goes_on=False)
    ends_once(life)


@killing("horse")
def test_c20_lost_before_it_arrived_and_arrives_late(life, whom):
    life.ripe().cut_at(whom, "DELETE instances", "hold_before")
    life.cloud.let_go()
    ends_once(life)


@each_of_them
def test_c20_deleted_and_the_answer_lost(life, whom):
    life.ripe().cut_at(whom, "DELETE instances", "hold_after")
    ends_once(life)


@each_of_them
def test_c20_deleted_and_the_answer_not_kept(life, whom):
    life.ripe().cut(whom, *ANSWERED)
    ends_once(life)


@killing("both")
@pytest.mark.parametrize("point", [LEASED, WRITTEN, ENDED], ids=["leased", "written", "kept"])
def test_c20_at_other_points(life, whom, point):
    life.ripe().cut(whom, *point)
    ends_once(life)


@killing("parent")
def test_c21_the_address_stays_in_use_after_its_machine_and_a_waking_is_due(life, whom):
    life.ripe()
    life.cloud.configure(address_lag=60)
    life.stage.look()
    life.start()
    life.comes_due()
    life.cut(whom, *ANSWERED)
    life.settles(Phase.READY)
    assert life.generations() == [1, 2]


@killing("both")
def test_c22_a_machine_is_shown_for_a_while_after_it_is_gone(life, whom):
    life.ripe()
    life.cloud.configure(ghost=60)
    life.stage.look()
    life.comes_due()
    life.cut(whom, *ANSWERED)
    life.start()
    life.settles(Phase.READY)
    assert life.generations() == [1, 2]


@killing("horse")
def test_c23_minds_change_while_it_is_being_made(life, whom):
    life.asleep().start()
    life.stage.look()
    life.stop()
    life.cut(whom, *LEASED)
    life.start()
    life.settles(Phase.READY)
    assert life.generations() == [1]


@killing("parent")
def test_c23_minds_change_while_it_is_being_deleted(life, whom):
    life.ripe().stage.look()
    assert life.phase is Phase.DELETING
    life.start()
    life.stop()
    life.start()
    life.cut(whom, *LEASED)
    life.settles(Phase.READY)
    assert life.generations() == [1, 2]
