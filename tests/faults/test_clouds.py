"""C30 to C33, C36, C39: a cloud that refuses, is hard to reach, or is shared with others."""

import pytest
from sqlalchemy import select

from app.domain import fleet_alarms
from app.extensions import db
from app.models import AlarmKind, BotCompute, CloudFind, FindState, Phase, SweepRun
from tests import factories
from tests.faults import strangers
from tests.faults.life import Life, seconds
from tests.faults.points import ANSWERED, killing
from tests.faults.stage import IN_FLIGHT, ZONES

RATE = {"code": 403, "reason": "rateLimitExceeded", "message": "Rate Limit Exceeded"}
REFUSALS = {
    "rate": ("error_before", RATE),
    "429": ("error_before", {"code": 429, "reason": "rateLimitExceeded"}),
    "500 before": ("error_before", {"code": 500}),
    "503 after": ("error_after", {"code": 503}),
    "502 html": ("error_before", {"code": 502, "html": True}),
    "cut before": ("drop_before", {}),
    "cut after": ("drop_after", {}),
}


def sweeps():
    found = [it.complete for it in db.session.scalars(select(SweepRun).order_by(SweepRun.at))]
    db.session.rollback()
    return found


@killing("both")
def test_c30_a_zone_that_does_not_answer_proves_nothing(life, whom):
    life.awake()
    life.stage.pass_time(seconds(180))
    life.runner_behaves()
    life.cloud.unreach(*ZONES)
    life.cloud.fault("GET aggregated", "hold_after")
    life.stage.hand_over("sweep_cloud")
    life.stage.until_held()
    life.stage.workers.strike(whom)
    life.stage.lose_jobs()
    life.cloud.let_go(goes_on=False)
    life.stage.pass_time(seconds(181))
    life.stage.ask("sweep_cloud")
    assert sweeps() == [False]
    life.settles(Phase.READY)
    assert life.generations() == [1]
    life.cloud.reach()
    life.stage.pass_time(seconds(60))
    life.stage.ask("sweep_cloud")
    assert sweeps() == [False, True]


@pytest.mark.parametrize("refusal", list(REFUSALS))
def test_c31_refused_for_a_while(life, refusal):
    mode, more = REFUSALS[refusal]
    life.asleep().start()
    life.cloud.fault("POST instances", mode, 2, **more)
    for _ in range(20):
        life.step()
        assert life.phase is not Phase.BLOCKED
        life.stage.pass_time(seconds(60))
        if life.phase is Phase.BOOTING:
            break
    life.settles(Phase.READY)
    rung = {it.kind for it in fleet_alarms.open_alarms()}
    assert AlarmKind.REGION_SHUT not in rung


def test_c32_no_address_left_for_one_bot_more(life, stage, keys):
    life.asleep()
    life.cloud.configure(static_addresses=1)
    other = Life(stage, keys)
    other.cut("horse", *ANSWERED)
    other.settles(Phase.BLOCKED)
    assert "STATIC_ADDRESSES" in other.compute.problem
    life.start()
    life.settles(Phase.READY)
    life.cloud.configure(static_addresses=2)
    other.settles(Phase.ASLEEP)


def test_c32_no_machine_left_for_one_bot_more(life):
    life.asleep().start()
    life.cloud.configure(instances=0)
    life.cut("horse", *ANSWERED)
    life.stage.pass_time(life.tempo.patience)
    life.settles(Phase.BLOCKED)
    life.cloud.configure(instances=1)
    life.settles(Phase.READY)


def test_c33_many_wake_in_the_same_minute(stage, keys):
    """Eight of fifty, three of eight at once: never more than that are on their way."""
    workspace = factories.organisation()
    lives = [Life(stage, keys, workspace) for _ in range(8)]
    for life in lives:
        life.asleep()
    for life in lives:
        life.start()
    on_their_way = []
    for look in range(60):
        stage.hint()
        if look == 3:
            stage.workers.kill(stage.workers.parents[-1])
            stage.lose_jobs()
            stage.workers.start()
            stage.pass_time(seconds(31))
        stage.done()
        on_their_way.append(of_phase(Phase.CREATING) + of_phase(Phase.BOOTING))
        for life in lives:
            life.runner_behaves()
        if of_phase(Phase.READY) == len(lives):
            break
        stage.pass_time(seconds(2))
    assert max(on_their_way) == IN_FLIGHT
    for life in lives:
        life.settles(Phase.READY)


def of_phase(phase):
    query = select(db.func.count()).select_from(BotCompute).where(BotCompute.phase == phase)
    found = db.session.scalar(query)
    db.session.rollback()
    return found


@killing("parent")
def test_c36_an_operation_that_failed_without_saying_so(life, whom):
    life.asleep().start()
    life.cloud.fail_next("insert", "INTERNAL_ERROR", "Internal error.", fields=False)
    life.stage.look()
    life.comes_due()
    life.cut(whom, *ANSWERED)
    life.settles(Phase.READY)
    assert life.generations() == [1, 2]


def test_c39_another_installation_has_an_address_of_that_name(life):
    strangers.address(life, env="other")
    life.cut("horse", *ANSWERED)
    life.settles(Phase.BLOCKED)
    assert "not of this installation" in life.compute.problem
    assert life.address.ip is None
    assert len(life.addresses()) == 1


def test_c39_a_machine_of_another_installation_is_no_find(life):
    strangers.machine(life, "b-elsewhere-g1", env="other")
    strangers.machine(life, "b-forgotten-g1", env="faults")
    life.awake()
    for _ in range(3):
        life.stage.pass_time(seconds(700))
        life.runner_behaves()
        life.stage.ask("sweep_cloud")
    life.settles(Phase.READY)
    found = {it.name: it.state for it in db.session.scalars(select(CloudFind))}
    assert found["b-forgotten-g1"] is FindState.HELD
    assert "b-elsewhere-g1" not in found
    assert not [call for call in life.cloud.calls() if call["verb"] == "DELETE"]
