"""C7 to C13: the insertion of a machine, cut short, refused, late."""

from app.models import CloudOperation, Phase
from tests.faults.life import seconds
from tests.faults.points import ANSWERED, BEFORE_INSERTING, ENDED, LEASED, each_of_them, killing
from tests.faults.stage import ZONES
from tests.waiting import until

FULL = "ZONE_RESOURCE_POOL_EXHAUSTED"


def wakes(life, generations):
    """Its machine trades at its address; so many generations it took, and one is left."""
    life.settles(Phase.READY)
    assert life.generations() == list(range(1, generations + 1))


def asked_for(life):
    """It is wanted awake, and the next look asks for its machine."""
    life.asleep().start()
    return life


def under_way(life):
    """The cloud has accepted the insertion, and is at it."""
    asked_for(life).stage.look()
    assert life.phase is Phase.CREATING
    return life


def given_up(life):
    """A generation that nobody can have seen is looked for until patience ends, then deleted."""
    life.stage.pass_time(life.tempo.patience)
    wakes(life, 2)
    assert len(life.asked("POST", "instances")) == 1


@each_of_them
def test_c1_c7_the_generation_is_counted_and_nothing_asked(life, whom):
    asked_for(life).cut(whom, *LEASED)
    given_up(life)


@each_of_them
def test_c7_looked_and_about_to_insert(life, whom):
    asked_for(life).cut(whom, *BEFORE_INSERTING)
    given_up(life)


@each_of_them
def test_c8_inserted_and_the_answer_lost(life, whom):
    asked_for(life).cut_at(whom, "POST instances", "hold_after")
    assert len(life.instances()) == 1
    wakes(life, 1)


@each_of_them
def test_c8_inserted_and_the_answer_not_kept(life, whom):
    asked_for(life).cut(whom, *ANSWERED)
    assert len(life.instances()) == 1
    wakes(life, 1)


@each_of_them
def test_c9_never_arrived_and_no_answer(life, whom):
    asked_for(life).cut_at(whom, "POST instances", "hold_before")
    life.cloud.let_go(goes_on=False)
    given_up(life)


@each_of_them
def test_c10_the_operation_is_kept_and_expires(life, whom):
    """Whether its end came to be seen or not, the cloud has forgotten it when it is asked for."""
    asked_for(life).cut(whom, *ENDED)
    (operation,) = [it.operation for it in life.all(CloudOperation) if it.generation]
    assert operation
    life.cloud.configure(operation_ttl=5)
    life.stage.pass_time(seconds(10))
    wakes(life, 1)


@killing("horse")
def test_c11_a_zone_without_room_whose_machine_was_seen(life, whom):
    life.asleep()
    life.cloud.configure(stockout=60)
    life.cloud.fail_next("insert", FULL, "The zone has none left.", httpErrorStatusCode=503)
    under_way(life).comes_due()
    life.cut(whom, *LEASED)
    (zone,) = life.zones()
    life.settles(Phase.READY)
    assert life.generations() == [1, 2]
    assert life.zones() != [zone]


@killing("parent")
def test_c12_no_zone_has_room_until_one_has(life, whom):
    life.cloud.stockout(*ZONES)
    asked_for(life).reaches(Phase.BLOCKED)
    life.cloud.room()
    life.comes_due()
    life.cut(whom, *BEFORE_INSERTING)
    life.settles(Phase.READY)
    tried = {call["path"].split("/")[-2] for call in life.asked("POST", "instances")}
    assert tried == set(ZONES)


@killing("both")
def test_c13_the_first_zone_makes_it_after_all_when_another_was_chosen(life, whom):
    held = asked_for(life).cut_at(whom, "POST instances", "hold_before")
    zone = held["path"].split("/")[-2]
    life.cloud.stockout(zone)
    life.stage.pass_time(life.tempo.patience)
    life.settles(Phase.READY)
    life.cloud.room()
    before = len(life.asked("POST", "instances"))
    life.cloud.let_go()
    until("it arrives", lambda: len(life.asked("POST", "instances")) > before)
    life.stage.pass_time(seconds(5))
    life.settles(Phase.READY)
    assert zone not in life.zones()
