"""What sweeps found that no row accounts for, and what becomes of it.

A deletion has the planner's pattern: decided and committed before the call, one call per job, its
answer counted only under the fence it was begun with (``attempt``), and begun only after the rows
were asked once more.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select

from app.domain import audit, clock, outbox, sweep_books, sweep_rules, waits
from app.domain.audit import TIMETABLE, Actor, Change
from app.domain.errors import Conflict, Refused
from app.domain.sweep_rules import Judgement, Patience, Whose
from app.extensions import db
from app.gateways.compute.driver import (
    AddressState,
    MachineState,
    Outcome,
    Result,
    SeenAddress,
    SeenDisk,
    SeenMachine,
    Step,
    StepKind,
)
from app.models import CloudFind, FindKind, FindState, User

LEASE = timedelta(seconds=30)
FRESH = timedelta(minutes=15)
"""What was last seen longer ago is not deleted on that word: a sweep looks again first."""

_LONGEST_PAUSE = timedelta(minutes=5)
_NAMESPACE = uuid.UUID("9d0f7c1e-4f0b-5b57-8f0b-3a55b3e7a0d4")
_STEPS = {
    FindKind.MACHINE: StepKind.DELETE_MACHINE,
    FindKind.ADDRESS: StepKind.RELEASE_ADDRESS,
    FindKind.DISK: StepKind.DELETE_DISK,
}


@dataclass(frozen=True)
class Clearing:
    """One call that deletes a find, and the attempt under which its answer counts."""

    find_id: str
    attempt: int
    step: Step


def standing() -> list[CloudFind]:
    """What is there and nobody's, the longest known first."""
    query = select(CloudFind).where(CloudFind.gone_at.is_(None))
    return list(db.session.scalars(query.order_by(CloudFind.first_seen, CloudFind.id)))


def lately(now: datetime) -> int:
    """How many deletions sweeps have decided on within the last while."""
    query = select(func.count(CloudFind.id)).where(
        CloudFind.decided_at > now - sweep_rules.LATELY,
        CloudFind.decided_by.is_(None),
        CloudFind.state.in_((FindState.DELETING, FindState.GONE)),
    )
    return db.session.scalar(query) or 0


def due(now: datetime) -> list[str]:
    """Finds whose deletion somebody should go on with."""
    query = select(CloudFind.id).where(
        CloudFind.state == FindState.DELETING,
        or_(CloudFind.try_at.is_(None), CloudFind.try_at <= clock.database_now(now)),
        or_(CloudFind.operation != "", CloudFind.last_seen > now - FRESH),
    )
    return list(db.session.scalars(query.order_by(CloudFind.try_at).limit(20)))


def ask(now: datetime) -> None:
    """Ask anew for deletions that no job has gone on with."""
    for find_id in due(now):
        outbox.put("fleet", "delete_find", now=now, find_id=find_id)


# -- decisions --------------------------------------------------------------------------------


def keep(find: CloudFind, person: User, *, by: Actor, now: datetime) -> None:
    """A person says that it stays: no sweep deletes it or rings for it again.

    Raises:
        Conflict: it is gone, or being deleted already.
    """
    _locked(find)
    if find.state not in (FindState.SEEN, FindState.HELD):
        raise Conflict(f"It is {find.state} by now; look again.")
    _decide(find, FindState.KEPT, person, by, now)


def release(find: CloudFind, person: User, *, by: Actor, now: datetime) -> None:
    """A person says that it goes.

    Raises:
        Conflict: it is gone, being deleted already, or a row accounts for it by now.
        Refused: it is in use, or its bot is being worked on.
    """
    _locked(find)
    if find.state not in (FindState.SEEN, FindState.HELD, FindState.KEPT):
        raise Conflict(f"It is {find.state} by now; look again.")
    found = again(find, now)
    if found.whose is Whose.OURS:
        raise Conflict(f"{find.name} belongs to a bot by now and is not deleted.")
    if found.whose is Whose.WAIT:
        raise Refused(f"The bot of {find.name} is being worked on; try again in a minute.")
    _decide(find, FindState.DELETING, person, by, now)
    find.attempt, find.operation, find.try_at = find.attempt + 1, "", clock.database_now(now)
    outbox.put("fleet", "delete_find", now=now, find_id=find.id)


def let_go(find: CloudFind, now: datetime) -> None:
    """A sweep found it often and long enough, and deletes it."""
    find.state, find.decided_at, find.try_at = FindState.DELETING, now, now
    outbox.put("fleet", "delete_find", now=now, find_id=find.id)
    _note("fleet.find_delete", find, TIMETABLE, now, FindState.SEEN)


def hold(find: CloudFind, detail: str = "") -> None:
    """A person has to decide. The sweep that holds things back says so once for all of them."""
    find.state, find.detail = FindState.HELD, detail[:400]
    find.try_at = None


def close(find: CloudFind, detail: str, now: datetime) -> None:
    """It is there no more, or it is somebody's after all."""
    find.state, find.gone_at, find.detail = FindState.GONE, now, detail[:400]


def _decide(find: CloudFind, state: FindState, person: User, by: Actor, now: datetime) -> None:
    before, find.state = find.state, state
    find.decided_by, find.decided_at, find.detail = person.id, now, ""
    action = "fleet.find_keep" if state is FindState.KEPT else "fleet.find_delete"
    _note(action, find, by, now, before)


def _note(action: str, find: CloudFind, by: Actor, now: datetime, before: FindState) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        target_id=find.id,
        target_label=f"{find.kind} {find.name}",
        changes=[Change("state", before, find.state)],
        reason=find.why,
    )


def _locked(find: CloudFind) -> None:
    db.session.refresh(find, with_for_update=True)


# -- deletion ---------------------------------------------------------------------------------


def begin(find_id: str, now: datetime) -> Clearing | None:
    """Take one deletion a step further; ``None`` if nothing is to be done outside."""
    find = db.session.get(CloudFind, find_id, with_for_update=True, populate_existing=True)
    now = clock.database_now(now)
    if find is None or find.state is not FindState.DELETING:
        return None
    if find.try_at is not None and find.try_at > now:
        return None
    if not find.operation and not _may_go(find, now):
        return None
    find.attempt += 1
    if not find.operation:
        find.request_id = str(uuid.uuid5(_NAMESPACE, f"{find.id}:{find.attempt}"))
    find.try_at = now + LEASE
    return Clearing(find.id, find.attempt, _step(find))


def finish(clearing: Clearing, result: Result, now: datetime) -> bool:
    """Write down what came of it, once; ``False`` if somebody else has gone on since."""
    find = db.session.get(CloudFind, clearing.find_id, with_for_update=True, populate_existing=True)
    if find is None or find.attempt != clearing.attempt or find.state is not FindState.DELETING:
        return False
    now = clock.database_now(now)
    find.detail = result.detail[:400]
    if result.outcome is Outcome.PENDING:
        find.operation, find.try_at = result.operation[:120], now + timedelta(seconds=2)
    elif result.outcome is Outcome.DONE and _is_gone(find.kind, result):
        close(find, result.detail, now)
    elif result.outcome is Outcome.FAILED:
        find.operation = ""
        hold(find, f"the cloud refuses: {result.detail}")
    else:
        find.operation = ""
        find.try_at = now + waits.pause(find.attempt, timedelta(seconds=5), _LONGEST_PAUSE)
    if find.state is FindState.DELETING and find.try_at is not None:
        outbox.put("fleet", "delete_find", now=now, not_before=find.try_at, find_id=find.id)
    return True


def again(find: CloudFind, now: datetime) -> Judgement:
    """What the rows say of it at this moment. Its age was proven when it was found."""
    books = sweep_books.read([find.name], now)
    state, patience = MachineState.UNKNOWN, Patience()
    if find.kind is FindKind.MACHINE:
        machine = SeenMachine(find.name, find.region, find.zone, state, find.ip)
        return sweep_rules.of_machine(machine, books, now, patience)
    if find.kind is FindKind.ADDRESS:
        address = SeenAddress(find.name, find.region, find.ip, AddressState.UNKNOWN)
        return sweep_rules.of_address(address, books, now, patience)
    disk = SeenDisk(find.name, find.region, find.zone)
    return sweep_rules.of_disk(disk, books, now, patience)


def _may_go(find: CloudFind, now: datetime) -> bool:
    """Whether the rows and the last sighting still allow it; if not, it is said why."""
    if now - find.last_seen > FRESH:
        return False
    found = again(find, now)
    if found.whose is Whose.OURS:
        close(find, "a row accounts for it", now)
    elif found.whose is Whose.WAIT:
        find.try_at = now + LEASE
    elif found.hold and find.decided_by is None:
        hold(find, found.why)
    return find.state is FindState.DELETING and found.whose is Whose.NOBODY


def _is_gone(kind: FindKind, result: Result) -> bool:
    """``DONE`` of a machine counts with the proof that it is absent."""
    return kind is not FindKind.MACHINE or result.machine is MachineState.ABSENT


def _step(find: CloudFind) -> Step:
    """Without a generation: what is cleared away says nothing about those to come."""
    machine = find.kind is not FindKind.ADDRESS
    return Step(
        kind=_STEPS[find.kind],
        request_id=find.request_id or "",
        bot=sweep_rules.bot_of(find.name),
        region=find.region,
        address_name=sweep_rules.address_of(find.name) if machine else find.name,
        machine_name=find.name if machine else None,
        ip=find.ip,
        zone=find.zone,
        operation=find.operation,
    )
