"""A bot's life, step by step, with a cloud that sometimes loses answers."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import bots, fleet, machines, runners, schedule, turns
from app.domain.errors import Gone, NotAllowed
from app.extensions import db
from app.gateways.compute.driver import Outcome, Result
from app.gateways.vault import Opener
from app.models import (
    AuditEvent,
    BotAddress,
    BotCompute,
    CloudOperation,
    Machine,
    OperationState,
    Phase,
    UsageInterval,
)
from runner.protocol import Claim, CommandKind, OrderStatus, PositionState, Sync
from tests import factories
from tests.domain.cloud import TinyCloud
from tests.factories import NOW, TEMPO, TESTER

SETTINGS = fleet.Settings(tempo=TEMPO, gate_url="http://127.0.0.1:1", in_flight=5)


class Life:
    """One bot, its cloud, its runner, and a clock moved by hand."""

    def __init__(self, keys):
        self.cloud = TinyCloud()
        self.now = NOW
        self.bot = factories.bot(factories.organisation())
        self.opener = Opener(keys.private)
        self.settings = SETTINGS
        db.session.commit()

    @classmethod
    def beside(cls, other):
        """Another bot of the same workspace, in the same cloud."""
        made = object.__new__(cls)
        made.__dict__ |= other.__dict__
        made.bot = factories.bot(other.bot.workspace)
        db.session.commit()
        return made

    @property
    def compute(self):
        return db.session.get(BotCompute, self.bot.id, populate_existing=True)

    @property
    def machine(self):
        return machines.current_machine(self.bot.id)

    def step(self):
        errand = fleet.begin(self.bot.id, self.now, self.settings)
        db.session.commit()
        if errand is not None:
            fleet.finish(errand, self.cloud.do(errand.step), self.now)
            db.session.commit()
        return errand

    def run(self, steps=8):
        for _ in range(steps):
            self.step()
        return self.compute.phase

    def pass_time(self, **values):
        self.now += timedelta(**values)

    def claim(self, boot="boot-1", token=None, generation=None, address=None, holds=0):
        machine = self.machine
        environment = self.cloud.environments[machine.name]
        answer = runners.claim(
            Claim(
                bot=self.bot.id,
                generation=generation or machine.generation,
                token=token or environment["PLUTARC_TOKEN"],
                boot_id=boot,
                runner_version="0",
                holds=holds,
            ),
            address=address or machine.ip,
            opener=self.opener,
            endpoints={},
            tempo=self.settings.tempo,
            now=self.now,
        )
        db.session.commit()
        self.claim_id = answer.claim_id
        return answer

    def report(self, state=PositionState.FLAT, orders=0, drained=False, claim_id=None):
        message = Sync(
            claim_id=claim_id or self.claim_id,
            sent_at=self.now,
            batch=(),
            position_state=state,
            open_orders=orders,
            drained=drained,
        )
        answer = runners.sync(message, now=self.now)
        db.session.commit()
        return {command.kind for command in answer.commands}

    def claim_when_there(self):
        assert self.run() is Phase.BOOTING
        self.claim()
        self.report()
        assert self.run() is Phase.READY

    def wake(self):
        bots.start(self.bot, by=TESTER, now=self.now)
        db.session.commit()
        self.claim_when_there()

    def stop(self):
        bots.stop(self.bot, by=TESTER, now=self.now)
        db.session.commit()
        self.run(2)


@pytest.fixture
def life(app, keys):
    return Life(keys)


def test_a_stopped_bot_gets_its_address_and_no_machine(life):
    assert life.run() is Phase.ASLEEP
    assert len(life.cloud.addresses) == 1
    assert life.cloud.machines == {}


def test_it_wakes_finishes_sleeps_and_wakes_at_the_same_address(life):
    life.wake()
    first = life.machine.ip
    life.stop()
    assert life.report() == {CommandKind.DRAIN}
    life.report(drained=True)
    assert life.run() is Phase.DRAINING
    life.pass_time(seconds=4)
    life.report(drained=True)
    assert life.run() is Phase.ASLEEP
    assert life.cloud.machines == {}
    life.pass_time(minutes=1)
    life.wake()
    assert life.machine.ip == first
    assert life.machine.generation == 2


def test_an_open_position_keeps_the_machine(life):
    life.wake()
    life.stop()
    for _ in range(5):
        life.pass_time(seconds=10)
        life.report(state=PositionState.OPEN, drained=True)
        assert life.run() is Phase.DRAINING
    life.report(drained=True)
    life.pass_time(seconds=4)
    life.report(drained=True)
    assert life.run() is Phase.ASLEEP


def test_wanted_again_while_finishing_it_goes_on(life):
    life.wake()
    life.stop()
    assert life.compute.phase is Phase.DRAINING
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    assert life.run() is Phase.READY
    assert life.report() == {CommandKind.CANCEL_DRAIN}


def test_a_dead_machine_is_replaced_even_when_the_bot_should_sleep(life):
    life.wake()
    life.report(state=PositionState.OPEN)
    life.stop()
    life.cloud.machines.clear()
    life.pass_time(seconds=6)
    assert life.run() is Phase.BOOTING
    assert life.machine.generation == 2
    answer = life.claim("boot-2")
    assert answer.configuration.draining
    life.report()
    life.pass_time(seconds=1)
    assert life.run() is Phase.DRAINING


def test_a_silent_machine_that_still_exists_is_left_alone(life):
    life.wake()
    life.pass_time(minutes=10)
    assert life.run() is Phase.READY
    assert len(life.cloud.machines) == 1


def test_a_runner_that_never_reports_is_replaced(life):
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    life.run()
    life.pass_time(seconds=61)
    life.run()
    assert life.machine.generation == 2


def test_a_lost_answer_to_the_insert_makes_no_second_machine(life):
    life.run()
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    errand = fleet.begin(life.bot.id, life.now, SETTINGS)
    db.session.commit()
    life.cloud.do(errand.step)
    fleet.finish(errand, Result(Outcome.UNKNOWN, "connection lost"), life.now)
    db.session.commit()
    life.pass_time(minutes=5)
    assert life.run() is Phase.BOOTING
    assert len(life.cloud.machines) == 1


def test_a_worker_lost_before_the_call_costs_only_time(life):
    life.run()
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    assert fleet.begin(life.bot.id, life.now, SETTINGS) is not None
    db.session.commit()
    assert fleet.begin(life.bot.id, life.now, SETTINGS) is None
    db.session.commit()
    life.pass_time(seconds=31)
    assert life.run() is Phase.BOOTING
    assert len(life.cloud.machines) == 1
    assert life.machine.generation == 2
    calls = db.session.scalars(select(CloudOperation)).all()
    assert sorted((call.generation, call.kind, call.state.value) for call in calls) == [
        (0, "reserve_address", "done"),
        (1, "delete_machine", "done"),
        (1, "insert_machine", "unknown"),
        (2, "insert_machine", "done"),
    ]
    (abandoned,) = [call for call in calls if call.state is OperationState.UNKNOWN]
    assert abandoned.detail == "its worker ended before the answer"


def test_a_late_answer_under_an_old_fence_writes_nothing(life):
    life.run()
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    late = fleet.begin(life.bot.id, life.now, SETTINGS)
    db.session.commit()
    life.pass_time(seconds=31)
    life.run(2)
    before = life.compute.phase
    assert not fleet.finish(late, Result(Outcome.FAILED, "too late"), life.now)
    db.session.commit()
    assert life.compute.phase is before


def test_a_permanent_failure_blocks_says_why_and_tries_again_later(life):
    life.run()
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    life.cloud.script = [Result(Outcome.FAILED, "no runner bundle for this exchange")]
    assert life.run() is Phase.BLOCKED
    assert life.compute.problem == "no runner bundle for this exchange"
    life.pass_time(minutes=16)
    assert life.run() is Phase.BOOTING


def test_a_temporary_failure_is_retried_with_a_pause(life):
    life.cloud.script = [Result(Outcome.RETRY, "busy")]
    assert life.run() is Phase.ADDR_WAIT
    life.pass_time(seconds=10)
    assert life.run() is Phase.ASLEEP


def test_every_call_that_changes_the_cloud_has_its_intent(life):
    life.wake()
    bots.delete(life.bot, typed_name=life.bot.name, by=TESTER, now=life.now)
    db.session.commit()
    life.run(2)
    life.report(drained=True)
    life.pass_time(seconds=4)
    life.report(drained=True)
    assert life.run() is Phase.RELEASED
    kinds = [row.kind for row in db.session.scalars(select(CloudOperation))]
    made = {"reserve_address", "insert_machine", "delete_machine", "release_address"}
    assert sorted(kinds) == sorted(made)
    states = {row.state for row in db.session.scalars(select(CloudOperation))}
    assert states == {OperationState.DONE}


def test_deleting_releases_machine_and_address(life):
    life.wake()
    bots.delete(life.bot, typed_name=life.bot.name, by=TESTER, now=life.now)
    db.session.commit()
    life.run(2)
    life.report(drained=True)
    life.pass_time(seconds=4)
    life.report(drained=True)
    assert life.run() is Phase.RELEASED
    assert (life.cloud.machines, life.cloud.addresses) == ({}, {})
    assert db.session.get(BotAddress, life.bot.id).released_at is not None


def test_usage_is_metered_by_the_same_changes(life):
    life.wake()
    life.pass_time(seconds=50)
    life.stop()
    life.report(drained=True)
    life.pass_time(seconds=4)
    life.report(drained=True)
    life.run()
    rows = {row.resource.value: row for row in db.session.scalars(select(UsageInterval))}
    assert rows["machine"].ended_at - rows["machine"].started_at == timedelta(seconds=54)
    assert rows["address"].ended_at is None


def test_a_schedule_puts_it_to_sleep_and_wakes_it_ahead_of_time(life):
    nap = schedule.session(list(range(7)), "12:01:00", "12:00:30")
    bots.reschedule(life.bot, schedule.schedule("UTC", [nap]), by=TESTER, now=life.now)
    life.wake()
    life.pass_time(seconds=31)
    life.report()
    life.run(2)
    life.report(drained=True)
    life.pass_time(seconds=4)
    life.report(drained=True)
    assert life.run() is Phase.ASLEEP
    assert life.compute.due_at == NOW + timedelta(seconds=57)
    life.now = NOW + timedelta(seconds=57)
    assert life.run() is Phase.BOOTING


def test_only_so_many_machines_start_at_once(life):
    few = fleet.Settings(tempo=TEMPO, gate_url="http://127.0.0.1:1", in_flight=0)
    life.run()
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    assert fleet.begin(life.bot.id, life.now, few) is None
    assert life.compute.due_at == life.now + turns.LOOKS_AGAIN


# -- the claim ------------------------------------------------------------------------------------


def test_a_claim_hears_how_much_was_stored_of_the_events_it_holds(life):
    life.wake()
    life.machine.ack_seq = 17
    life.stop()
    for _ in range(2):
        life.report(drained=True)
        life.pass_time(seconds=4)
    life.report(drained=True)
    assert life.run() is Phase.ASLEEP
    life.wake()
    answer = life.claim(holds=1)
    assert (answer.told, answer.next_seq) == (17, 1)
    assert life.claim(holds=7).told == 0


def test_a_later_boot_takes_over_and_the_earlier_one_must_stop(life):
    life.wake()
    earlier = life.claim_id
    life.claim("boot-2")
    with pytest.raises(Gone):
        life.report(claim_id=earlier)
    life.report()


def test_a_claim_needs_its_token_its_address_and_its_generation(life):
    life.wake()
    with pytest.raises(NotAllowed):
        life.claim(token="guess")
    with pytest.raises(NotAllowed):
        life.claim(address="127.0.0.1")
    with pytest.raises(NotAllowed):
        life.claim(generation=7)


def test_a_stale_generation_is_told_to_stop(life):
    life.wake()
    old, token = life.claim_id, life.cloud.environments[life.machine.name]["PLUTARC_TOKEN"]
    life.cloud.machines.clear()
    life.pass_time(seconds=6)
    assert life.run() is Phase.BOOTING
    with pytest.raises(Gone):
        life.report(claim_id=old)
    with pytest.raises(Gone):
        life.claim(token=token, generation=1)


def test_a_generation_that_went_to_sleep_never_claims_again(life):
    life.wake()
    token = life.cloud.environments[life.machine.name]["PLUTARC_TOKEN"]
    life.stop()
    life.report(drained=True)
    life.pass_time(seconds=4)
    life.report(drained=True)
    assert life.run() is Phase.ASLEEP
    life.wake()
    with pytest.raises(Gone):
        life.claim(token=token, generation=1)


def test_an_unknown_claim_learns_nothing(life):
    life.wake()
    with pytest.raises(NotAllowed):
        life.report(claim_id="mch_nobody.secret")


def test_a_new_boot_is_unknown_until_it_reports(life):
    life.wake()
    life.claim("boot-2")
    assert life.machine.position_state is PositionState.UNKNOWN


def test_waking_and_sleeping_are_in_the_audit_log(life):
    life.wake()
    query = select(AuditEvent.action).where(AuditEvent.actor_kind == "planner")
    assert list(db.session.scalars(query)) == ["bot.wake"]


def test_at_most_one_machine_row_is_alive(life):
    life.wake()
    twin = Machine(
        workspace_id=life.bot.workspace_id,
        bot_id=life.bot.id,
        generation=9,
        name="b-twin-g9",
        region="local",
        ip="127.64.9.9",
        token_hash="0" * 64,
        created_at=NOW,
    )
    db.session.add(twin)
    with pytest.raises(Exception, match=r"(?i)unique"):
        db.session.flush()
    db.session.rollback()


def test_a_claim_hands_over_the_orders_whose_end_nobody_told(life):
    life.wake()
    run = life.machine.run_id
    one = factories.order(life.bot, run, "pl-1", OrderStatus.OPEN)
    factories.order(life.bot, run, "pl-2", OrderStatus.CANCELLED)
    db.session.commit()
    (order,) = life.claim("boot-2").unsettled
    assert order.client_id == "pl-1"
    assert (order.quantity, order.status, order.decided_at) == (
        one.quantity,
        OrderStatus.OPEN,
        one.decided_at,
    )
