"""A rolling upgrade over several bots: a few at a time, and none that holds something."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from app.domain import renewals, upgrades
from app.domain.errors import Conflict, Invalid
from app.extensions import db
from app.models import (
    AuditEvent,
    BotCompute,
    Machine,
    Phase,
    Renewal,
    StepEnd,
    UpgradeState,
    UpgradeStep,
    Wish,
)
from runner.protocol import PositionState
from tests import factories, sql, telling
from tests.factories import NOW, TEMPO, TESTER

LATER = NOW + timedelta(minutes=1)


class Fleet:
    """Bots that are awake on an older runner; their machines are moved by hand."""

    def __init__(self, count):
        self.operator = factories.user("Opal")
        workspace = factories.organisation()
        version = factories.strategy(workspace).latest
        self.bots = [factories.bot(workspace, version=version) for _ in range(count)]
        for bot in self.bots:
            machine = telling.awake(bot, NOW)
            machine.runner_version = "0.0.9"
            self.compute(bot).flat_since = NOW - timedelta(minutes=5)
        db.session.commit()

    def compute(self, bot):
        return db.session.get_one(BotCompute, bot.id)

    def start(self, policy=Renewal.DRAIN, at_once=2):
        made = upgrades.start(policy, at_once, operator=self.operator, by=TESTER, now=NOW)
        db.session.commit()
        return made

    def step(self, now=LATER):
        assert upgrades.step(now, TEMPO)
        db.session.commit()

    def asked(self):
        return [bot for bot in self.bots if self.compute(bot).renewal is not None]

    def replace(self, bot, version=renewals.NEWEST):
        """What planner, cloud and runner do of it."""
        compute = self.compute(bot)
        old = db.session.scalars(
            select(Machine).where(Machine.bot_id == bot.id, Machine.gone_at.is_(None))
        ).one()
        old.gone_at, old.proven_flat = LATER, True
        compute.renewal = None
        db.session.flush()
        telling.awake(bot, LATER, ip=old.ip, generation=2).runner_version = version
        db.session.commit()

    def hold(self, bot):
        self.compute(bot).flat_since = None
        machine = db.session.scalars(select(Machine).where(Machine.bot_id == bot.id)).one()
        machine.position_state = PositionState.OPEN
        db.session.commit()


@pytest.fixture
def fleet(app):
    return Fleet(5)


def outcomes():
    return sorted(it.outcome or "" for it in db.session.scalars(select(UpgradeStep)))


def test_so_many_at_once_until_all_are_new(fleet):
    made = fleet.start()
    assert (made.total, made.version) == (5, renewals.NEWEST)
    seen = 0
    while made.state is UpgradeState.RUNNING:
        fleet.step()
        going = fleet.asked()
        assert len(going) <= 2
        assert not going or (fleet.step(), fleet.asked())[1] == going, "these are not ready yet"
        for bot in going:
            fleet.replace(bot)
            seen += 1
    assert (seen, made.state) == (5, UpgradeState.DONE)
    assert outcomes() == [StepEnd.RENEWED] * 5
    assert upgrades.progress(made) == upgrades.Progress(0, 0, 5, 0)
    assert not upgrades.step(LATER, TEMPO)
    actions = select(AuditEvent.action).where(AuditEvent.target_id == made.id)
    told = db.session.scalars(actions.order_by(AuditEvent.seq)).all()
    assert told == ["fleet.upgrade_start", "fleet.upgrade_done"]


def test_who_holds_something_is_left_until_flat(fleet):
    for bot in fleet.bots[:3]:
        fleet.hold(bot)
    made = fleet.start(Renewal.WHEN_FLAT)
    fleet.step()
    assert fleet.asked() == fleet.bots[3:]
    assert upgrades.progress(made).holding == 3
    fleet.hold(fleet.bots[3])
    fleet.step()
    assert fleet.asked() == [fleet.bots[4]], "one that holds something again makes room"
    fleet.compute(fleet.bots[3]).flat_since = NOW
    fleet.step()
    assert fleet.asked() == fleet.bots[3:], "and gets another turn"


def test_a_renewal_by_age_stands_whatever_becomes_of_the_upgrade(fleet):
    made = fleet.start(Renewal.NEXT_WAKE)
    fleet.step()
    aged = fleet.bots[0]
    fleet.hold(aged)
    fleet.compute(aged).renewal = Renewal.WHEN_FLAT
    fleet.compute(aged).renewal_why = "its machine nears its end"
    db.session.commit()
    fleet.step()
    assert fleet.compute(aged).renewal is Renewal.WHEN_FLAT
    upgrades.cancel(made, by=TESTER, now=LATER)
    db.session.commit()
    assert fleet.asked() == [aged]


def test_it_stops_by_itself_where_successors_do_not_come(fleet):
    made = fleet.start(at_once=1)
    fleet.step()
    (bot,) = fleet.asked()
    compute = fleet.compute(bot)
    compute.phase, compute.phase_since = Phase.BOOTING, LATER
    db.session.commit()
    fleet.step(LATER + timedelta(minutes=14))
    assert made.state is UpgradeState.RUNNING
    fleet.step(LATER + timedelta(minutes=16))
    assert made.state is UpgradeState.PAUSED
    assert bot.id in made.why
    upgrades.resume(made, by=TESTER, now=LATER)
    compute.phase = Phase.BLOCKED
    db.session.commit()
    fleet.step()
    assert made.state is UpgradeState.PAUSED


def test_it_stops_by_itself_where_successors_are_no_newer(fleet):
    made = fleet.start(at_once=1)
    fleet.step()
    (bot,) = fleet.asked()
    fleet.replace(bot, version="0.0.9")
    fleet.step()
    assert made.state is UpgradeState.PAUSED
    assert f"another version still: {bot.id}" in made.why
    assert fleet.asked() == [], "nobody is renewed again for nothing"


def test_paused_it_takes_nobody_and_cancelled_it_lets_go(fleet):
    made = fleet.start()
    fleet.step()
    upgrades.pause(made, by=TESTER, now=LATER)
    fleet.replace(fleet.asked()[0])
    fleet.step()
    assert len(fleet.asked()) == 1
    upgrades.cancel(made, by=TESTER, now=LATER)
    db.session.commit()
    assert fleet.asked() == []
    assert outcomes() == [StepEnd.CALLED_OFF, StepEnd.RENEWED]
    for verb in (upgrades.pause, upgrades.resume, upgrades.cancel):
        with pytest.raises(Conflict):
            verb(made, by=TESTER, now=LATER)


def test_who_went_to_sleep_is_done_and_one_called_off_is_not_asked_again(fleet):
    made = fleet.start()
    fleet.step()
    sleeper, spared = fleet.asked()
    compute = fleet.compute(sleeper)
    compute.phase, sleeper.wish = Phase.ASLEEP, Wish.REST
    renewals.call_off(spared, by=TESTER, now=LATER)
    db.session.commit()
    fleet.step()
    assert StepEnd.ASLEEP in outcomes()
    assert spared not in fleet.asked()
    assert len(fleet.asked()) - (compute.renewal is not None) == 2
    assert upgrades.progress(made).under_way == 2


def test_what_cannot_be_started(fleet):
    for number in (0, 501):
        with pytest.raises(Invalid) as refusal:
            fleet.start(at_once=number)
        assert refusal.value.field == "at_once"
    made = fleet.start(at_once=None)
    assert made.at_once == 5
    with pytest.raises(Conflict, match="under way"):
        fleet.start()
    upgrades.cancel(made, by=TESTER, now=LATER)
    for machine in db.session.scalars(select(Machine)):
        machine.runner_version = renewals.NEWEST
    db.session.commit()
    with pytest.raises(Conflict, match="already"):
        fleet.start()


def test_a_version_that_is_older_by_now_is_given_up(fleet, monkeypatch):
    made = fleet.start()
    monkeypatch.setattr(renewals, "NEWEST", "9.9.9")
    fleet.step()
    assert made.state is UpgradeState.CANCELLED
    assert "9.9.9" in made.why


def test_rows_are_taken_in_one_order(fleet):
    fleet.start(at_once=5)
    with sql.told() as said:
        fleet.step()
    if db.engine.dialect.name == "postgresql":
        locks = [it for it in said if "FROM bot_compute" in it and "FOR UPDATE" in it]
        assert "ORDER BY bot_compute.bot_id" in locks[0]
        first = next(it for it in said if it.startswith("UPDATE bot_compute"))
        assert said.index(locks[0]) < said.index(first)
    assert len(fleet.asked()) == 5
