"""The planner: from what is wanted and what is known to exactly one next action. Pure.

Level-triggered: it looks at the present facts only, so a lost, doubled or late hint changes
nothing. ``docs/lifecycle.md`` is drawn from the table it obeys.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from app.domain.lifecycle import SILENCE, Tempo
from app.gateways.compute.driver import StepKind
from app.models.compute import Desired, Phase, Renewal
from runner.protocol import PositionState

PROOF_AGE = timedelta(seconds=30)
FOLLOWED_FOR = timedelta(minutes=10)
"""A call that is under way for longer is given up, and what there is looked at instead."""
LOOK_AGAIN = timedelta(seconds=5)
SOON = timedelta(seconds=2)
SUCCESSOR = "flat, its successor is wanted"
"""Why a machine ended that is only replaced."""


class Action(StrEnum):
    """What to do next. The first group calls the cloud, the second only changes rows."""

    RESERVE_ADDRESS = "reserve_address"
    RELEASE_ADDRESS = "release_address"
    INSERT_MACHINE = "insert_machine"
    OBSERVE_MACHINE = "observe_machine"
    READ_CONSOLE = "read_console"
    FOLLOW_UP = "follow_up"
    DELETE_MACHINE = "delete_machine"
    ASK_DRAIN = "ask_drain"
    CANCEL_DRAIN = "cancel_drain"
    UNBLOCK = "unblock"
    WAIT = "wait"


CALLS = frozenset(
    {
        Action.RESERVE_ADDRESS,
        Action.RELEASE_ADDRESS,
        Action.INSERT_MACHINE,
        Action.OBSERVE_MACHINE,
        Action.READ_CONSOLE,
        Action.FOLLOW_UP,
        Action.DELETE_MACHINE,
    }
)


@dataclass(frozen=True)
class MachineFacts:
    """What is known of the present generation of the machine.

    ``console_read``: what it wrote while starting has been kept, as far as there was any.
    """

    dead: bool
    observed_at: datetime | None
    synced_at: datetime | None
    position_state: PositionState
    open_orders: int
    drained: bool
    console_read: bool = False


@dataclass(frozen=True)
class CallFacts:
    """A call that the cloud has accepted and not ended. ``kind``: of its step."""

    kind: StepKind
    since: datetime


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
    call: CallFacts | None = None
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
    if facts.call is not None and _still_wanted(facts.call, facts.phase, now):
        return Plan(Action.FOLLOW_UP, "the cloud is at it", now)
    return _BY_PHASE[facts.phase](facts, now, tempo)


def _still_wanted(call: CallFacts, phase: Phase, now: datetime) -> bool:
    """Whether a call under way is what the phase waits for; what overtook it is not told apart."""
    return phase in _WAITS_FOR.get(call.kind, ()) and now - call.since <= FOLLOWED_FOR


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


def _creating(facts: Facts, now: datetime, tempo: Tempo) -> Plan:
    machine, overdue = facts.machine, facts.phase_since + tempo.patience
    looked = machine.observed_at if machine is not None else None
    if looked is not None and looked > overdue and now > overdue:
        return Plan(Action.DELETE_MACHINE, "the cloud did not make it in time", now)
    if machine is None:
        return Plan(Action.OBSERVE_MACHINE, "is it there?", now)
    return _observe(machine, now, SOON) or _rest("being made", machine, now, SOON)


def _booting(facts: Facts, now: datetime, tempo: Tempo) -> Plan:
    machine = facts.machine
    if machine is None:
        return Plan(Action.DELETE_MACHINE, "the machine ended while starting", now)
    late = now - facts.phase_since > tempo.boot_deadline
    if not machine.dead and not late:
        return _observe(machine, now, SOON) or _rest("starting", machine, now, SOON)
    reason = (
        "the machine ended while starting" if machine.dead else "its runner did not report in time"
    )
    action = Action.DELETE_MACHINE if machine.console_read else Action.READ_CONSOLE
    return Plan(action, reason, now)


def _ready(facts: Facts, now: datetime, tempo: Tempo) -> Plan:
    looked = _look(facts.machine, now, tempo)
    if looked is not None:
        return looked
    if facts.desired is not Desired.RUN:
        return Plan(Action.ASK_DRAIN, "finish first", now)
    if _renewed_now(facts, tempo, now):
        return Plan(Action.ASK_DRAIN, "finish first, its successor is wanted", now)
    again = _seen_again(facts.machine, now, tempo) if facts.renewal is None else now
    return Plan(Action.WAIT, "awake", min(facts.next_change, max(again, now + LOOK_AGAIN)))


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
    reason = SUCCESSOR if renewed else "flat and not needed"
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
    return _observe(machine, now, _observed_every(machine, now, tempo))


def _seen_again(machine: MachineFacts | None, now: datetime, tempo: Tempo) -> datetime:
    """When a machine that was looked at is looked at again."""
    if machine is None or machine.observed_at is None:
        return now
    return machine.observed_at + _observed_every(machine, now, tempo)


def _observed_every(machine: MachineFacts, now: datetime, tempo: Tempo) -> timedelta:
    silent = machine.synced_at is None or now - machine.synced_at > SILENCE
    return LOOK_AGAIN if silent else tempo.observe_every


def _rest(reason: str, machine: MachineFacts, now: datetime, every: timedelta) -> Plan:
    """Wait for the next look; whoever speaks meanwhile is heard at once."""
    return Plan(Action.WAIT, reason, (machine.observed_at or now) + every)


def _observe(machine: MachineFacts, now: datetime, every: timedelta) -> Plan | None:
    if machine.observed_at is not None and now - machine.observed_at < every:
        return None
    return Plan(Action.OBSERVE_MACHINE, "is it still there?", now)


def _wait(reason: str, now: datetime) -> Plan:
    return Plan(Action.WAIT, reason, now + timedelta(seconds=1))


_WAITS_FOR = {
    StepKind.RESERVE_ADDRESS: (Phase.ADDR_WAIT,),
    StepKind.RELEASE_ADDRESS: (Phase.ADDR_WAIT, Phase.ASLEEP),
    StepKind.INSERT_MACHINE: (Phase.CREATING,),
    StepKind.DELETE_MACHINE: (Phase.DELETING,),
}
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
