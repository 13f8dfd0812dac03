"""What takes too long rings, and what is over rings no more."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.domain import bots, deadlines, fleet_alarms, renewals, schedule
from app.extensions import db
from app.gateways.compute.driver import Outcome, Result
from app.models import Phase
from app.models.compute import Renewal
from runner.protocol import PositionState
from tests.domain.test_fleet import Life
from tests.factories import NOW, TEMPO, TESTER

CLOUD = replace(TEMPO, longest_run=timedelta(days=120))
UNDER_WAY = Result(Outcome.PENDING, operation="operation-1")


@pytest.fixture
def life(app, keys):
    return Life(keys)


def ringing(life, tempo=TEMPO):
    deadlines.sweep(life.now, tempo)
    db.session.commit()
    return {it.kind.value for it in fleet_alarms.open_alarms()}


def start(life):
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()


@pytest.mark.parametrize("phase", [Phase.ADDR_WAIT, Phase.CREATING, Phase.DELETING])
def test_a_phase_that_does_not_pass_rings_until_it_has(life, phase):
    if phase is Phase.CREATING:
        life.run()
        start(life)
    elif phase is Phase.DELETING:
        life.wake()
        life.cloud.machines.clear()
        life.pass_time(seconds=6)
        life.step()
    life.cloud.script = [UNDER_WAY]
    life.step()
    assert life.compute.phase is phase
    assert "phase_deadline" not in ringing(life)
    life.pass_time(seconds=121)
    assert "phase_deadline" in ringing(life)
    life.run()
    assert "phase_deadline" not in ringing(life)


def test_a_bot_that_is_never_looked_at_rings(life):
    life.pass_time(seconds=121)
    assert ringing(life) == {"phase_deadline"}


def test_a_boot_that_nobody_ends_rings(life):
    life.run()
    start(life)
    assert life.run() is Phase.BOOTING
    life.pass_time(seconds=121)
    assert "phase_deadline" in ringing(life)


def test_a_silent_runner_and_a_long_drain_ring(life):
    life.wake()
    assert ringing(life) == set()
    life.stop()
    life.pass_time(hours=25)
    assert ringing(life) == {"phase_deadline", "long_drain"}
    life.report(state=PositionState.OPEN, drained=True)
    assert ringing(life) == {"long_drain"}


def test_a_wake_past_its_lead_rings_by_the_schedule_s_own_moment(life):
    nap = schedule.session(list(range(7)), "12:01:00", "12:30:00")
    bots.reschedule(life.bot, schedule.schedule("UTC", [nap]), by=TESTER, now=life.now)
    life.run()
    start(life)
    assert life.run() is Phase.ASLEEP
    life.now = NOW + timedelta(seconds=59)
    life.cloud.script = [Result(Outcome.RETRY, "busy")]
    life.step()
    assert life.compute.wanted_at == NOW + timedelta(seconds=57)
    assert ringing(life) == set()
    life.pass_time(seconds=2)
    assert ringing(life) == set()
    life.pass_time(seconds=30)
    assert ringing(life) == {"late_wake"}
    life.pass_time(seconds=20)
    life.claim_when_there()
    assert ringing(life) == set()
    machine = life.machine
    assert (machine.wanted_at, machine.claimed_at) == (NOW + timedelta(seconds=57), life.now)
    assert machine.wanted_at < machine.created_at <= machine.inserted_at <= machine.running_at


def test_a_click_is_measured_from_the_click(life):
    life.run()
    life.pass_time(hours=1)
    start(life)
    life.step()
    assert life.compute.wanted_at == life.now


def test_a_block_rings_until_the_bot_goes_on(life):
    life.cloud.script = [Result(Outcome.FAILED, "no such tier")]
    assert life.run() is Phase.BLOCKED
    assert ringing(life) == {"blocked"}
    life.pass_time(minutes=16)
    life.run()
    assert ringing(life) == set()


def test_an_old_machine_is_renewed_while_flat_and_rings_before_its_end(life):
    life.wake()
    for tempo, renewal in ((TEMPO, None), (CLOUD, None)):
        deadlines.renew(life.now, tempo)
        assert life.compute.renewal is renewal
    life.pass_time(days=91)
    deadlines.renew(life.now, TEMPO)
    assert life.compute.renewal is None
    deadlines.renew(life.now, CLOUD)
    assert life.compute.renewal is Renewal.WHEN_FLAT
    life.report()
    assert ringing(life, CLOUD) == set()
    life.pass_time(days=23)
    life.report()
    assert ringing(life, CLOUD) == {"machine_old"}


def test_one_that_never_sleeps_is_renewed_by_age_though_it_waits_for_its_next_wake(life):
    life.wake()
    renewals.ask(life.bot, Renewal.NEXT_WAKE, "a newer runner", by=TESTER, now=life.now)
    life.pass_time(days=91)
    deadlines.renew(life.now, CLOUD)
    assert life.compute.renewal is Renewal.WHEN_FLAT
    renewals.ask(life.bot, Renewal.DRAIN, "a newer runner", by=TESTER, now=life.now)
    deadlines.renew(life.now, CLOUD)
    assert life.compute.renewal is Renewal.DRAIN, "this one goes soon enough"
