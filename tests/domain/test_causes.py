"""What each refusal of a cloud leads to: another zone, a pause, a block, a shut region."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import bots, causes, deadlines, fleet, fleet_alarms, retries
from app.domain.errors import Conflict
from app.extensions import db
from app.gateways.compute.driver import Cause, Outcome, Result, StepKind
from app.models import BotAddress, CloudRegion, Machine, MachineConsole, Phase
from tests import factories, sql
from tests.domain.test_fleet import SETTINGS, Life
from tests.factories import TESTER

INSERT = StepKind.INSERT_MACHINE
WORDS = "Quota 'IN_USE_ADDRESSES' exceeded. Limit: 8.0 in region local."


def refusal(outcome, cause, detail=WORDS, **more):
    return Result(outcome, detail, cause=cause, **more)


QUOTA = refusal(Outcome.FAILED, Cause.QUOTA)
FULL = refusal(Outcome.RETRY, Cause.CAPACITY, "the zone is exhausted")


@pytest.fixture
def life(app, keys):
    """Asleep, and just wanted awake, in a cloud with zones."""
    life = Life(keys)
    life.settings = replace(SETTINGS, zoned=True)
    life.run()
    start(life)
    return life


def start(life):
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()


def neighbour(life):
    other = Life.beside(life)
    other.run()
    start(other)
    return other


def elsewhere(life):
    """A bot of another region."""
    other = Life.beside(life)
    other.bot = factories.bot(life.bot.workspace, region="far")
    other.run()
    start(other)
    return other


def calls(life, kind=INSERT):
    mine = [it for it in life.cloud.steps if it.bot == life.bot.id]
    return [it for it in mine if it.kind is kind]


def alarms():
    return {it.kind.value: it for it in fleet_alarms.open_alarms()}


# -- zones ----------------------------------------------------------------------------------------


def test_zones_are_asked_for_once_and_a_machine_is_made_in_one(life):
    assert life.run() is Phase.BOOTING
    other = neighbour(life)
    assert other.run() is Phase.BOOTING
    asked = [it for it in life.cloud.steps if it.kind is StepKind.LIST_ZONES]
    assert len(asked) == 1
    assert calls(life)[0].zone == life.machine.zone != ""
    assert life.machine.zone in db.session.get(CloudRegion, "local").zones


def test_a_zone_without_room_is_left_for_the_next_one_at_once(life):
    life.cloud.script = [None, FULL]
    assert life.run() is Phase.BOOTING
    first, second = calls(life)
    assert {first.zone, second.zone} == {"local-a", "local-b"}
    assert (first.generation, second.generation) == (1, 2)
    proven = calls(life, StepKind.DELETE_MACHINE)
    assert [(it.generation, it.zone) for it in proven] == [(1, first.zone)]
    other = neighbour(life)
    assert other.run() is Phase.BOOTING
    assert calls(other)[0].zone == second.zone


def test_without_room_in_any_zone_it_is_blocked_until_the_first_may_have_some(life):
    life.cloud.script = [None, FULL, None, FULL, None]
    began = life.now
    assert life.run(10) is Phase.BLOCKED
    assert life.compute.cause == "capacity"
    assert life.compute.retry_at == began + timedelta(minutes=5)
    life.pass_time(minutes=4)
    deadlines.sweep(life.now, SETTINGS.tempo)
    assert set(alarms()) == {"late_wake"}, "nobody is refused, and yet it does not wake"
    db.session.commit()
    life.pass_time(minutes=1)
    assert life.run() is Phase.BOOTING


# -- regions --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cause", [Cause.QUOTA, Cause.PERMISSION])
def test_a_shut_region_keeps_all_from_asking_and_one_tries_for_them(life, cause):
    other = neighbour(life)
    life.cloud.script = [None, refusal(Outcome.FAILED, cause)]
    assert life.run() is Phase.BLOCKED
    assert other.run() is Phase.BLOCKED
    assert calls(other) == []
    assert [life.compute.problem, other.compute.problem] == [WORDS, WORDS]
    assert {life.compute.cause, other.compute.cause} == {cause.value}
    assert set(alarms()) == {"region_shut"}
    life.pass_time(minutes=15, seconds=1)
    other.now = life.now
    life.cloud.script = [refusal(Outcome.FAILED, cause)]
    assert other.run() is Phase.BLOCKED
    assert life.run() is Phase.BLOCKED
    assert len(calls(life)) + len(calls(other)) == 2
    life.pass_time(minutes=15, seconds=1)
    other.now = life.now
    assert life.run() is Phase.BOOTING
    assert other.run() is Phase.BOOTING
    assert alarms() == {}
    assert life.compute.problem == ""


def test_a_person_who_mended_it_lets_one_try_at_once(life):
    life.cloud.script = [None, QUOTA]
    assert life.run() is Phase.BLOCKED
    fleet.retry(life.bot, life.now)
    db.session.commit()
    assert life.run() is Phase.BOOTING


def test_who_tries_again_takes_the_region_before_the_bot(life):
    life.cloud.script = [None, QUOTA]
    assert life.run() is Phase.BLOCKED
    with sql.told() as said:
        retries.now_for(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    changed = [it.split()[1] for it in said if it.startswith("UPDATE")]
    assert changed.index("cloud_region") < changed.index("bot_compute")
    with pytest.raises(Conflict):
        retries.now_for(life.bot, by=TESTER, now=life.now)
    assert life.run() is Phase.BOOTING


def test_too_few_addresses_keep_no_other_bot_from_waking(life):
    other = Life.beside(life)
    life.cloud.script = [QUOTA]
    assert other.run() is Phase.BLOCKED
    assert set(alarms()) == {"blocked"}
    assert life.run() is Phase.BOOTING


# -- one bot --------------------------------------------------------------------------------------


def test_a_rate_is_waited_out_for_a_minute_and_never_blocks(life):
    life.cloud.script = [None, refusal(Outcome.RETRY, Cause.RATE)]
    life.run(3)
    assert life.compute.phase is Phase.CREATING
    assert life.compute.due_at >= life.now + timedelta(minutes=1)
    life.pass_time(minutes=2)
    assert life.run() is Phase.BOOTING


def test_a_rate_keeps_the_whole_region_from_asking_and_nobody_else(life):
    other, far = neighbour(life), elsewhere(life)
    life.cloud.script = [None, refusal(Outcome.RETRY, Cause.RATE)]
    life.run(3)
    refused_at, asked = life.now, len(calls(life))
    assert other.run() is Phase.ASLEEP
    assert far.run() is Phase.BOOTING
    pauses = [it.compute.due_at - refused_at for it in (life, other)]
    assert all(timedelta(minutes=1) <= it <= timedelta(minutes=2) for it in pauses)
    assert pauses[0] != pauses[1], "they come back each for itself"
    for seconds in (30, 29):
        other.pass_time(seconds=seconds)
        fleet.poke(other.bot.id, other.now)
        other.run()
    assert (len(calls(life)), calls(other)) == (asked, [])
    assert life.compute.phase is Phase.CREATING
    assert other.compute.phase is Phase.ASLEEP
    assert alarms() == {}, "a rate is no block"
    for it in (life, other):
        it.now = refused_at + timedelta(minutes=2)
        assert it.run() is Phase.BOOTING


def test_while_the_region_waits_who_is_awake_is_told_to_finish_but_not_looked_at(life):
    life.claim_when_there()
    other = neighbour(life)
    life.cloud.script = [refusal(Outcome.RETRY, Cause.RATE)]
    other.run(3)
    life.pass_time(seconds=45)
    looks = len(calls(life, StepKind.OBSERVE_MACHINE))
    bots.stop(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    life.run(1)
    assert life.compute.phase is Phase.DRAINING
    life.run(3)
    assert len(calls(life, StepKind.OBSERVE_MACHINE)) == looks
    assert life.compute.due_at > life.now + timedelta(seconds=14)
    life.pass_time(minutes=2)
    life.run(1)
    assert len(calls(life, StepKind.OBSERVE_MACHINE)) == looks + 1


def test_a_call_under_way_is_still_followed_after_the_region_has_waited(life):
    life.cloud.script = [None, Result(Outcome.PENDING, operation="operation-1")]
    life.run(2)
    other = neighbour(life)
    life.cloud.script = [refusal(Outcome.RETRY, Cause.RATE)]
    other.run(2)
    life.pass_time(seconds=2)
    life.run(3)
    asked = len(calls(life))
    life.pass_time(minutes=2)
    life.run(1)
    assert calls(life)[asked].operation == "operation-1"


def test_what_is_invalid_blocks_the_bot_alone(life):
    life.cloud.script = [None, refusal(Outcome.FAILED, Cause.INVALID, "no such image")]
    assert life.run() is Phase.BLOCKED
    assert (life.compute.problem, life.compute.cause) == ("no such image", "invalid")
    assert alarms()["blocked"].bot_id == life.bot.id
    assert neighbour(life).run() is Phase.BOOTING


def test_an_older_machine_that_holds_the_address_is_deleted_first(life):
    assert life.run() is Phase.BOOTING
    old = life.machine
    life.claim()
    life.report()
    life.cloud.machines.clear()
    life.pass_time(seconds=6)
    life.run(2)
    life.pass_time(seconds=1)
    life.cloud.script = [
        refusal(Outcome.RETRY, Cause.HELD, f"{old.name} still has it", holder=old.name),
    ]
    assert life.run(12) is Phase.BOOTING
    deleted = [it.generation for it in calls(life, StepKind.DELETE_MACHINE)]
    assert deleted == [1, 2, 1]
    assert life.machine.generation == 3
    alive = select(Machine.generation).where(
        Machine.bot_id == life.bot.id, Machine.gone_at.is_(None)
    )
    assert db.session.scalars(alive).all() == [3]


def test_a_stranger_that_holds_the_address_is_named_and_left_alone(life):
    held = refusal(Outcome.RETRY, Cause.HELD, "web-1 still has the address", holder="web-1")
    life.cloud.script = [None, held]
    assert life.run() is Phase.BLOCKED
    assert "web-1" in life.compute.problem
    assert not calls(life, StepKind.DELETE_MACHINE)


def test_a_lost_address_rings_and_no_other_one_takes_its_place(life):
    ip = db.session.get(BotAddress, life.bot.id).ip
    life.cloud.script = [None, refusal(Outcome.FAILED, Cause.LOST, f"{ip} is no longer reserved")]
    assert life.run() is Phase.BLOCKED
    assert (life.compute.cause, set(alarms())) == ("lost", {"address_lost"})
    life.pass_time(minutes=16)
    assert life.run() is Phase.BOOTING
    address = db.session.get(BotAddress, life.bot.id, populate_existing=True)
    assert (address.ip, address.lost_at) == (ip, None)
    assert alarms() == {}


def test_a_conflict_is_looked_at_again_at_once_but_not_for_ever(life):
    life.cloud.script = [None] + [refusal(Outcome.RETRY, Cause.CONFLICT)] * 20
    life.run(20)
    assert life.compute.retry_at > life.now
    assert len(life.cloud.steps) < causes.CONFLICTS + 5


def test_a_refused_insertion_is_tried_less_and_less_often(life):
    life.cloud._insert_machine = lambda _: refusal(Outcome.RETRY, Cause.TRANSIENT, "busy")
    pauses = []
    for _ in range(60):
        life.step()
        pause = (life.compute.retry_at or life.now) - life.now
        if pause:
            pauses.append(pause)
            life.pass_time(seconds=pause.total_seconds())
    assert pauses[-1] > 10 * pauses[0]


# -- boots ----------------------------------------------------------------------------------------


def test_a_failed_boot_leaves_its_console_and_three_of_them_block(life):
    for _ in range(3):
        assert life.run() is Phase.BOOTING
        name = life.machine.name
        life.pass_time(seconds=61)
        life.run(3)
        (kept,) = [it.text for it in db.session.scalars(select(MachineConsole)) if name in it.text]
        assert kept == f"{name} wrote this"
        assert "boot_failed" in alarms()
    assert life.compute.phase is Phase.BLOCKED
    assert life.compute.cause == "boot"


def test_a_console_that_cannot_be_read_holds_nothing_up(life):
    assert life.run() is Phase.BOOTING
    life.pass_time(seconds=61)
    life.cloud.script = [refusal(Outcome.FAILED, Cause.PERMISSION, "no right to read it")]
    life.run()
    (kept,) = db.session.scalars(select(MachineConsole))
    assert "no right to read it" in kept.text
    assert life.machine.generation == 2
