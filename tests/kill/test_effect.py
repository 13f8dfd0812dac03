"""A step is cut short at each line around its call outside; the next one makes it whole."""

import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select, update

from app.domain import audit_chain, bots, fleet
from app.extensions import db
from app.gateways.compute.driver import MachineState
from app.gateways.compute.local import end_process
from app.jobs import effect
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
from tests import factories
from tests.factories import TESTER
from tests.gateways.compute.conftest import World
from tests.kill.conftest import the_lease_runs_out
from tests.kill.cutting import killed_at

EFFECT, DOMAIN = "app/jobs/effect.py", "app/domain/"
EVERY_LINE = range(1, 12)
SAMPLED = range(5, 130, 30)


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def engine_url(request):
    """Both databases: what a killed worker had begun is undone by each in its own way."""
    return request.getfixturevalue(request.param)


@pytest.fixture
def world(app, tmp_path, monkeypatch):
    """One bot with its address, wanted awake; machines are real processes of a tiny program."""
    made = World(tmp_path)
    monkeypatch.setattr(effect, "compute_driver", lambda _config: made.driver)
    made.bot = factories.bot(factories.organisation()).id
    db.session.commit()
    steps(made.bot, 3)
    yield made
    for place in (made.var / "machines").glob("*"):
        end_process(place, 0.2)


def steps(bot, count):
    for _ in range(count):
        effect.advance(bot)


def press(button, bot):
    button(db.session.get_one(fleet.Bot, bot), by=TESTER, now=datetime.now(UTC))
    db.session.commit()


def phase():
    return db.session.scalar(select(BotCompute.phase))


def check(world, generations):
    """Everything that must hold whatever was cut short."""
    started = [world.starts(number) for number in generations if world.place(number).exists()]
    assert all(len(starts) <= 1 for starts in started)
    alive = [name for name in world.driver.survey(()).names if is_running(world, name)]
    assert len(alive) <= 1
    calls = db.session.scalars(select(CloudOperation)).all()
    assert OperationState.INTENDED not in {call.state for call in calls}
    assert len(db.session.scalars(select(BotAddress.ip)).all()) == 1
    metered = select(UsageInterval).where(UsageInterval.generation.is_not(None))
    of = [interval.generation for interval in db.session.scalars(metered)]
    assert len(of) == len(set(of))
    chain = select(AuditEvent).order_by(AuditEvent.chain, AuditEvent.seq)
    by_chain = {}
    for event in db.session.scalars(chain):
        by_chain.setdefault(event.chain, []).append(event)
    assert all(audit_chain.first_break(events) is None for events in by_chain.values())


def is_running(world, name):
    generation = int(name.rpartition("-g")[2])
    bot = name.rpartition("-g")[0]
    return world.do("observe_machine", generation, bot).machine is MachineState.RUNNING


@pytest.mark.parametrize(
    ("place", "line"), [(EFFECT, n) for n in EVERY_LINE] + [(DOMAIN, n) for n in SAMPLED]
)
def test_a_waking_cut_short_anywhere_ends_in_one_machine(world, place, line):
    press(bots.start, world.bot)
    assert killed_at(line, place, lambda: effect.advance(world.bot))
    the_lease_runs_out()
    steps(world.bot, 6)
    assert phase() is Phase.BOOTING
    machines = db.session.scalars(select(Machine).order_by(Machine.generation)).all()
    assert [m.gone_at is None for m in machines] == [False] * (len(machines) - 1) + [True]
    assert len(world.driver.survey(()).names) == 1
    assert is_running(world, machines[-1].name)
    check(world, range(1, len(machines) + 1))


@pytest.mark.parametrize(
    ("place", "line"), [(EFFECT, n) for n in EVERY_LINE] + [(DOMAIN, n) for n in SAMPLED]
)
def test_a_taking_down_cut_short_anywhere_ends_with_none(world, place, line):
    press(bots.start, world.bot)
    steps(world.bot, 3)
    machine = db.session.scalar(select(Machine))
    name, generation = machine.name, machine.generation
    long_ago = datetime.now(UTC) - timedelta(minutes=5)
    db.session.execute(update(BotCompute).values(phase_since=long_ago))  # it never reported
    press(bots.stop, world.bot)
    assert killed_at(line, place, lambda: effect.advance(world.bot))
    the_lease_runs_out()
    steps(world.bot, 4)
    assert phase() is Phase.ASLEEP
    assert world.driver.survey(()).names == ()
    assert not is_running(world, name)
    assert db.session.scalar(select(Machine.gone_at)) is not None
    check(world, [generation])


def held_up(world, *, after):
    """A worker that is stopped before or after its call outside, and takes its lease with it."""

    class Late:
        def do(self, step):
            result = world.driver.do(step) if after else None
            os.kill(os.getpid(), signal.SIGSTOP)
            return result or world.driver.do(step)

    db.session.remove()
    child = os.fork()
    if child == 0:
        try:
            db.engine.dispose(close=False)
            effect.compute_driver = lambda _config: Late()
            effect.advance(world.bot)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    return child


def goes_on(child):
    db.session.rollback()  # an open look would keep it from writing what it must not write
    os.kill(child, signal.SIGCONT)
    os.waitpid(child, 0)


def rows():
    """All that the planner decides by, as it stands."""
    db.session.rollback()
    found = [
        str(sorted(dict(row._mapping).items(), key=str))
        for kind in (BotCompute, Machine, CloudOperation, UsageInterval)
        for row in db.session.execute(select(*kind.__table__.columns))
    ]
    db.session.rollback()
    return found


@pytest.mark.parametrize("after", [False, True])
def test_a_worker_that_was_held_up_writes_nothing_and_starts_no_second_machine(world, after):
    press(bots.start, world.bot)
    child = held_up(world, after=after)
    the_lease_runs_out()
    steps(world.bot, 6)
    assert phase() is Phase.BOOTING
    before = rows()
    goes_on(child)
    assert rows() == before
    check(world, [1, 2])


def test_a_machine_whose_insert_comes_after_it_was_given_up_never_starts(world):
    press(bots.start, world.bot)
    child = held_up(world, after=False)
    press(bots.stop, world.bot)
    the_lease_runs_out()
    steps(world.bot, 4)
    assert phase() is Phase.ASLEEP
    goes_on(child)
    assert world.driver.survey(()).names == ()
    check(world, [])
