"""What must be true of rows and cloud whatever was killed; the numbers are the invariants'."""

import re

from sqlalchemy import select

from app.domain.machines import token_digest
from app.domain.planner import PROOF_AGE
from app.extensions import db
from app.models import CloudOperation, Machine, OperationState, Phase
from app.models.audit import AuditEvent
from runner.protocol import PositionState
from tests.model import checks as of_model

_GOING = ("STOPPING", "DEPROVISIONING")
_OURS = re.compile(r"b-[a-z0-9]{1,40}-(g[0-9]{1,9}|ip)")
_SECRETS = re.compile(r"api_?key|secret|password", re.IGNORECASE)


def at_any_instant(life):
    """What may not be untrue for a moment either."""
    db.session.expire_all()
    there = life.instances()
    one_machine(there)
    one_runner(life, there)
    one_address(life, there)
    db.session.rollback()


def everything(life):
    """Once it has come to rest."""
    at_any_instant(life)
    calls = _calls(life)
    intents(life, calls)
    insertions(life, calls)
    deletions(life)
    only_ours(life)
    no_secrets(life, calls)
    nothing_left(life)
    of_model.usage(life)
    audited(life)
    db.session.rollback()


def one_machine(there):
    """1."""
    alive = [it["name"] for it in there if it["status"] not in _GOING]
    assert len(alive) <= 1, f"{alive} at once"


def one_runner(life, there):
    """2: of all that ever claimed, the gate would accept one at most, of this generation."""
    accepted = []
    for runner in life.runners.values():
        if runner.trades and any(it["name"] == runner.vm.name for it in there):
            row = _row(life, runner.vm.name)
            digest = token_digest(runner.claim_id)
            if row is not None and row.gone_at is None and row.claim_hash == digest:
                accepted.append(row.generation)
    assert len(accepted) <= 1
    assert all(number == life.compute.generation for number in accepted)


def one_address(life, there):
    """3 and 4."""
    row = life.address
    if row is None or row.ip is None:
        return
    life.ip = life.ip or row.ip
    assert row.ip == life.ip, "the address changed"
    for instance in there:
        assert _nat(instance) == life.ip, "a machine at another address"


def _nat(instance):
    return instance["networkInterfaces"][0]["accessConfigs"][0]["natIP"]


def _row(life, name):
    return next((it for it in life.all(Machine) if it.name == name), None)


def _calls(life):
    """What was asked for this bot that changes more than labels: it has a request id, always."""
    return [call for call in life.cloud.calls() if life.short in str(call) and call["request"]]


def intents(life, calls):
    """10, 14: each change has its own committed intent, and no request id two changes."""
    told = {it.request_id: it for it in life.all(CloudOperation)}
    ids = [call["request"] for call in calls]
    assert len(ids) == len(set(ids)), "a request id was used again"
    assert set(ids) <= set(told), "something was asked for that no row intended"
    open_still = [it for it in told.values() if it.state is OperationState.INTENDED]
    assert not open_still, "an intent was never closed"


def insertions(life, calls):
    """3, 24: each machine that was asked for."""
    for call in calls:
        body = call["body"]
        if call["verb"] != "POST" or not call["path"].endswith("/instances"):
            continue
        assert _nat(body) == life.ip
        assert not body.get("serviceAccounts")
        assert all(body["shieldedInstanceConfig"].values())
        assert all(disk["autoDelete"] for disk in body["disks"])
        assert int(body["scheduling"]["maxRunDuration"]["seconds"]) > 0
        assert body["scheduling"]["instanceTerminationAction"] == "DELETE"


def deletions(life):
    """5: a machine that traded went only dead, or drained and proven flat just before."""
    asked = {}
    for operation in life.all(CloudOperation):
        if operation.kind == "delete_machine":
            first = asked.setdefault(operation.generation, operation.started_at)
            asked[operation.generation] = min(first, operation.started_at)
    for row in life.all(Machine):
        if row.generation not in asked or row.claimed_at is None or row.dead_at is not None:
            continue
        assert row.proven_flat, f"{row.name} was deleted without proof"
        assert row.drained
        assert row.position_state is PositionState.FLAT
        assert row.open_orders == 0
        assert asked[row.generation] - row.synced_at <= PROOF_AGE, "on an old word"


def only_ours(life):
    """15: nothing was changed that is not named by our pattern."""
    for call in life.cloud.calls():
        named = call["path"].rpartition("/")[2] if call["verb"] == "DELETE" else None
        named = named or (call["body"] or {}).get("name")
        assert named is None or _OURS.fullmatch(named), f"{named} is not one of ours"


def no_secrets(life, calls):
    """23: the one-time token is in the metadata alone, and nothing else that is secret anywhere."""
    tokens = {runner.vm.token for runner in life.runners.values()}
    logged = " ".join(
        f"{it.detail} {it.operation} {it.cause}" for it in life.all(CloudOperation)
    ) + (life.stage.var / "worker.log").read_text(errors="replace")
    for call in calls:
        body = call["body"] or {}
        items = {it["key"]: it["value"] for it in body.get("metadata", {}).get("items", ())}
        tokens |= {items["plutarc-token"]} if items else set()
        assert not any(map(_SECRETS.search, items)), "a key in the metadata"
        logged += str({k: v for k, v in body.items() if k != "metadata"})
    assert not any(token in logged for token in tokens), "a token outside the metadata"


def nothing_left(life):
    """7, 8, 9: at rest, the cloud holds what the rows say and no more."""
    snapshot, compute, address = life.cloud.snapshot(), life.compute, life.address
    here = [it for it in snapshot["addresses"] if it["name"] == life.address_name]
    disks = [it for it in snapshot["disks"] if life.short in it["name"]]
    there = life.instances()
    kept = address is not None and address.ip is not None and address.released_at is None
    if kept and address.lost_at is None:
        assert [it.get("address") for it in here] == [address.ip]
    if compute.phase is Phase.ASLEEP:
        assert (there, disks) == ([], [])
        assert here[0]["status"] == "RESERVED"
    if compute.phase is Phase.RELEASED:
        assert (there, disks, here) == ([], [], [])
    if compute.phase is Phase.READY:
        assert [it["name"] for it in there] == [life.machine.name]
    assert len(disks) == len(there)


def audited(life):
    """Each machine's start has exactly one event, whatever was begun twice."""
    query = select(AuditEvent.correlation_id).where(
        AuditEvent.target_id == life.bot_id, AuditEvent.action == "bot.wake"
    )
    told = list(db.session.scalars(query))
    assert sorted(told) == sorted(it.id for it in life.all(Machine))
