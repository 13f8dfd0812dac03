"""A cloud that accepts a call and takes its time: nothing waits, nothing is asked for twice."""

from dataclasses import replace

import pytest
from sqlalchemy import select

from app.domain import bots, fleet
from app.extensions import db
from app.gateways.compute.driver import Cause, Outcome, Result, StepKind
from app.models import CloudOperation, OperationState, Phase
from tests.domain.test_fleet import SETTINGS, Life
from tests.factories import TESTER

UNDER_WAY = Result(Outcome.PENDING, operation="operation-1", cloud_id="77")


@pytest.fixture
def life(app, keys):
    return Life(keys)


@pytest.fixture
def inserting(life):
    """The insertion is accepted, and under way."""
    life.run()
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    life.cloud.script = [UNDER_WAY]
    life.step()
    return life


def operations(kind):
    query = select(CloudOperation).where(CloudOperation.kind == kind)
    return list(db.session.scalars(query.order_by(CloudOperation.started_at)))


def test_an_accepted_call_is_asked_for_by_its_name_under_the_same_request_id(inserting):
    (operation,) = operations("insert_machine")
    assert (operation.state, operation.operation) == (OperationState.PENDING, "operation-1")
    assert inserting.compute.phase is Phase.CREATING
    inserting.pass_time(seconds=2)
    inserting.cloud.script = [UNDER_WAY]
    inserting.step()
    inserting.pass_time(seconds=2)
    inserting.cloud.script = [None]
    inserting.step()
    first, second, third = (it for it in inserting.cloud.steps if it.kind == "insert_machine")
    assert (first.operation, second.operation) == ("", "operation-1")
    assert replace(second, environment=first.environment, operation="") == first
    assert third == second
    db.session.refresh(operation)
    assert operation.state is OperationState.DONE
    assert operation.finished_at == inserting.now
    assert operations("insert_machine") == [operation]
    assert inserting.compute.phase is Phase.BOOTING
    assert inserting.machine.inserted_at == inserting.now
    assert inserting.machine.cloud_id == "77"


def test_a_worker_that_ends_while_it_asks_loses_no_name(inserting):
    assert fleet.begin(inserting.bot.id, inserting.now, SETTINGS).step.operation == "operation-1"
    db.session.commit()
    inserting.pass_time(seconds=31)
    again = fleet.begin(inserting.bot.id, inserting.now, SETTINGS)
    assert again.step.operation == "operation-1"
    assert again.step.request_id == operations("insert_machine")[0].request_id


@pytest.mark.parametrize("outcome", [Outcome.RETRY, Outcome.FAILED, Outcome.UNKNOWN])
def test_what_ended_badly_is_never_asked_for_again(life, outcome):
    life.cloud.script = [UNDER_WAY, Result(outcome, "it failed", cause=Cause.TRANSIENT)]
    life.run(2)
    life.pass_time(minutes=20)
    life.run(3)
    first, _, last = (it for it in life.cloud.steps if it.kind is StepKind.RESERVE_ADDRESS)
    assert last.operation == ""
    assert last.request_id != first.request_id
    assert life.compute.phase is Phase.ASLEEP


def test_a_claim_overtakes_the_call_that_made_the_machine(inserting):
    step = next(it for it in inserting.cloud.steps if it.kind is StepKind.INSERT_MACHINE)
    inserting.cloud.machines[step.machine_name] = step.ip
    inserting.claim()
    inserting.report()
    assert inserting.run() is Phase.READY
    assert operations("insert_machine")[0].state is OperationState.UNKNOWN
    assert inserting.machine.generation == 1


def test_what_nobody_ends_is_given_up_and_proven_absent(inserting):
    inserting.pass_time(minutes=11)
    assert inserting.run() is Phase.BOOTING
    kinds = [step.kind.value for step in inserting.cloud.steps[1:]]
    assert kinds[:4] == ["insert_machine", "observe_machine", "delete_machine", "insert_machine"]
    assert inserting.machine.generation == 2


def test_a_call_under_way_counts_as_a_machine_that_starts(inserting):
    one = replace(SETTINGS, in_flight=1)
    second = Life.beside(inserting)
    second.settings = one
    second.run()
    bots.start(second.bot, by=TESTER, now=second.now)
    db.session.commit()
    assert second.run(3) is Phase.ASLEEP
    inserting.claim_when_there()
    assert second.run(3) is Phase.BOOTING


def test_an_address_and_a_deletion_are_waited_for_as_well(life):
    life.cloud.script = [UNDER_WAY]
    assert life.run(1) is Phase.ADDR_WAIT
    life.wake()
    life.stop()
    life.report(drained=True)
    life.pass_time(seconds=4)
    life.report(drained=True)
    life.cloud.script = [UNDER_WAY]
    life.step()
    assert life.compute.phase is Phase.DELETING
    life.step()
    assert life.compute.phase is Phase.ASLEEP
    assert [it.state for it in operations("delete_machine")] == [OperationState.DONE]
