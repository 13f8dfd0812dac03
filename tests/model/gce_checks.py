"""What must be true of rows and Compute Engine together, whatever happened before."""

import json
from datetime import timedelta

from sqlalchemy import func, select

from app.domain import sweep_rules
from app.extensions import db
from app.gateways.compute.driver import Cause, Outcome, StepKind
from app.models import (
    BotAddress,
    BotCompute,
    CloudFind,
    CloudOperation,
    CloudRegion,
    FindState,
    Machine,
    Phase,
)
from tests.model import checks

MINUTE = timedelta(seconds=60)


def everything(cloud, worlds):
    assert cloud.fake.violations() == [], "one request id was used for two requests"
    assert cloud.fake.problems() == []
    assert cloud.strangers_are_unharmed, "something that is not ours was changed"
    for row in cloud.rows().values():
        _well_made(row)
    for world in worlds:
        checks.everything(world)
        _one_machine_runs(world)
        _ready_at_its_address(world)
        _nothing_secret(world)
    _few_start_at_once(worlds)
    db.session.rollback()


def asked(world, held, now):
    """Called when a call was decided: its region was not asked too often a minute ago."""
    region = db.session.get(CloudRegion, world.bot.region, populate_existing=True)
    until = region and region.slow_until
    # What lies further off says that the clock was set back since.
    assert until is None or not now < until <= now + MINUTE, "asked although it is asked too often"


def answered(world, held):
    """Called when an answer was written down: what a refusal may lead to."""
    result, compute = held.result, world.compute
    if held.errand.step.kind is StepKind.READ_CONSOLE:  # asked once, whatever comes of it
        return
    if result.cause is Cause.RATE:
        assert compute.phase is not Phase.BLOCKED, "a rate has blocked a bot"
    if result.outcome is Outcome.FAILED and result.cause is Cause.PERMISSION:
        assert compute.retry_at is not None, "a permission is missing, and it asks again at once"
        assert compute.retry_at > world.now


def _well_made(row):
    """Every machine that was asked for is what a machine of ours must be."""
    if "plutarc-token" not in json.dumps(row["metadata"]):
        return
    assert not row.get("serviceAccounts"), "a machine has a service account"
    assert all(row["shieldedInstanceConfig"].values()), "a machine is not shielded"
    assert all(disk["autoDelete"] for disk in row["disks"]), "a disk outlives its machine"
    scheduling = row["scheduling"]
    assert int(scheduling["maxRunDuration"]["seconds"]) > 0, "a machine may run for ever"
    assert scheduling["instanceTerminationAction"] == "DELETE"


def _one_machine_runs(world):
    running = [vm for vm in world.cloud.all if vm.bot == world.bot_id and vm.running]
    assert len(running) <= 1, f"{len(running)} machines of one bot run"


def _ready_at_its_address(world):
    if world.compute.phase is not Phase.READY or world.vm is None:
        return
    assert world.vm.ip == world.address.ip, "ready at another address than the bot's own"


def _nothing_secret(world):
    """A token is in the metadata of its machine and nowhere else; a key is nowhere."""
    query = select(CloudOperation.detail, CloudOperation.operation, CloudOperation.request_id)
    told = json.dumps([list(row) for row in db.session.execute(query)])
    for vm in world.cloud.all:
        row = {key: value for key, value in vm.row.items() if key != "metadata"}
        public = json.dumps(row) + told
        assert not vm.token or vm.token not in public, "a token is where others read it"
        given = json.dumps(vm.row["metadata"])
        assert not any(secret in given for secret in world.secrets), "a key is in the metadata"


def _few_start_at_once(worlds):
    most = worlds[0].settings.in_flight
    query = select(func.count(BotCompute.bot_id)).where(
        BotCompute.phase.in_((Phase.CREATING, Phase.BOOTING))
    )
    assert db.session.scalar(query) <= most, "more machines start at once than may"


# -- sweeps -----------------------------------------------------------------------------------


def deletions(before, after):
    """Finds that a sweep has let go: those that are being deleted and were not before."""
    return [it for it in after if it.state is FindState.DELETING and before.get(it.id) != it.state]


def concluded(sweeper, run, before, lost):
    """Called when a sweep has concluded; ``lost``: addresses that rang as lost before it."""
    going = deletions(before, sweeper.finds())
    if run is None or not run.complete:
        assert not going, "something is deleted after a listing that proves nothing"
        assert sweeper.lost() <= lost, "an address is lost after a listing that proves nothing"
        return
    sweeper.let_go += [sweeper.cloud.fake.now()] * len(going)
    hour = sweeper.cloud.fake.now() - sweep_rules.LATELY.total_seconds()
    lately = sum(moment > hour for moment in sweeper.let_go)
    if going:
        existing = run.machines + run.addresses + run.disks
        assert lately <= sweep_rules.MOST, f"{lately} deletions within an hour"
        assert lately * sweep_rules.SHARE <= existing, f"{lately} of {existing} would go"
    for find in going:
        known = sweeper.cloud.fake.now() - sweeper.since[find.kind, find.name]
        assert known >= sweep_rules.APART.total_seconds(), "deleted after one sighting"


def may_be_cleared(worlds, step):
    """Called when a find's deletion is asked for: it must be nobody's at this moment."""
    if step.machine_name is None:
        phase = select(BotCompute.phase).where(BotCompute.bot_id == step.bot)
        assert db.session.scalar(phase) in (None, Phase.RELEASED), "a bot's address is released"
        return
    alive = Machine.name == step.machine_name, Machine.gone_at.is_(None)
    assert db.session.scalar(select(Machine.id).where(*alive)) is None, "a bot's machine is deleted"
    for world in worlds:
        if world.vm is not None and world.vm.name == step.machine_name:
            assert not world.trading, "a machine that trades is cleared away"


# -- at rest ----------------------------------------------------------------------------------


def differences(cloud, worlds):
    """What the cloud has and the rows do not, or the other way round."""
    shown = cloud.fake.snapshot()
    ours = {kind: {it["name"] for it in shown[kind]} for kind in ("instances", "disks")}
    strangers = {name for _, name in cloud.foreign()}
    machines = set(db.session.scalars(select(Machine.name).where(Machine.gone_at.is_(None))))
    kept = BotAddress.ip.is_not(None), BotAddress.released_at.is_(None)
    addresses = set(db.session.scalars(select(BotAddress.name).where(*kept)))
    addresses -= {world.address.name for world in worlds if world.address and world.ip_removed}
    found = {it["name"] for it in shown["addresses"]}
    found -= {world.address.name for world in worlds if world.address and world.ip_removed}
    return {
        "machines": (ours["instances"] - strangers) ^ machines,
        "disks": (ours["disks"] - strangers) ^ machines,
        "addresses": (found - strangers) ^ addresses,
    }


def standing_finds():
    query = select(CloudFind).where(CloudFind.gone_at.is_(None))
    return list(db.session.scalars(query, execution_options={"populate_existing": True}))
