"""The wake lead that is learned from the last wakes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain import bots, fleet, leads, schedule
from app.extensions import db
from app.models import Machine, Phase, WakeLead
from runner.protocol import CommandKind
from tests import factories
from tests.domain.test_fleet import SETTINGS, Life
from tests.factories import NOW, TEMPO, TESTER

LEARNING = replace(
    TEMPO,
    wake_lead=timedelta(seconds=150),
    first_lead=timedelta(minutes=5),
    lead_margin=timedelta(minutes=1),
    longest_lead=timedelta(minutes=15),
    machine_type="e2-micro",
)


@pytest.fixture
def bot(app):
    bot = factories.bot(factories.organisation())
    db.session.commit()
    return bot


def wakes(bot, *seconds, kind="e2-micro", region="local"):
    for number, took in enumerate(seconds, 1):
        at = NOW - timedelta(hours=len(seconds) - number)
        db.session.add(
            Machine(
                workspace_id=bot.workspace_id,
                bot_id=bot.id,
                generation=number,
                name=f"b-x{kind}-g{number}",
                region=region,
                machine_type=kind,
                ip="127.64.0.9",
                token_hash="",
                created_at=at,
                claimed_at=at + timedelta(seconds=took),
                gone_at=at + timedelta(minutes=30),
            )
        )
    db.session.commit()


def lead(region="local"):
    return leads.tempo_of(region, LEARNING).wake_lead


def test_it_begins_with_a_careful_guess_and_learns_from_enough_wakes(bot):
    assert lead() == timedelta(minutes=5)
    wakes(bot, *[100] * (leads.ENOUGH - 1))
    leads.learn(NOW, LEARNING)
    assert lead() == timedelta(minutes=5)


def test_one_wake_in_twenty_may_be_slower(bot):
    wakes(bot, *[300] * 5, *[100] * 19, 800)
    leads.learn(NOW, LEARNING)
    row = db.session.get(WakeLead, ("local", "e2-micro"))
    assert (row.seconds, row.samples) == (300 * 1.2 + 60, 25)
    assert lead() == timedelta(seconds=420)
    assert leads.by_region(LEARNING)["local"].wake_lead == lead()


def test_regions_and_types_learn_apart(bot):
    wakes(bot, *[200] * 6, kind="e2-small")
    leads.learn(NOW, LEARNING)
    assert lead() == timedelta(minutes=5)
    small = replace(LEARNING, machine_type="e2-small")
    assert leads.tempo_of("local", small).wake_lead == timedelta(seconds=300)
    assert leads.tempo_of("elsewhere", small).wake_lead == timedelta(minutes=5)


def test_a_fixed_lead_learns_nothing(bot):
    wakes(bot, *[200] * 6, kind="local")
    leads.learn(NOW, TEMPO)
    assert leads.tempo_of("local", TEMPO) is TEMPO
    assert db.session.get(WakeLead, ("local", "local")) is None


def test_the_planner_asks_early_by_what_was_learned(bot):
    wakes(bot, *[200] * 6)
    leads.learn(NOW, LEARNING)
    one = schedule.session(list(range(7)), "13:00:00", "14:00:00")
    plan = schedule.schedule("UTC", [one]).to_plain()
    woken = fleet.wakes_at(plan, NOW, leads.tempo_of("local", LEARNING), fleet.today(bot))
    assert woken == NOW + timedelta(hours=1) - timedelta(seconds=300)


def test_the_gate_lets_one_that_woke_early_by_what_was_learned_trade(app, keys):
    life = Life(keys)
    life.settings = replace(SETTINGS, tempo=LEARNING)
    soon = schedule.session(list(range(7)), "12:04:00", "12:30:00")
    bots.reschedule(life.bot, schedule.schedule("UTC", [soon]), by=TESTER, now=life.now)
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    assert life.run() is Phase.BOOTING
    life.claim()
    assert life.compute.phase is Phase.READY
    assert CommandKind.DRAIN not in life.report()


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=50))
def test_it_stays_within_its_bounds(seconds):
    found = leads.lead_of([timedelta(seconds=it) for it in seconds], LEARNING)
    assert LEARNING.wake_lead <= found <= LEARNING.longest_lead
    if max(seconds) * 1.2 + 60 <= 900:
        assert found >= timedelta(seconds=sorted(seconds)[len(seconds) // 2])
