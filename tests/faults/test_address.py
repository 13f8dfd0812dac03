"""C1 to C6: the reservation of a bot's address, cut short."""

from app.models import CloudOperation, Phase
from tests.faults import strangers
from tests.faults.points import (
    ANSWERED,
    BEFORE_RESERVING,
    LEASED,
    WRITTEN,
    each_of_them,
    killing,
)


def one_reservation(life):
    """However often it was looked for, it was asked for once, and the bot has it."""
    life.settles(Phase.ASLEEP)
    assert len(life.asked("POST", "addresses")) == 1


@each_of_them
def test_c1_after_the_lease(life, whom):
    life.cut(whom, *LEASED)
    assert life.asked("POST", "addresses") == []
    one_reservation(life)


@each_of_them
def test_c2_between_intent_and_reservation(life, whom):
    life.cut(whom, *BEFORE_RESERVING)
    assert life.asked("POST", "addresses") == []
    one_reservation(life)


@each_of_them
def test_c3_reserved_and_the_answer_lost(life, whom):
    life.cut_at(whom, "POST addresses", "hold_after")
    assert len(life.addresses()) == 1
    one_reservation(life)


@each_of_them
def test_c4_answer_read_and_its_operation_not_kept(life, whom):
    life.cut(whom, *ANSWERED)
    assert [it.operation for it in life.all(CloudOperation)] == [""]
    one_reservation(life)


@killing("both")
def test_c4_written_and_not_committed(life, whom):
    life.cut(whom, *WRITTEN)
    assert [it.operation for it in life.all(CloudOperation)] == [""]
    one_reservation(life)


@each_of_them
def test_c5_operation_done_and_the_address_not_kept(life, whom):
    life.stage.look()
    life.comes_due()
    life.cut(whom, *ANSWERED)
    assert life.addresses()[0]["status"] == "RESERVED"
    assert life.address.ip is None
    one_reservation(life)


@killing("both")
def test_c6_an_address_of_an_earlier_life_is_taken_over(life, whom):
    strangers.address(life)
    (there,) = life.addresses()
    life.cut(whom, *ANSWERED)
    life.settles(Phase.ASLEEP)
    assert life.address.ip == there["address"]


def test_c6_it_came_between_look_and_request(life):
    """The cloud refuses with a conflict, and the next look finds it."""
    life.cloud.fault("POST addresses", "hold_before")
    life.comes_to("the cloud holds a call", life.cloud.held)
    life.cloud.calm()
    strangers.address(life)
    life.cloud.let_go()
    life.stage.done()
    life.settles(Phase.ASLEEP)
    codes = [call["code"] for call in life.asked("POST", "addresses")]
    assert codes == [200, 409]


def test_c6_of_another_tier_it_is_left_to_a_person(life):
    strangers.address(life, tier="PREMIUM")
    life.cut("horse", *ANSWERED)
    life.settles(Phase.BLOCKED)
    assert "GCE_NETWORK_TIER" in life.compute.problem
    assert life.address.ip is None
