"""The line of bots that wait for a place to start: how many at once, and in which order."""

import random
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from app.domain import bots, fleet, lifecycle, machines, overview, turns
from app.extensions import db
from app.models import Bot, BotCompute, CloudRegion, Phase, Priority, Wish
from runner.protocol import PositionState
from tests.domain.test_fleet import SETTINGS, Life
from tests.factories import TESTER
from tests.waiting import PATIENCE, until

SECOND = timedelta(seconds=1)


class Line:
    """Bots of one house that are all wanted awake, one a second, and the ticker's work by hand."""

    def __init__(self, keys, count, places):
        self.first = Life(keys)
        self.lives = [self.first, *(Life.beside(self.first) for _ in range(count - 1))]
        self.places = places
        self.jobs = dict.fromkeys((life.bot.id for life in self.lives), 0)
        self.begun = []
        for life in self.lives:
            life.settings = replace(SETTINGS, in_flight=places)
            life.run(2)

    @property
    def now(self):
        return self.first.now

    def pass_time(self, **values):
        for life in self.lives:
            life.pass_time(**values)

    def want(self, *lives):
        for life in lives:
            bots.start(life.bot, by=TESTER, now=self.now)
            db.session.commit()
            self.pass_time(seconds=1)

    def under_way(self):
        return [it for it in self.lives if it.compute.phase in (Phase.CREATING, Phase.BOOTING)]

    def look(self, life):
        """One job of one bot, as far as its insertion."""
        before = life.compute.generation
        life.step()
        self.jobs[life.bot.id] += 1
        if life.compute.generation > before:
            self.begun.append(life)
        assert len(self.under_way()) <= self.places

    def tick(self, but=()):
        """Turns are given, and a job is done for each bot that is due."""
        due = turns.give(self.now, self.places)
        db.session.commit()
        due += fleet.due(self.now)
        for life in self.lives:
            if life.bot.id in due and life.compute.phase is Phase.ASLEEP and life not in but:
                self.look(life)

    def ready(self, life):
        life.run(2)
        life.claim()


@pytest.fixture
def line(app, keys):
    return lambda count, places: Line(keys, count, places)


@pytest.mark.parametrize("seed", range(2))
def test_all_start_as_they_were_due_each_with_two_looks(line, seed):
    it, chance = line(7, places=2), random.Random(seed)
    order = chance.sample(it.lives, len(it.lives))
    it.want(*order)
    while len(it.begun) < len(order):
        it.tick()
        it.pass_time(seconds=chance.choice([1, 2, 7]))
        for life in it.under_way()[: chance.randint(0, 2)]:
            it.ready(life)
    # Two that are given their turns in one tick may begin either way round.
    assert all(abs(order.index(life) - at) <= 1 for at, life in enumerate(it.begun))
    assert set(it.jobs.values()) <= {1, 2}


def test_whoever_comes_late_does_not_take_the_place_of_one_in_line(line):
    it = line(3, places=1)
    one, two, three = it.lives
    it.want(one)
    it.tick()
    it.want(two)
    it.tick()
    it.ready(one)
    it.want(three)
    it.look(three)
    assert it.begun == [one]
    it.tick()
    assert it.begun == [one, two]
    it.ready(two)
    it.tick()
    assert it.begun == [one, two, three]


def test_a_turn_is_given_to_no_more_than_there_are_places(line):
    it = line(5, places=2)
    it.want(*it.lives)
    for life in it.lives:
        life.settings = replace(SETTINGS, in_flight=0)
        life.step()
    first = [life.bot.id for life in it.lives[:2]]
    assert turns.give(it.now, 2) == first
    assert turns.give(it.now, 2) == []
    assert [life.compute.turn_at == it.now for life in it.lives] == [True] * 2 + [False] * 3
    assert fleet.due(it.now) == [], "whoever gives a turn tells of it"
    assert set(fleet.due(it.now + turns.TOLD_AGAIN)) == set(first), "unless that is lost"


def test_a_turn_makes_no_bot_due_later_than_it_was(line):
    it = line(1, places=1)
    it.want(it.first)
    was = it.first.compute.due_at
    assert was < it.now
    assert turns.give(it.now, 1) == [it.first.bot.id]
    assert it.first.compute.due_at == was


def test_a_turn_is_good_for_longer_than_its_place_is_kept(line):
    it = line(2, places=1)
    one, two = it.lives
    it.want(one, two)
    for life in it.lives:
        life.settings = replace(SETTINGS, in_flight=0)
        life.step()
        life.settings = replace(SETTINGS, in_flight=1)
    assert turns.give(it.now, 1) == [one.bot.id]
    it.pass_time(seconds=11)
    assert turns.give(it.now, 1) == [two.bot.id]
    db.session.commit()
    it.look(one)
    assert it.begun == [one]
    it.look(two)
    assert (it.begun, two.compute.turn_at) == ([one], None)
    it.ready(one)
    it.tick()
    assert it.begun == [one, two]


def test_whose_turn_it_is_is_looked_at_before_whoever_is_longer_overdue(line):
    it = line(2, places=1)
    turn, overdue = it.lives
    it.want(turn)
    rows = [db.session.get_one(BotCompute, life.bot.id) for life in (turn, overdue)]
    rows[0].wanted_at, rows[1].due_at = it.now, it.now - timedelta(minutes=1)
    db.session.commit()
    turns.give(it.now, 1)
    assert fleet.due(it.now) == [turn.bot.id, overdue.bot.id]


def test_a_turn_that_is_not_taken_passes_on_and_comes_back(line):
    it = line(3, places=1)
    broken, two, three = it.lives
    it.want(*it.lives)
    for life in it.lives:
        life.settings = replace(SETTINGS, in_flight=0)
        life.step()
        life.settings = replace(SETTINGS, in_flight=1)
    it.tick(but=[broken])
    it.tick(but=[broken])
    assert it.begun == []
    it.pass_time(seconds=11)
    it.tick(but=[broken])
    assert it.begun == [two]
    it.ready(two)
    it.tick(but=[broken])
    assert it.begun == [two, three]
    it.ready(three)
    it.pass_time(minutes=1)
    it.tick()
    assert it.begun == [two, three, broken]


def test_who_comes_late_for_a_turn_goes_before_whoever_is_not_so_long_due(line):
    it = line(2, places=1)
    late, two = it.lives
    it.want(late, two)
    for life in it.lives:
        life.settings = replace(SETTINGS, in_flight=0)
        life.step()
        life.settings = replace(SETTINGS, in_flight=1)
    turns.give(it.now, 1)
    it.pass_time(seconds=11)
    turns.give(it.now, 1)
    db.session.commit()
    assert two.compute.turn_at == it.now
    it.look(late)
    it.look(two)
    assert it.begun == [late]


def test_without_anybody_who_gives_turns_a_bot_looks_by_itself(line):
    it = line(2, places=1)
    one, two = it.lives
    it.want(one)
    it.tick()
    it.want(two)
    it.look(two)
    assert two.compute.due_at == two.now + turns.LOOKS_AGAIN
    it.ready(one)
    it.pass_time(minutes=5)
    assert two.bot.id in fleet.due(it.now)
    it.look(two)
    assert it.begun == [one, two]


@pytest.mark.parametrize(
    "kept",
    [
        {"cause": "bound"},
        {"phase": Phase.BLOCKED},
        {"retry": timedelta(minutes=1)},
        {"wanted_at": None},
    ],
    ids=["bound", "blocked", "retry", "not wanted"],
)
def test_what_is_kept_by_something_else_has_no_turn_and_is_in_nobodys_way(line, kept):
    it = line(2, places=1)
    one, two = it.lives
    it.want(one, two)
    row = db.session.get_one(BotCompute, one.bot.id)
    row.wanted_at = it.now - SECOND
    if "retry" in kept:
        kept = {"retry_at": it.now + kept["retry"]}
    for name, value in kept.items():
        setattr(row, name, value)
    db.session.commit()
    turns.give(it.now, 1)
    assert (one.compute.turn_at, two.compute.turn_at) == (None, it.now)
    db.session.rollback()
    it.look(two)
    assert it.begun == [two]


def test_a_position_that_nobody_manages_goes_before_all_others(line, monkeypatch):
    it = line(3, places=1)
    one, two, left = it.lives
    it.want(one)
    it.tick()
    it.want(two, left)
    monkeypatch.setattr(machines, "stranded", lambda bot_id, _before=None: bot_id == left.bot.id)
    it.look(two)
    it.look(left)
    assert left.compute.due_at == left.now + turns.LOOKS_AGAIN, "nobody asks every second"
    it.ready(one)
    it.tick()
    assert it.begun == [one, left]


def test_who_was_ended_to_be_replaced_goes_before_the_usual_and_after_the_stranded(
    line, monkeypatch
):
    it = line(4, places=1)
    one, two, renewed, left = it.lives
    it.want(one)
    it.tick()
    it.want(two, renewed, left)
    monkeypatch.setattr(machines, "succeeds", lambda bot_id: bot_id == renewed.bot.id)
    monkeypatch.setattr(machines, "stranded", lambda bot_id, _before=None: bot_id == left.bot.id)
    for life in (two, renewed, left):
        it.look(life)
    for _ in it.lives:
        it.tick()
        it.ready(it.begun[-1])
    assert it.begun == [one, left, renewed, two]
    assert {life.compute.priority for life in it.lives} == {Priority.USUAL}


def test_a_turn_of_the_usual_keeps_no_stranded_bot_waiting(line, monkeypatch):
    it = line(2, places=1)
    one, left = it.lives
    it.want(one, left)
    monkeypatch.setattr(machines, "stranded", lambda bot_id, _before=None: bot_id == left.bot.id)
    assert turns.give(it.now, 1) == [one.bot.id]
    db.session.commit()
    it.look(left)
    assert it.begun == [left]


@pytest.mark.parametrize("kept", [{"slow_until": 30 * SECOND}, {"shut_until": 60 * SECOND}])
def test_bots_of_a_region_that_must_not_be_asked_keep_nobody_waiting(line, kept):
    it = line(2, places=1)
    one, two = it.lives
    it.want(one, two)
    moved = Bot.id == one.bot.id
    db.session.execute(update(Bot).where(moved).values(region="elsewhere"))
    until = {name: it.now + pause for name, pause in kept.items()}
    db.session.add(CloudRegion(region="elsewhere", **until))
    db.session.commit()
    assert turns.give(it.now, 1) == [two.bot.id]
    db.session.rollback()
    it.look(two)
    assert it.begun == [two]
    it.ready(two)
    it.pass_time(minutes=2)
    assert turns.give(it.now, 1) == [one.bot.id]


def test_a_rescue_is_given_its_turn_also_where_people_shut_the_region(line, monkeypatch):
    it = line(2, places=1)
    one, left = it.lives
    it.want(one)
    it.tick()
    it.want(left)
    monkeypatch.setattr(machines, "stranded", lambda bot_id, _before=None: bot_id == left.bot.id)
    hour = it.now + timedelta(hours=1)
    db.session.add(CloudRegion(region="local", shut_until=hour, shut_cause="operator"))
    db.session.commit()
    it.look(left)
    it.ready(one)
    it.tick()
    assert it.begun == [one, left]


def test_who_is_in_line_reads_that_it_waits_for_a_place(line):
    it = line(2, places=1)
    one, two = it.lives
    it.want(one)
    it.tick()
    it.want(two)
    it.look(two)
    reading = lifecycle.reading(
        it.now, fleet.situation(two.bot, two.compute, None, 0, it.now, SETTINGS.tempo)
    )
    listed = {
        row.bot.id: row.reading
        for row in overview.summaries(two.bot.workspace, it.now, SETTINGS.tempo)
    }
    assert (reading.label, reading.settled) == ("waking", False)
    assert "free place" in reading.detail
    assert listed[two.bot.id] == reading
    assert "free place" not in listed[one.bot.id].detail


@pytest.mark.parametrize("wish", [Wish.FOLLOW, Wish.REST])
def test_so_does_one_that_may_have_left_a_position(line, monkeypatch, wish):
    it = line(1, places=0)
    left = it.first
    it.want(left)
    monkeypatch.setattr(machines, "stranded", lambda *_: True)
    left.bot.wish = wish
    db.session.commit()
    it.look(left)
    (row,) = overview.summaries(left.bot.workspace, it.now, SETTINGS.tempo)
    assert (row.reading.label, row.reading.settled) == ("waking", False)


def test_a_position_left_behind_is_known_before_the_first_look_for_a_place(line):
    it = line(1, places=1)
    life = it.first
    life.wake()
    life.report(state=PositionState.OPEN)
    life.cloud.machines.clear()
    it.pass_time(seconds=6)
    while life.compute.phase is not Phase.ASLEEP:
        life.step()
    assert life.compute.priority == Priority.STRANDED


def test_what_is_over_is_not_what_keeps_it_waiting(line):
    it = line(1, places=0)
    it.want(it.first)
    it.first.compute.problem = "the zone had no room"
    db.session.commit()
    it.look(it.first)
    assert it.first.compute.problem == ""


def test_a_turn_does_not_outlive_the_wish(line):
    it = line(1, places=1)
    it.want(it.first)
    assert turns.give(it.now, 1) == [it.first.bot.id]
    bots.stop(it.first.bot, by=TESTER, now=it.now)
    db.session.commit()
    it.look(it.first)
    assert it.first.compute.turn_at is None


def waiting():
    """How many wait for a lock that another transaction has, in this database."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"
    with db.engine.connect() as connection:
        return connection.scalar(text(f"{query} AND datname = current_database()"))


def test_of_two_who_ask_at_once_the_second_counts_the_first(line, app):
    sqlite = db.engine.dialect.name == "sqlite"  # one writer, from the first reading on
    it = line(2, places=1)
    it.want(*it.lives)
    one, two = (life.bot.id for life in it.lives)
    given = turns.give(it.now, 1)
    it.pass_time(seconds=11)
    given += turns.give(it.now, 1)
    db.session.commit()
    assert given == [one, two], "either may have the one place that is free"
    now, settings, second = it.now, it.first.settings, []

    def ask():
        with app.app_context():
            second.append(fleet.begin(two, now, settings))
            db.session.commit()

    assert fleet.begin(one, now, settings) is not None
    thread = threading.Thread(target=ask)
    thread.start()
    until("the second waits, or had its answer", lambda: sqlite or waiting() or second)
    db.session.commit()
    thread.join(PATIENCE)
    assert second == [None]
    assert len(it.under_way()) == 1


def test_a_clock_set_back_keeps_no_place_for_long(line):
    it = line(2, places=1)
    one, two = it.lives
    it.want(one, two)
    row = db.session.get_one(BotCompute, one.bot.id)
    row.turn_at = it.now + timedelta(hours=5)
    db.session.commit()
    assert turns.give(it.now, 1) == [one.bot.id]
    assert one.compute.turn_at == it.now
