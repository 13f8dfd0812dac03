"""A cloud that was asked too often: who waits for it, and who must not."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.domain import bots, breakers, fleet, lifecycle, places, renewals, turns
from app.extensions import db
from app.gateways.compute.driver import Cause, Outcome, Result
from app.models import CloudRegion, Machine, Phase, Renewal
from runner.protocol import CommandKind
from tests import factories
from tests.domain.test_fleet import SETTINGS, Life
from tests.factories import TEMPO, TESTER

RATE = Result(Outcome.RETRY, "slow down", cause=Cause.RATE)
PENDING = Result(Outcome.PENDING, operation="operation-1")
ONE = replace(SETTINGS, in_flight=1)


@pytest.fixture
def life(app, keys):
    """Asleep, with an address."""
    life = Life(keys)
    life.settings = ONE
    life.run()
    return life


def elsewhere(life):
    """A bot of another region."""
    other = Life.beside(life)
    other.bot = factories.bot(life.bot.workspace, region="far")
    db.session.commit()
    other.run()
    return other


def start(life):
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()


def test_a_refused_insertion_keeps_no_other_region_waiting(life):
    start(life)
    life.cloud.script = [RATE]
    assert life.run() is Phase.CREATING
    other = elsewhere(life)
    start(other)
    assert other.run() is Phase.BOOTING
    assert turns.under_way() == 1
    other.claim()
    life.pass_time(minutes=2)
    assert life.run() is Phase.BOOTING, "its own turn comes again"
    assert db.session.scalar(select(func.count(Machine.id))) == 3


@pytest.mark.parametrize(
    "answers",
    [[PENDING, RATE], [Result(Outcome.UNKNOWN, "no answer", cause=Cause.RATE)], [PENDING]],
    ids=["asked after", "unknown", "accepted"],
)
def test_what_may_have_been_made_counts(life, answers):
    start(life)
    life.cloud.script = list(answers)
    for _ in answers:
        life.step()
        life.pass_time(seconds=2)
    assert life.compute.phase is Phase.CREATING
    assert turns.under_way() == 1


def test_one_that_was_refused_a_look_is_told_to_finish_all_the_same(life):
    start(life)
    life.claim_when_there()
    life.pass_time(seconds=60)
    life.cloud.script = [RATE]
    life.step()
    assert places.slowed("local", life.now)
    bots.stop(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    asked = len(life.cloud.steps)
    assert life.run(2) is Phase.DRAINING
    assert life.report() == {CommandKind.DRAIN}
    assert len(life.cloud.steps) == asked


def test_a_renewal_begins_when_it_is_flat_while_the_region_waits(life):
    start(life)
    life.claim_when_there()
    renewals.ask(life.bot, Renewal.WHEN_FLAT, "a newer runner", by=TESTER, now=life.now)
    places.slow_down("local", life.now)
    db.session.commit()
    for _ in range(4):
        life.pass_time(seconds=5)
        life.report()
        if life.bot.id in fleet.due(life.now):
            life.run(1)
    assert life.compute.phase is Phase.DRAINING
    assert places.slowed("local", life.now)


def test_who_is_kept_by_it_reads_so(life):
    places.slow_down("local", life.now)
    start(life)
    assert life.run(2) is Phase.ASLEEP
    situation = fleet.situation(life.bot, life.compute, None, 0, life.now, TEMPO)
    found = lifecycle.reading(life.now, situation)
    assert (found.label, found.settled) == ("waking", False)
    assert "asked for a pause" in found.detail
    assert found.when == life.compute.retry_at


def test_a_shut_region_says_why_though_the_line_is_long(life):
    first = elsewhere(life)
    start(first)
    first.run()
    operator = {"by": TESTER, "now": life.now}
    breakers.shut("local", 1, "they move house", **operator)
    start(life)
    assert life.run(1) is Phase.BLOCKED
    assert life.compute.problem == "they move house"
    until = db.session.get_one(CloudRegion, "local").shut_until
    assert life.compute.due_at == until == life.now + timedelta(hours=1)
