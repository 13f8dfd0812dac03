"""Sweeps on real rows: what is found, what goes, what is held back, and what is never touched."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app.domain import finds, fleet, fleet_alarms, sweeps
from app.domain.errors import Conflict
from app.extensions import db
from app.gateways.compute.driver import (
    AddressState,
    MachineState,
    Outcome,
    Quota,
    RegionFacts,
    Result,
    SeenAddress,
    SeenDisk,
    SeenMachine,
    StepKind,
    Survey,
)
from app.models import (
    AddressEvent,
    AddressEventKind,
    AlarmKind,
    AuditEvent,
    BotAddress,
    BotCompute,
    CloudFind,
    CloudOperation,
    CloudRegion,
    FindState,
    Machine,
    OperationState,
    OutboxMessage,
    Phase,
    SweepRun,
    Wish,
)
from tests import factories, telling
from tests.factories import NOW, TESTER

LONG_AGO = NOW - timedelta(days=1)
GHOST = SeenMachine("b-ghost-g3", "local", "", MachineState.RUNNING, "127.80.0.9", LONG_AGO, "7")
GONE = Result(Outcome.DONE, machine=MachineState.ABSENT)


class Place:
    """A few bots with their things in the cloud, and a clock moved by hand."""

    def __init__(self, count=6):
        self.now = NOW
        self.workspace = factories.organisation()
        version = factories.strategy(self.workspace).latest
        self.bots = [factories.bot(self.workspace, version=version) for _ in range(count)]
        self.operator = factories.user("Olga")
        self.operator.operator = True
        self.survey = Survey(regions=(RegionFacts("local"),))
        for bot in self.bots:
            machine = telling.awake(bot, NOW)
            machine.name = f"b-{bot.id.removeprefix('bot_')}-g1"
            machine.running_at = machine.created_at = NOW - timedelta(hours=1)
            row = db.session.get_one(BotAddress, bot.id)
            row.name = f"b-{bot.id.removeprefix('bot_')}-ip"
            compute = db.session.get_one(BotCompute, bot.id)
            compute.lease_until, compute.due_at = NOW, NOW + timedelta(days=1)
            self.add(
                machines=[replace(GHOST, name=machine.name, ip=row.ip)],
                addresses=[SeenAddress(row.name, "local", row.ip, AddressState.IN_USE)],
            )
        db.session.commit()

    def add(self, **things):
        grown = {kind: (*getattr(self.survey, kind), *more) for kind, more in things.items()}
        self.survey = replace(self.survey, **grown)

    def lack(self, kind, name):
        rest = tuple(it for it in getattr(self.survey, kind) if it.name != name)
        self.survey = replace(self.survey, **{kind: rest})

    def sweep(self, minutes=0, survey=None, holder="one"):
        self.now += timedelta(minutes=minutes)
        look = sweeps.begin(holder, self.now)
        db.session.commit()
        run = sweeps.conclude(look, survey or self.survey, self.now)
        db.session.commit()
        return run

    def twice(self):
        """Two sweeps as far apart as it takes."""
        self.sweep()
        return self.sweep(minutes=11)

    def clear(self, find, result=GONE):
        clearing = finds.begin(find.id, self.now)
        db.session.commit()
        if clearing is not None:
            finds.finish(clearing, result, self.now)
            db.session.commit()
        return clearing

    def compute(self, number=0):
        return db.session.get(BotCompute, self.bots[number].id, populate_existing=True)


@pytest.fixture
def place(app):
    return Place()


def found():
    query = select(CloudFind).order_by(CloudFind.first_seen, CloudFind.name)
    return list(db.session.scalars(query.execution_options(populate_existing=True)))


def states():
    return [it.state for it in found()]


def ringing():
    return {alarm.kind for alarm in fleet_alarms.open_alarms()}


def actions(prefix="fleet."):
    query = select(AuditEvent.action).where(AuditEvent.action.startswith(prefix))
    return list(db.session.scalars(query.order_by(AuditEvent.seq)))


def test_where_all_is_accounted_for_nothing_is_found_and_regions_are_learned(place):
    facts = RegionFacts("europe-west1", ("europe-west1-b",), (Quota("STATIC_ADDRESSES", 3, 8),))
    run = place.sweep(survey=replace(place.survey, regions=(facts,)))
    assert (run.complete, run.machines, run.addresses, run.finds) == (True, 6, 6, 0)
    region = db.session.get_one(CloudRegion, "europe-west1")
    assert (region.zones, region.seen_at) == (["europe-west1-b"], NOW)
    assert region.quotas == {"STATIC_ADDRESSES": [3, 8]}
    assert found() == []
    assert ringing() == set()


def test_a_ghost_goes_after_two_sightings_ten_minutes_apart(place):
    place.add(machines=[GHOST])
    factories.bot(place.workspace)
    place.sweep()
    place.sweep(minutes=5)
    assert states() == [FindState.SEEN]
    place.sweep(minutes=5)
    [find] = found()
    assert (find.state, find.sightings, find.why) == (
        FindState.DELETING,
        3,
        "no bot of this name is known",
    )
    assert ringing() == {AlarmKind.FOUND}
    assert actions() == ["fleet.find_delete"]
    asked = db.session.scalars(select(OutboxMessage).where(OutboxMessage.job == "delete_find"))
    assert [it.arguments for it in asked] == [{"find_id": find.id}]
    clearing = place.clear(find)
    step = clearing.step
    assert (step.kind, step.machine_name, step.address_name) == (
        StepKind.DELETE_MACHINE,
        "b-ghost-g3",
        "b-ghost-ip",
    )
    assert (step.bot, step.generation, step.request_id) == ("bot_ghost", None, find.request_id)
    assert states() == [FindState.GONE]
    place.lack("machines", GHOST.name)
    place.sweep(minutes=1)
    assert ringing() == set()


def test_an_incomplete_listing_proves_nothing(place):
    place.add(machines=[GHOST])
    factories.bot(place.workspace)
    partial = Survey((GHOST,), complete=False, unreachable=("local",), problem="no answer")
    run = place.sweep(survey=partial)
    assert not run.complete
    assert found() == []
    place.sweep(minutes=11)
    place.sweep(minutes=9, survey=partial)
    assert states() == [FindState.SEEN]
    assert db.session.scalar(select(func.count(AddressEvent.id))) == 0
    assert ringing() == set(), "a listing that failed once rings for nothing"
    place.sweep(minutes=1, survey=partial)
    assert ringing() == {AlarmKind.CLOUD_SILENT}
    place.sweep(minutes=1)
    assert AlarmKind.CLOUD_SILENT not in ringing()


def test_a_listing_that_comes_late_or_is_overtaken_proves_nothing(place):
    place.add(machines=[GHOST])
    slow = sweeps.begin("slow", NOW)
    assert sweeps.begin("quick", NOW) is None
    late = NOW + sweeps.LEASE + timedelta(seconds=1)
    assert sweeps.begin("quick", late) is not None
    assert sweeps.conclude(slow, place.survey, late) is None
    quick = sweeps.begin("quick", late)
    assert sweeps.conclude(quick, place.survey, late) is not None
    assert sweeps.conclude(slow, place.survey, late) is None
    tired = sweeps.begin("tired", late)
    run = sweeps.conclude(tired, place.survey, late + sweeps.STALE + timedelta(seconds=1))
    assert (run.complete, run.refused) == (False, "the listing came too late")


def test_what_is_young_or_being_worked_on_is_left_alone(place):
    bot = place.bots[0]
    short = bot.id.removeprefix("bot_")
    young = replace(GHOST, created_at=NOW + timedelta(minutes=5))
    other = replace(GHOST, name=f"b-{short}-g0")
    place.add(machines=[young, other])
    call = CloudOperation(
        workspace_id=bot.workspace_id,
        bot_id=bot.id,
        generation=1,
        kind="insert_machine",
        request_id="r1",
        state=OperationState.PENDING,
        started_at=NOW,
    )
    db.session.add(call)
    db.session.commit()
    place.twice()
    assert found() == []


def test_more_than_three_are_held_for_a_person_and_so_are_those_that_follow_within_the_hour(place):
    ghosts = [replace(GHOST, name=f"b-ghost{n}-g1") for n in range(4)]
    disks = [SeenDisk(it.name, "r-1", "r-1-b", (), LONG_AGO) for it in ghosts]
    place.add(disks=disks[:2])
    place.twice()
    assert states() == [FindState.DELETING] * 2
    place.add(disks=disks[2:])
    run = place.sweep(minutes=1)
    run = place.sweep(minutes=11)
    assert "4 deletions within an hour" in run.refused
    assert states() == [FindState.DELETING] * 2 + [FindState.HELD] * 2
    assert AlarmKind.SWEEP_REFUSED in ringing()
    assert actions() == ["fleet.find_delete"] * 2 + ["fleet.sweep_refuse"]
    place.sweep(minutes=61)
    assert states()[2:] == [FindState.HELD] * 2, "time alone lets nothing go"
    keep, go = found()[2:]
    finds.keep(keep, place.operator, by=TESTER, now=place.now)
    finds.release(go, place.operator, by=TESTER, now=place.now)
    db.session.commit()
    with pytest.raises(Conflict):
        finds.release(go, place.operator, by=TESTER, now=place.now)
    assert (keep.state, go.state, go.decided_by) == (
        FindState.KEPT,
        FindState.DELETING,
        place.operator.id,
    )
    assert actions()[3:] == ["fleet.find_keep", "fleet.find_delete"]
    assert place.clear(go).step.kind is StepKind.DELETE_DISK
    place.survey = replace(place.survey, disks=(disks[2],))
    place.sweep(minutes=1)
    assert ringing() == set(), "what is kept rings for nothing"


def test_one_in_five_is_too_many(place):
    place.survey = replace(place.survey, addresses=(), machines=place.survey.machines[:2])
    place.add(disks=[SeenDisk("b-ghost-g1", "local", "z", (), LONG_AGO)])
    assert "1 of 3 things" in place.twice().refused
    assert states() == [FindState.HELD]


def test_a_database_that_knows_less_than_the_cloud_deletes_nothing(place):
    """Restored from yesterday, or empty: also what was let go before stays."""
    place.add(disks=[SeenDisk("b-ghost-g1", "local", "z", (), LONG_AGO)])
    place.twice()
    assert states() == [FindState.DELETING]
    name = place.survey.machines[0].name.replace("-g1", "-g9")
    place.add(machines=[replace(place.survey.machines[0], name=name, created_at=LONG_AGO)])
    factories.bot(place.workspace)
    db.session.commit()
    run = place.sweep(minutes=1)
    assert "newer than the database" in run.refused
    assert states()[0] is FindState.HELD
    place.sweep(minutes=12)
    assert states() == [FindState.HELD] * 2
    assert AlarmKind.SWEEP_REFUSED in ringing()


def test_an_empty_database_is_not_trusted(app):
    fleet_of_ghosts = Survey(tuple(replace(GHOST, name=f"b-x{n}-g1") for n in range(3)))
    for minute in (0, 11):
        look = sweeps.begin("one", NOW + timedelta(minutes=minute))
        run = sweeps.conclude(look, fleet_of_ghosts, NOW + timedelta(minutes=minute))
    assert "the database 0 bots" in run.refused
    assert states() == [FindState.HELD] * 3


def test_a_machine_whose_bot_may_have_left_a_position_is_never_deleted_by_itself(place):
    machine = db.session.scalars(select(Machine).where(Machine.bot_id == place.bots[0].id)).one()
    machine.gone_at, machine.proven_flat = NOW - timedelta(hours=1), False
    db.session.commit()
    place.twice()
    [find] = found()
    assert (find.state, find.detail) == (FindState.HELD, "its bot may have left a position open")
    assert place.clear(find) is None


def test_rows_are_asked_once_more_before_anything_goes(place):
    place.add(disks=[SeenDisk("b-ghost-g1", "local", "z", (), LONG_AGO)])
    place.twice()
    [find] = found()
    place.now += finds.FRESH + timedelta(seconds=1)
    assert place.clear(find) is None, "it was seen too long ago"
    assert finds.due(place.now) == []
    place.now -= finds.FRESH
    machine = db.session.scalars(select(Machine).where(Machine.bot_id == place.bots[0].id)).one()
    machine.name = find.name
    db.session.commit()
    assert place.clear(find) is None
    assert [(it.state, it.detail) for it in found()] == [(FindState.GONE, "a row accounts for it")]


def test_a_deletion_has_its_intent_its_fence_and_its_operation(place):
    place.add(disks=[SeenDisk("b-ghost-g1", "local", "z", (), LONG_AGO)])
    place.twice()
    [find] = found()
    late = finds.begin(find.id, place.now)
    db.session.commit()
    assert finds.begin(find.id, place.now) is None, "a call is under way"
    place.now += timedelta(seconds=31)
    first = place.clear(find, Result(Outcome.PENDING, operation="op-1"))
    assert first.step.request_id != late.step.request_id
    assert not finds.finish(late, GONE, place.now)
    place.now += timedelta(seconds=3)
    assert finds.due(place.now) == [find.id]
    second = place.clear(find, Result(Outcome.UNKNOWN, "no answer"))
    assert (second.step.operation, second.step.request_id) == ("op-1", first.step.request_id)
    place.now += timedelta(minutes=5)
    third = place.clear(find, Result(Outcome.FAILED, "permission missing"))
    assert third.step.operation == ""
    assert third.step.request_id not in (first.step.request_id, late.step.request_id)
    assert [(it.state, it.detail) for it in found()] == [
        (FindState.HELD, "the cloud refuses: permission missing")
    ]


def test_an_address_goes_once_its_bot_is_gone_and_no_machine_has_it(place):
    bot = place.bots[0]
    row = db.session.get_one(BotAddress, bot.id)
    row.released_at = NOW - timedelta(hours=1)
    db.session.commit()
    used = SeenAddress(row.name, "local", row.ip, AddressState.IN_USE, ("b-x-g1",), LONG_AGO)
    place.lack("addresses", row.name)
    place.add(addresses=[used])
    place.twice()
    assert found() == [], "that of a living bot is its own, whatever its row says"
    place.compute().phase = Phase.RELEASED
    place.lack("machines", f"{row.name.removesuffix('ip')}g1")
    db.session.commit()
    place.twice()
    assert states() == [FindState.SEEN], "in use"
    place.lack("addresses", row.name)
    place.add(addresses=[replace(used, users=())])
    place.sweep(minutes=1)
    assert states() == [FindState.DELETING]


def test_a_missing_machine_makes_the_planner_look_and_proves_no_more(place):
    place.lack("machines", place.survey.machines[0].name)
    place.sweep()
    assert fleet.due(place.now) == [place.bots[0].id]
    machine = db.session.scalars(select(Machine).where(Machine.bot_id == place.bots[0].id)).one()
    assert (machine.dead_at, machine.gone_at) == (None, None)
    assert machine.observed_at is None, "what was seen before keeps no look away"


def test_a_machine_shown_switched_off_is_looked_at_and_one_that_stops_is_not(place):
    first, second = place.survey.machines[:2]
    for seen in (first, second):
        place.lack("machines", seen.name)
    off = replace(first, state=MachineState.TERMINATED)
    place.add(machines=[off, replace(second, state=MachineState.STOPPING)])
    place.sweep()
    assert fleet.due(place.now) == [place.bots[0].id]


def test_an_address_is_lost_after_two_listings_and_found_again(place):
    bot, compute = place.bots[0], place.compute()
    compute.phase = Phase.ASLEEP
    db.session.execute(db.delete(Machine).where(Machine.bot_id == bot.id))
    db.session.commit()
    whole, row = place.survey, db.session.get_one(BotAddress, bot.id)
    place.lack("addresses", row.name)
    place.lack("machines", f"{row.name.removesuffix('ip')}g1")
    bare = place.survey
    place.sweep()
    assert (row.lost_at, place.compute().phase) == (None, Phase.ASLEEP)
    place.sweep(minutes=1, survey=replace(bare, complete=False))
    place.sweep(minutes=1)
    assert row.lost_at is None, "a listing in between was incomplete"
    place.sweep(minutes=1)
    db.session.refresh(row)
    assert (row.lost_at, place.compute().phase) == (place.now, Phase.BLOCKED)
    assert place.compute().cause == "lost"
    assert row.ip in place.compute().problem
    assert ringing() == {AlarmKind.ADDRESS_LOST}
    ip = row.ip
    place.sweep(minutes=1)
    back = [it for it in whole.addresses if it.name == row.name]
    place.survey = replace(bare, addresses=(*bare.addresses, replace(back[0], ip="127.99.9.9")))
    place.sweep(minutes=1)
    assert ringing() == {AlarmKind.ADDRESS_LOST}, "another one under its name is not it"
    place.survey = replace(bare, addresses=(*bare.addresses, *back))
    place.sweep(minutes=1)
    db.session.refresh(row)
    assert (row.lost_at, row.ip, ringing()) == (None, ip, set())
    assert fleet.due(place.now) == [bot.id]
    kinds = db.session.scalars(select(AddressEvent.kind).order_by(AddressEvent.at))
    assert list(kinds) == [AddressEventKind.LOST, AddressEventKind.FOUND]


def test_a_bot_that_is_to_go_loses_its_address_in_silence(place):
    place.bots[0].wish = Wish.GONE
    row = db.session.get_one(BotAddress, place.bots[0].id)
    place.lack("addresses", row.name)
    place.twice()
    assert ringing() == set()


def test_old_sweeps_and_finds_are_forgotten(place):
    place.add(disks=[SeenDisk("b-ghost-g1", "local", "z", (), LONG_AGO)])
    place.sweep()
    place.lack("disks", "b-ghost-g1")
    place.sweep(minutes=1)
    assert [(it.state, it.detail) for it in found()] == [(FindState.GONE, "it is no longer there")]
    sweeps.forget(NOW + timedelta(days=8))
    assert db.session.scalar(select(func.count(SweepRun.id))) == 0
    assert len(found()) == 1
    sweeps.forget(NOW + timedelta(days=91))
    assert found() == []
