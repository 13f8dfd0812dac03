"""Answers that are no ordinary end of a step: machines that died at once, addresses not usable."""

import pytest
from sqlalchemy import select

from app.domain import bots, fleet_alarms, schedule
from app.domain.endings import BOOTS
from app.extensions import db
from app.gateways.compute.driver import AddressState, MachineState, Outcome, Result
from app.models import AlarmKind, BotAddress, MachineConsole, Phase
from tests.domain.test_fleet import Life
from tests.factories import TESTER


@pytest.fixture
def life(app, keys):
    return Life(keys)


def test_after_a_month_without_a_platform_only_now_counts(life):
    early = schedule.schedule("UTC", [schedule.session(list(range(7)), "06:00:00", "07:00:00")])
    bots.reschedule(life.bot, early, by=TESTER, now=life.now)
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    assert life.run() is Phase.ASLEEP
    life.pass_time(days=30)
    assert (life.run(20), life.compute.generation) == (Phase.ASLEEP, 0)
    assert life.compute.due_at > life.now, "none of the sessions that went by is made up for"
    life.pass_time(days=30, hours=-5, minutes=-30)
    assert (life.run(20), life.compute.generation) == (Phase.BOOTING, 1)


def test_machines_that_end_before_they_are_seen_running_are_failed_boots(life):
    life.run()
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    dead = Result(Outcome.DONE, machine=MachineState.TERMINATED)
    life.cloud._insert_machine = life.cloud._observe_machine = lambda _step: dead
    assert life.run(40) is Phase.BLOCKED
    assert life.compute.generation == BOOTS
    assert f"started {BOOTS} times" in life.compute.problem
    kinds = {it.kind for it in fleet_alarms.open_alarms()}
    assert kinds == {AlarmKind.BOOT_FAILED, AlarmKind.BLOCKED}
    assert len(db.session.scalars(select(MachineConsole)).all()) == BOOTS


def test_an_address_that_another_bot_has_blocks_with_words(life):
    other = Life.beside(life)
    life.run()
    ip = db.session.get(BotAddress, life.bot.id).ip
    given = Result(Outcome.DONE, ip=ip, address=AddressState.RESERVED)
    life.cloud.script = [given]
    assert other.run() is Phase.BLOCKED
    assert ip in other.compute.problem
    assert "another bot" in other.compute.problem
    assert db.session.get(BotAddress, other.bot.id).ip is None


@pytest.mark.parametrize("ip", [None, ""])
def test_an_answer_without_an_address_is_asked_again_after_a_pause(life, ip):
    life.cloud.script = [Result(Outcome.DONE, ip=ip, address=AddressState.RESERVED)]
    assert life.run() is Phase.ADDR_WAIT
    assert len(life.cloud.calls) == 1
    life.pass_time(minutes=2)
    assert life.run() is Phase.ASLEEP
