"""The wake lead that is learned from the last wakes."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from app.domain import bots, deadlines, fleet, fleet_alarms, leads, overview, schedule
from app.extensions import db
from app.models import Machine, Phase, WakeLead
from app.web import week
from runner.protocol import CommandKind
from tests import factories, sql
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


@pytest.mark.parametrize("waited", [100, 15 * 60], ids=["line", "longest"])
def test_what_a_bot_waited_before_its_machine_was_asked_for_is_not_learned(bot, waited):
    wakes(bot, *[200] * 6)
    for machine in db.session.scalars(select(Machine)):
        machine.wanted_at = machine.created_at - timedelta(seconds=waited)
    leads.learn(NOW, LEARNING)
    assert lead() == timedelta(seconds=1.2 * 200 + 60)


def test_it_reads_of_each_wake_only_what_it_needs(bot):
    wakes(bot, *[200] * 6)
    with sql.told() as said:
        leads.learn(NOW, LEARNING)
    (query,) = (it for it in said if " FROM machine " in it)
    columns, _ = query.removeprefix("SELECT ").split(" FROM machine ")
    named = {it.split(" AS ")[0] for it in columns.split(", ")}
    wanted = ("region", "machine_type", "created_at", "claimed_at")
    assert named == {f"machine.{it}" for it in wanted}


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


@given(st.text(min_size=1), st.integers(0, 900), st.sampled_from([0, 1, 30, 60]))
def test_a_bots_own_share_is_earlier_by_no_more_than_the_spread_and_never_later(bot, lead, wide):
    spread = timedelta(seconds=wide)
    tempo = replace(LEARNING, wake_lead=timedelta(seconds=lead), spread=spread)
    own = leads.own(bot, tempo)
    assert timedelta(0) <= own.wake_lead - tempo.wake_lead <= spread
    assert own == leads.own(bot, tempo), "it stays"
    may_grow = tempo.longest_lead - tempo.wake_lead
    assert own.longest_lead - own.wake_lead == may_grow, "when to look next counts on this"


def test_shares_are_spread_over_the_whole_minute():
    shares = [leads.share_of(f"bot_{number}", timedelta(minutes=1)) for number in range(2000)]
    seconds = {it.total_seconds() for it in shares}
    assert seconds == set(range(61))
    assert max(shares.count(it) for it in set(shares)) < 3 * 2000 / 61


def test_a_bot_wakes_when_its_pages_say_so_earlier_by_its_share(app, keys):
    life = Life(keys)
    wide = replace(LEARNING, spread=timedelta(minutes=1))
    life.settings = replace(SETTINGS, tempo=wide)
    later = schedule.session(list(range(7)), "13:00:00", "14:00:00")
    plan = schedule.schedule("UTC", [later])
    bots.reschedule(life.bot, plan, by=TESTER, now=life.now)
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    life.run()
    share = leads.share_of(life.bot.id, wide.spread)
    expected = NOW + timedelta(minutes=55) - share
    (row,) = overview.summaries(life.bot.workspace, life.now, wide)
    situation = fleet.situation(life.bot, life.compute, None, 0, life.now, wide)
    strip = week.week(plan, life.now, leads.of_bot(life.bot, wide))
    assert row.reading.when == situation.wakes_at == strip.wakes[0] == expected
    life.now = expected - timedelta(seconds=1)
    assert life.run() is Phase.ASLEEP
    life.now = expected
    assert life.run() is Phase.BOOTING
    assert life.machine.wanted_at == expected


def test_who_wakes_early_by_its_share_is_not_called_late_for_it(app, keys):
    life = Life(keys)
    wide = replace(LEARNING, patience=timedelta(seconds=1), spread=timedelta(minutes=1))
    share = leads.share_of(life.bot.id, wide.spread)
    life.run()
    bots.start(life.bot, by=TESTER, now=life.now)
    db.session.commit()
    life.settings = replace(SETTINGS, in_flight=0)
    life.run(1)
    lead = timedelta(minutes=5) + share
    for late, rings in ((timedelta(0), False), (timedelta(seconds=1), True)):
        deadlines.sweep(NOW + lead + late, wide)
        assert bool(fleet_alarms.open_alarms()) is rings


@given(st.lists(st.integers(0, 100_000), min_size=1, max_size=50))
def test_it_stays_within_its_bounds(seconds):
    found = leads.lead_of([timedelta(seconds=it) for it in seconds], LEARNING)
    assert LEARNING.wake_lead <= found <= LEARNING.longest_lead
    if max(seconds) * 1.2 + 60 <= 900:
        assert found >= timedelta(seconds=sorted(seconds)[len(seconds) // 2])
