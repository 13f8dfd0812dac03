"""A database that is an old copy meets machines of its own names that it never started."""

import pytest
from sqlalchemy import select

from app.domain import bots, fleet, fleet_alarms, machines, sweep_books, sweep_rules
from app.extensions import db
from app.gateways.compute.driver import Cause, MachineState, Outcome, Result, SeenMachine
from app.models import AlarmKind, Machine, Phase
from tests.domain.test_fleet import SETTINGS, Life
from tests.factories import TESTER


@pytest.fixture
def restored(app, keys):
    """The first machine of the bot runs; the row of it was lost."""
    life = Life(keys)
    life.run()
    (ip,) = life.cloud.addresses.values()
    life.name = f"b-{life.bot.id.removeprefix('bot_')}-g1"
    life.cloud.machines[life.name] = ip
    life.cloud.strangers.add(life.name)
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    return life


def test_a_machine_that_it_did_not_start_is_left_alone_and_a_person_called(restored):
    assert restored.run() is Phase.BLOCKED
    assert restored.machine is None
    assert restored.compute.generation == 1
    assert "somebody else" in restored.compute.problem
    assert [it.kind for it in fleet_alarms.open_alarms()] == [AlarmKind.BLOCKED]
    restored.pass_time(minutes=5)
    restored.run()
    assert restored.name in restored.cloud.machines


def test_a_sweep_leaves_it_to_a_person(restored):
    restored.run()
    restored.pass_time(hours=1)
    seen = SeenMachine(restored.name, "local", "", MachineState.RUNNING, None)
    books = sweep_books.read([seen.name], restored.now)
    assert sweep_rules.of_machine(seen, books, restored.now, sweep_rules.Patience()).hold
    restored.cloud.machines.clear()
    restored.cloud.strangers.clear()
    assert restored.run() is Phase.BOOTING
    own = restored.machine.name
    assert sweep_books.read([own], restored.now).borne == {own}


def test_nor_is_it_taken_over_by_a_look_after_the_answer_was_lost(restored):
    errand = fleet.begin(restored.bot.id, restored.now, SETTINGS)
    db.session.commit()
    fleet.finish(errand, Result(Outcome.UNKNOWN, "connection lost"), restored.now)
    db.session.commit()
    restored.pass_time(seconds=5)
    assert restored.run() is Phase.BLOCKED
    assert restored.name in restored.cloud.machines
    assert restored.machine is None


def test_nor_deleted_after_the_worker_was_lost_and_time_has_passed(restored):
    fleet.begin(restored.bot.id, restored.now, SETTINGS)
    db.session.commit()
    restored.pass_time(minutes=30)
    assert restored.run() is Phase.BLOCKED
    assert restored.name in restored.cloud.machines


def test_a_retry_takes_the_next_generation_once_the_address_is_free(restored):
    restored.run()
    held = Result(Outcome.RETRY, "held", cause=Cause.HELD, holder=restored.name)
    restored.cloud.script = [held]
    fleet.retry(restored.bot, restored.now)
    db.session.commit()
    assert restored.run() is Phase.BLOCKED
    assert restored.name in restored.cloud.machines
    restored.cloud.machines.clear()  # a person has decided
    fleet.retry(restored.bot, restored.now)
    db.session.commit()
    assert restored.run() is Phase.BOOTING
    assert restored.name not in db.session.scalars(select(Machine.name)).all()
    assert machines.current_machine(restored.bot.id).generation > 1


def test_a_machine_that_was_seen_as_ours_needs_no_proof_again(app, keys):
    life = Life(keys)
    life.wake()
    life.cloud.strangers.add(life.machine.name)
    life.pass_time(minutes=1)
    assert life.run() is Phase.READY
