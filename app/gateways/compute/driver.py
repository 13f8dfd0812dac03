"""The door to the machines: what may be asked of a cloud, and what may come back."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol


class StepKind(StrEnum):
    """One short call. ``DELETE_DISK`` is the sweeps', the others are the planner's."""

    RESERVE_ADDRESS = "reserve_address"
    OBSERVE_ADDRESS = "observe_address"
    RELEASE_ADDRESS = "release_address"
    INSERT_MACHINE = "insert_machine"
    OBSERVE_MACHINE = "observe_machine"
    DELETE_MACHINE = "delete_machine"
    READ_CONSOLE = "read_console"
    LIST_ZONES = "list_zones"
    DELETE_DISK = "delete_disk"


class AddressState(StrEnum):
    """What the cloud says about an address."""

    ABSENT = "absent"
    RESERVING = "reserving"
    RESERVED = "reserved"
    IN_USE = "in_use"
    UNKNOWN = "unknown"


class MachineState(StrEnum):
    """What the cloud says about a machine. Only ``ABSENT`` proves absence."""

    ABSENT = "absent"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    TERMINATED = "terminated"
    UNKNOWN = "unknown"


class Outcome(StrEnum):
    """How a step ended: done, accepted but under way, failed for now or for good, or unknown."""

    DONE = "done"
    PENDING = "pending"
    RETRY = "retry"
    FAILED = "failed"
    UNKNOWN = "unknown"


class Cause(StrEnum):
    """Why a step did not end well, as far as what to do next depends on it.

    ``CAPACITY``: this zone has no machine to give. ``QUOTA`` and ``PERMISSION`` concern a whole
    region; ``INVALID`` one bot. ``RATE``: asked too often, wait a minute or more. ``HELD``:
    another machine has the address, named in ``Result.holder``. ``LOST``: the address is no
    longer ours. ``CONFLICT``: look again at once. ``TRANSIENT``: try again later.
    """

    NONE = ""
    CAPACITY = "capacity"
    QUOTA = "quota"
    PERMISSION = "permission"
    INVALID = "invalid"
    RATE = "rate"
    HELD = "held"
    LOST = "lost"
    CONFLICT = "conflict"
    TRANSIENT = "transient"


@dataclass(frozen=True)
class Step:
    """One call, decided and committed before it is made. ``environment`` is the runner's.

    ``zone`` is chosen by the planner where the cloud has zones, else empty. ``operation`` names
    the call that is under way since an earlier step of the same intent: then nothing is asked
    anew, that call is looked at. ``proof`` is the digest of the token that the machine was given,
    as long as it was never seen: a machine of that name with another token is somebody else's.
    ``longest``: seconds after which the cloud itself ends a machine that was made for one task.
    """

    kind: StepKind
    request_id: str
    bot: str
    region: str
    address_name: str
    machine_name: str | None = None
    generation: int | None = None
    ip: str | None = None
    exchange: str | None = None
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    zone: str = ""
    operation: str = ""
    proof: str = field(default="", repr=False)
    longest: int = 0

    @property
    def is_task(self) -> bool:
        """Whether the machine is made for one task: it has no address of its own."""
        return self.longest > 0


@dataclass(frozen=True)
class Result:
    """What came of a step; ``detail`` is for a person and holds no secret.

    ``operation``: the name to ask by while ``PENDING``. ``cloud_id``: the cloud's own number of
    this incarnation. ``holder``: name of the machine that has the address, with ``HELD``; its
    state with it if it bears the step's own name and not its proof.
    ``console``: the tail of what the machine wrote while starting, for operators alone.
    ``zones``: those of the region, where they were asked for.
    """

    outcome: Outcome
    detail: str = ""
    ip: str | None = None
    address: AddressState | None = None
    machine: MachineState | None = None
    cause: Cause = Cause.NONE
    operation: str = ""
    cloud_id: str = ""
    holder: str = ""
    console: str = field(default="", repr=False)
    zones: tuple[str, ...] = ()


@dataclass(frozen=True)
class SeenMachine:
    """A machine of this installation, as a listing shows it. ``created_at`` in UTC."""

    name: str
    region: str
    zone: str
    state: MachineState
    ip: str | None
    created_at: datetime | None = None
    cloud_id: str = ""


@dataclass(frozen=True)
class SeenAddress:
    """A reserved address of this installation; ``users`` are names of machines that hold it."""

    name: str
    region: str
    ip: str | None
    state: AddressState
    users: tuple[str, ...] = ()
    created_at: datetime | None = None


@dataclass(frozen=True)
class SeenDisk:
    """A disk with our label; ``users`` are names of machines that have it attached."""

    name: str
    region: str
    zone: str
    users: tuple[str, ...] = ()
    created_at: datetime | None = None


@dataclass(frozen=True)
class Quota:
    """How much of something a region lets us have, and how much of it is taken."""

    metric: str
    used: float
    limit: float


@dataclass(frozen=True)
class RegionFacts:
    """A region's zones that are up (empty where the cloud has none) and its quotas."""

    region: str
    zones: tuple[str, ...] = ()
    quotas: tuple[Quota, ...] = ()


@dataclass(frozen=True)
class Survey:
    """All that exists of this installation. An incomplete one proves nothing about what it lacks.

    ``unreachable``: zones or regions that did not answer. ``problem``: the cloud's own words.
    """

    machines: tuple[SeenMachine, ...] = ()
    addresses: tuple[SeenAddress, ...] = ()
    disks: tuple[SeenDisk, ...] = ()
    regions: tuple[RegionFacts, ...] = ()
    complete: bool = True
    unreachable: tuple[str, ...] = ()
    problem: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the machines, sorted."""
        return tuple(sorted(machine.name for machine in self.machines))


def proof_of(token: str) -> str:
    """What a step says of a token, and what is kept of it."""
    return hashlib.sha256(token.encode()).hexdigest()


class ComputeDriver(Protocol):
    """A cloud. Never raises; a repeat of a done step is ``DONE`` again.

    A deleted generation's machine may appear once more where an insertion comes late; it never
    gets to trade (its claim is refused, its address is held by one machine at a time), and a
    sweep clears it away. The local driver refuses it outright.
    ``DELETE_MACHINE`` is ``DONE`` with ``ABSENT`` only once a direct look finds neither the
    machine nor its hold on the address.
    """

    def do(self, step: Step) -> Result:
        """Carry out one step, in seconds; idempotent by the names in it."""
        ...

    def survey(self, regions: tuple[str, ...]) -> Survey:
        """All machines, addresses and disks of this installation, and the regions' quotas."""
        ...
