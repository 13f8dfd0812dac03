"""Races between planner, gate and people, each reduced to its shortest form."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import bots, fleet, runners, schedule
from app.extensions import db
from app.gateways.compute.driver import MachineState, Outcome, Result
from app.models import AuditEvent, Phase, Resource, UsageInterval
from runner.protocol import PositionState, Sync
from tests.domain.test_fleet import SETTINGS, Life
from tests.factories import NOW, TESTER


@pytest.fixture
def life(app, keys):
    return Life(keys)


def act(life, verb, **values):
    verb(life.bot, by=TESTER, now=life.now, **values)
    db.session.commit()


def begin(life):
    errand = fleet.begin(life.bot.id, life.now, SETTINGS)
    db.session.commit()
    return errand


def finish(life, errand, result):
    taken = fleet.finish(errand, result, life.now)
    db.session.commit()
    return taken


def test_a_drain_acknowledged_before_it_was_called_off_proves_nothing(life):
    life.wake()
    life.stop()
    life.report(drained=True)
    act(life, bots.start)
    life.step()
    life.report(drained=True)  # its answer calls the drain off: from here on it may enter
    act(life, bots.stop)
    life.run(2)
    life.pass_time(seconds=4)
    assert life.run() is Phase.DRAINING
    life.report(drained=True)
    life.pass_time(seconds=4)
    life.report(drained=True)
    assert life.run() is Phase.ASLEEP


def test_a_claim_that_repeats_a_boot_makes_no_old_report_fresh(life):
    life.wake()
    life.stop()
    life.report(drained=True)
    life.pass_time(seconds=40)
    life.claim("boot-1")
    assert life.run() is Phase.DRAINING


def test_a_claim_while_finishing_goes_on_finishing_until_the_planner_calls_it_off(life):
    life.wake()
    life.stop()
    act(life, bots.start)
    assert life.claim("boot-2").configuration.draining
    act(life, bots.stop)
    life.report(drained=True)
    life.pass_time(seconds=4)
    life.report(drained=True)
    assert life.run() is Phase.ASLEEP


def test_a_claim_that_is_told_to_finish_can_be_told_to_go_on(life):
    life.wake()
    act(life, bots.stop)
    assert life.claim("boot-2").configuration.draining
    assert life.compute.phase is Phase.DRAINING
    act(life, bots.start)
    assert life.run() is Phase.READY
    assert {command.value for command in life.report()} == {"cancel_drain"}


def test_a_report_from_the_future_is_not_fresh(life):
    life.wake()
    life.stop()
    life.pass_time(minutes=5)
    life.report(drained=True)
    life.pass_time(seconds=4)
    life.report(drained=True)
    life.pass_time(minutes=-3)
    assert life.run() is Phase.DRAINING


def test_a_late_look_does_not_deny_a_machine_that_has_spoken_since(life):
    life.run()
    act(life, bots.start)
    inserted = begin(life)
    life.cloud.do(inserted.step)
    finish(life, inserted, Result(Outcome.UNKNOWN, "connection lost"))
    life.pass_time(minutes=5)
    look = begin(life)
    life.claim()
    assert finish(life, look, Result(Outcome.DONE, machine=MachineState.ABSENT))
    assert life.compute.phase is Phase.READY
    assert life.run() is Phase.READY
    assert life.machine.generation == 1


def test_a_vanished_machine_is_deleted_before_the_next_generation_may_come(life):
    life.wake()
    life.cloud.machines.clear()
    life.pass_time(seconds=6)
    life.run()
    kinds = [kind.value for kind in life.cloud.calls]
    assert kinds[2:5] == ["observe_machine", "delete_machine", "insert_machine"]


def test_a_refusal_that_comes_after_the_claim_blocks_nothing(life):
    life.run()
    act(life, bots.start)
    inserted = begin(life)
    life.cloud.do(inserted.step)
    life.claim()
    assert finish(life, inserted, Result(Outcome.FAILED, "it exists already"))
    assert life.compute.phase is Phase.READY


def test_an_answer_counts_once(life):
    life.run()
    act(life, bots.delete, typed_name=life.bot.name)
    released = begin(life)
    answer = life.cloud.do(released.step)
    assert finish(life, released, answer)
    assert not finish(life, released, answer)
    query = select(AuditEvent.id).where(AuditEvent.action == "bot.released")
    assert len(db.session.scalars(query).all()) == 1


def test_usage_never_runs_backwards(life):
    life.wake()
    life.pass_time(seconds=6)
    life.step()
    life.cloud.machines.clear()
    held = begin(life)
    if held is None:
        life.pass_time(seconds=6)
        held = begin(life)
    answer = life.cloud.do(held.step)
    life.pass_time(minutes=-2)
    finish(life, held, answer)
    life.run()
    query = select(UsageInterval).where(UsageInterval.resource == Resource.MACHINE)
    first, second = db.session.scalars(query.order_by(UsageInterval.generation))
    assert first.started_at <= first.ended_at <= second.started_at


def report_at(life, sent_at, **values):
    message = Sync(
        claim_id=life.claim_id,
        sent_at=sent_at,
        batch=(),
        open_orders=0,
        **values,
    )
    runners.sync(message, now=life.now)
    db.session.commit()


def test_a_report_held_up_on_its_way_does_not_undo_a_later_one(life):
    life.wake()
    report_at(life, NOW + timedelta(seconds=9), position_state=PositionState.OPEN, drained=False)
    report_at(life, NOW + timedelta(seconds=5), position_state=PositionState.FLAT, drained=True)
    assert life.machine.position_state is PositionState.OPEN
    assert not life.machine.drained


def test_a_hint_does_not_put_off_what_the_worker_has_decided_since(life):
    nap = schedule.session(list(range(7)), "12:30:00", "12:40:00")
    act(life, bots.reschedule, plan=schedule.schedule("UTC", [nap]))
    due = fleet.due(life.now)
    life.run()
    later = life.compute.due_at
    fleet.hinted(due, life.now)
    db.session.commit()
    assert life.compute.due_at == later
