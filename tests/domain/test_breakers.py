"""A region shut by hand: nothing is started there until its time is over or a person opens it."""

import pytest

from app.domain import breakers, places, remedies
from app.domain.errors import Conflict, Invalid
from app.extensions import db
from app.gateways.compute.driver import Cause, Outcome, Result, StepKind
from app.models import BotCompute, CloudRegion, Phase
from runner.protocol import PositionState
from tests.domain.test_fleet import Life
from tests.factories import NOW, TESTER


@pytest.fixture
def life(app, keys):
    return Life(keys)


def shut(life, hours=2):
    breakers.shut("local", hours, "The host is replaced.", by=TESTER, now=life.now)
    db.session.commit()


def test_nobody_wakes_there_until_it_is_opened(life):
    life.run()
    shut(life)
    life.bot.wish = "follow"
    db.session.commit()
    assert life.run() is Phase.BLOCKED
    assert life.compute.problem == "The host is replaced."
    places.try_again("local", life.now)
    places.reopen("local", life.now)
    places.shut("local", Cause.QUOTA, "Quota exceeded", life.now)
    row = db.session.get(CloudRegion, "local", populate_existing=True)
    assert (row.shut_cause, row.shut_detail) == ("operator", "The host is replaced.")
    breakers.open_up("local", by=TESTER, now=life.now)
    db.session.commit()
    assert life.run() is Phase.BOOTING
    with pytest.raises(Conflict):
        breakers.open_up("local", by=TESTER, now=life.now)


def test_it_opens_by_itself(life):
    life.run()
    shut(life, hours=1)
    life.bot.wish = "follow"
    db.session.commit()
    assert life.run() is Phase.BLOCKED
    life.pass_time(hours=1, minutes=1)
    assert life.run() is Phase.BOOTING
    assert db.session.get(CloudRegion, "local").shut_until is None


def test_a_position_whose_machine_is_lost_gets_another_one_all_the_same(life):
    life.wake()
    life.report(PositionState.OPEN)
    shut(life, hours=48)
    life.cloud.machines.clear()
    life.pass_time(seconds=20)
    quota = Result(Outcome.FAILED, "Quota exceeded", cause=Cause.QUOTA)
    life.cloud.script = [None, None, quota]
    assert life.run() is Phase.BLOCKED
    assert life.cloud.calls[-1] is StepKind.INSERT_MACHINE
    assert life.compute.retry_at == life.now + places.SHUT_FOR, "its own refusal, not the person's"
    life.pass_time(minutes=16)
    assert life.run() is Phase.BOOTING
    assert life.compute.generation > 1


def test_it_needs_a_reason_and_a_time(life):
    for hours, why, field in ((1, " ", "why"), (0, "x", "hours"), (721, "x", "hours")):
        with pytest.raises(Invalid) as refusal:
            breakers.shut("local", hours, why, by=TESTER, now=NOW)
        assert refusal.value.field == field
    assert db.session.get(BotCompute, life.bot.id).phase is Phase.NEW


@pytest.mark.parametrize(
    ("cause", "words", "expected"),
    [
        ("quota", "Quota 'CPUS' exceeded", "quota"),
        ("permission", "Required 'compute.instances.create' permission", "lacks a permission"),
        ("permission", "The project 'x' was not found", "does not know the project"),
        ("invalid", "The resource 'images/debian' was not found", "image"),
        ("lost", "", "no longer reserved"),
        ("capacity", "", "no machine to give"),
        ("", "odd", "did not do"),
        ("operator", "The host is replaced.", "The operator has shut"),
        ("nonsense", "", "did not do"),
    ],
)
def test_each_cause_has_its_advice(cause, words, expected):
    assert expected in remedies.about(cause, words).title
