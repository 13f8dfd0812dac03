"""What must be true of rows, cloud and runners, whatever happened before."""

from datetime import timedelta
from itertools import pairwise

from sqlalchemy import inspect, select

from app.domain import lifecycle
from app.domain.machines import token_digest
from app.extensions import db
from app.models import (
    BotAddress,
    BotCommand,
    BotCompute,
    CloudOperation,
    Machine,
    Phase,
    Resource,
    RunnerNotice,
    UsageInterval,
)
from runner.protocol import PositionState

PROOF_AGE = timedelta(seconds=30)
"""So old may the word be on which a machine is deleted; not the planner's own figure."""


def everything(world):
    db.session.expire_all()
    one_machine(world)
    one_runner(world)
    one_address(world)
    by_the_table(world)
    usage(world)
    telemetry(world)
    db.session.rollback()


def may_be_deleted(world):
    """Called at the moment a deletion is decided: the rows must prove it, and it must be true."""
    row, vm = world.machine, world.vm
    if row.dead_at is not None or vm is None or not vm.running:
        return
    runner = world.runner
    if row.claimed_at is None:
        assert runner is None or not runner.trades, "a trading runner was deleted as never claimed"
        return
    assert row.drained, "deleted without an acknowledged drain"
    assert row.position_state is PositionState.FLAT, "deleted while not proven flat"
    assert row.open_orders == 0, "deleted with open orders"
    age = abs(world.now - row.synced_at)
    assert age <= PROOF_AGE, f"deleted on the word of a report {age} old"
    assert not runner.trades or runner.draining, "deleted a runner that may enter"
    held = world.position or world.orders
    assert not held, "deleted although the venue holds something"


def nothing_left_behind(world):
    """Called when an insertion is decided: no older machine may exist, not even a dead one."""
    assert not world.older_machines(), "a next generation while an older machine exists"


def one_machine(world):
    vms = world.cloud.of(world.bot_id)
    assert len(vms) <= 1, f"{len(vms)} machines at once"
    query = select(Machine).where(Machine.bot_id == world.bot_id, Machine.gone_at.is_(None))
    rows_alive = list(db.session.scalars(query))
    assert len(rows_alive) <= 1
    if vms and vms[0].running and world.runners.get(vms[0].name) is not None:
        trading = world.runners[vms[0].name].trades
        assert not trading or rows_alive, "a machine trades that the rows hold for gone"


def one_runner(world):
    """At most one runner holds a claim that the gate would accept, and it is of this generation."""
    accepted = []
    for runner in world.runners.values():
        alive = world.cloud.vms.get(runner.vm.name) is runner.vm and runner.vm.running
        if not (alive and runner.trades):
            continue
        query = select(Machine).where(
            Machine.bot_id == world.bot_id, Machine.generation == runner.vm.generation
        )
        row = db.session.scalar(query)
        if row.gone_at is None and row.claim_hash == token_digest(runner.claim_id):
            accepted.append(row.generation)
    assert len(accepted) <= 1
    assert all(number == world.compute.generation for number in accepted)


def one_address(world):
    row = world.address
    if row is None or row.ip is None:
        return
    world.ip = world.ip or row.ip
    assert row.ip == world.ip, "the address changed"
    assert all(vm.ip == row.ip for vm in world.cloud.of(world.bot_id))


def by_the_table(world):
    for before, after in world.moves:
        assert after in lifecycle.FOLLOWERS[before], f"{before} became {after}"
    world.moves.clear()


def usage(world):
    """Intervals are forward, do not overlap, and are open only while their thing exists."""
    query = select(UsageInterval).where(UsageInterval.bot_id == world.bot_id)
    intervals = list(db.session.scalars(query.order_by(UsageInterval.started_at)))
    for resource in Resource:
        mine = [it for it in intervals if it.resource is resource]
        mine.sort(key=lambda it: (it.started_at, it.ended_at is None, it.ended_at or it.started_at))
        assert all(it.ended_at is None or it.ended_at >= it.started_at for it in mine)
        assert all(
            a.ended_at is not None and a.ended_at <= b.started_at for a, b in pairwise(mine)
        ), f"{resource} was metered twice at one time"
    row = world.machine
    running = row is not None and row.running_at is not None
    assert running == any(
        it.ended_at is None and it.resource is Resource.MACHINE for it in intervals
    ), "the meter and the machine disagree"


def telemetry(world):
    """Acknowledged events are there once each and in order; what is not acknowledged is not."""
    query = select(RunnerNotice.message).where(RunnerNotice.bot_id == world.bot_id)
    stored = list(db.session.scalars(query.order_by(RunnerNotice.number)))
    expected = []
    rows_of = select(Machine).where(Machine.bot_id == world.bot_id).order_by(Machine.generation)
    for row in db.session.scalars(rows_of):
        told = world.cloud.disks.get(row.name, {"told": []})["told"]
        assert row.ack_seq <= len(told), "more acknowledged than sent"
        expected += [it.data["text"] for it in told[: row.ack_seq] if "text" in it.data]
    assert stored == expected, "events were lost, doubled or reordered"


def rows(world):
    """All that a finish may write, as plain values."""
    found = []
    for kind in (BotCompute, BotAddress, Machine, CloudOperation, UsageInterval, BotCommand):
        for row in db.session.scalars(
            select(kind).where(kind.bot_id == world.bot_id),
            execution_options={"populate_existing": True},
        ):
            values = {c.key: getattr(row, c.key) for c in inspect(kind).column_attrs}
            found.append((kind.__name__, values))
    return found


__all__ = ["Phase", "everything", "may_be_deleted", "nothing_left_behind", "rows"]
