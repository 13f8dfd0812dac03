"""The planner: from what is wanted and what is known to exactly one next action. Pure.

Level-triggered: it looks at the present facts only, so a lost, doubled or late hint changes
nothing. ``docs/lifecycle.md`` is drawn from the table it obeys.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.lifecycle import SILENCE, Tempo
from app.models.compute import Desired, Phase, Renewal
from runner.protocol import PositionState

PROOF_AGE = timedelta(seconds=30)
BOOT_DEADLINE = timedelta(seconds=60)
LOOK_AGAIN = timedelta(seconds=5)


class Action(StrEnum):
    """What to do next. The first group calls the cloud, the second only changes rows."""

    RESERVE_ADDRESS = "reserve_address"
    RELEASE_ADDRESS = "release_address"
    INSERT_MACHINE = "insert_machine"
    OBSERVE_MACHINE = "observe_machine"
    DELETE_MACHINE = "delete_machine"
    ASK_DRAIN = "ask_drain"
    CANCEL_DRAIN = "cancel_drain"
    UNBLOCK = "unblock"
    WAIT = "wait"


@dataclass(frozen=True)
class MachineFacts:
    """What is known of the present generation of the machine."""

    dead: bool
    observed_at: datetime | None
    synced_at: datetime | None
    position_state: PositionState
    open_orders: int
    drained: bool


@dataclass(frozen=True)
class Facts:
    """Everything the planner looks at."""

    desired: Desired
    phase: Phase
    phase_since: datetime
    machine: MachineFacts | None
    flat_since: datetime | None
    retry_at: datetime | None
    next_change: datetime
    renewal: Renewal | None = None


@dataclass(frozen=True)
class Plan:
    """One action, why, and when to look again if nothing else happens before."""

    action: Action
    reason: str
    look_again: datetime


def plan(facts: Facts, now: datetime, tempo: Tempo) -> Plan:
    """Choose the one next action."""
    if facts.retry_at is not None and facts.retry_at > now:
        return Plan(Action.WAIT, "waiting before another try", facts.retry_at)
    return _BY_PHASE[facts.phase](facts, now, tempo)


def proven_flat(machine: MachineFacts, now: datetime) -> bool:
    """Whether the runner has acknowledged the drain and vouched for flat, just now.

    Unknown is not flat, and an old report proves nothing; nor does one from the future, which
    only says that a clock was set back.
    """
    return (
        machine.drained
        and machine.position_state is PositionState.FLAT
        and machine.open_orders == 0
        and machine.synced_at is not None
        and abs(now - machine.synced_at) <= PROOF_AGE
    )


def _new(facts: Facts, now: datetime, _tempo: Tempo) -> Plan:
    if facts.desired is Desired.GONE:
        return Plan(Action.RELEASE_ADDRESS, "deleted before it had an address", now)
    return Plan(Action.RESERVE_ADDRESS, "a bot keeps one address for life", now)


def _asleep(facts: Facts, now: datetime, _tempo: Tempo) -> Plan:
    if facts.desired is Desired.RUN:
        return Plan(Action.INSERT_MACHINE, "wanted awake", now)
    if facts.desired is Desired.GONE:
        return Plan(Action.RELEASE_ADDRESS, "deleted", now)
    return Plan(Action.WAIT, "asleep", facts.next_change)


def _creating(_facts: Facts, now: datetime, _tempo: Tempo) -> Plan:
    return Plan(Action.OBSERVE_MACHINE, "is it there?", now)


def _booting(facts: Facts, now: datetime, _tempo: Tempo) -> Plan:
    if facts.machine is None or facts.machine.dead:
        return Plan(Action.DELETE_MACHINE, "the machine ended while starting", now)
    if now - facts.phase_since > BOOT_DEADLINE:
        return Plan(Action.DELETE_MACHINE, "its runner did not report in time", now)
    return _observe(facts.machine, now, timedelta(seconds=2)) or _wait("starting", now)


def _ready(facts: Facts, now: datetime, tempo: Tempo) -> Plan:
    looked = _look(facts.machine, now, tempo)
    if looked is not None:
        return looked
    if facts.desired is not Desired.RUN:
        return Plan(Action.ASK_DRAIN, "finish first", now)
    if _renewed_now(facts, tempo, now):
        return Plan(Action.ASK_DRAIN, "finish first, its successor is wanted", now)
    return Plan(Action.WAIT, "awake", min(facts.next_change, now + LOOK_AGAIN))


def _draining(facts: Facts, now: datetime, tempo: Tempo) -> Plan:
    looked = _look(facts.machine, now, tempo)
    if looked is not None:
        return looked
    renewed = facts.desired is Desired.RUN
    if renewed and not _renewal_goes_on(facts):
        return Plan(Action.CANCEL_DRAIN, "wanted awake again", now)
    if facts.machine is None or facts.flat_since is None or not proven_flat(facts.machine, now):
        return _wait("not proven flat", now)
    ripe = facts.flat_since + tempo.flat_for
    if now < ripe:
        return Plan(Action.WAIT, "flat, but only just", ripe)
    reason = "flat, its successor is wanted" if renewed else "flat and not needed"
    return Plan(Action.DELETE_MACHINE, reason, now)


def _renewed_now(facts: Facts, tempo: Tempo, now: datetime) -> bool:
    """Whether a machine that is wanted should drain nevertheless, to be replaced once flat."""
    if facts.renewal is not Renewal.WHEN_FLAT:
        return facts.renewal in (Renewal.DRAIN, Renewal.FLATTEN)
    return facts.flat_since is not None and now - facts.flat_since >= tempo.flat_for


def _renewal_goes_on(facts: Facts) -> bool:
    """Whether that drain still stands: one that waits for flat by itself forces nothing."""
    if facts.renewal is not Renewal.WHEN_FLAT:
        return facts.renewal in (Renewal.DRAIN, Renewal.FLATTEN)
    return facts.machine is not None and facts.machine.position_state is not PositionState.OPEN


def _deleting(_facts: Facts, now: datetime, _tempo: Tempo) -> Plan:
    return Plan(Action.DELETE_MACHINE, "until it is proven gone", now)


def _blocked(_facts: Facts, now: datetime, _tempo: Tempo) -> Plan:
    return Plan(Action.UNBLOCK, "trying once more", now)


def _released(_facts: Facts, now: datetime, _tempo: Tempo) -> Plan:
    return Plan(Action.WAIT, "gone for good", now + timedelta(days=365))


def _look(machine: MachineFacts | None, now: datetime, tempo: Tempo) -> Plan | None:
    """A silent machine is looked at more often; only one that is seen dead is cleared away."""
    if machine is None or machine.dead:
        return Plan(Action.DELETE_MACHINE, "the machine is dead", now)
    silent = machine.synced_at is None or now - machine.synced_at > SILENCE
    return _observe(machine, now, LOOK_AGAIN if silent else tempo.observe_every)


def _observe(machine: MachineFacts, now: datetime, every: timedelta) -> Plan | None:
    if machine.observed_at is not None and now - machine.observed_at < every:
        return None
    return Plan(Action.OBSERVE_MACHINE, "is it still there?", now)


def _wait(reason: str, now: datetime) -> Plan:
    return Plan(Action.WAIT, reason, now + timedelta(seconds=1))


_BY_PHASE = {
    Phase.NEW: _new,
    Phase.ADDR_WAIT: _new,
    Phase.ASLEEP: _asleep,
    Phase.CREATING: _creating,
    Phase.BOOTING: _booting,
    Phase.READY: _ready,
    Phase.DRAINING: _draining,
    Phase.DELETING: _deleting,
    Phase.BLOCKED: _blocked,
    Phase.RELEASED: _released,
}
