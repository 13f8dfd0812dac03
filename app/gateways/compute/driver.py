"""The door to the machines: what may be asked of a cloud, and what may come back."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class StepKind(StrEnum):
    """One short call; six kinds are all the planner needs."""

    RESERVE_ADDRESS = "reserve_address"
    OBSERVE_ADDRESS = "observe_address"
    RELEASE_ADDRESS = "release_address"
    INSERT_MACHINE = "insert_machine"
    OBSERVE_MACHINE = "observe_machine"
    DELETE_MACHINE = "delete_machine"


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
    """How a step ended: done, failed for now, failed for good, or nobody knows."""

    DONE = "done"
    RETRY = "retry"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Step:
    """One call, decided and committed before it is made. ``environment`` is the runner's."""

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


@dataclass(frozen=True)
class Result:
    """What came of a step; ``detail`` is for a person and holds no secret."""

    outcome: Outcome
    detail: str = ""
    ip: str | None = None
    address: AddressState | None = None
    machine: MachineState | None = None


@dataclass(frozen=True)
class Listing:
    """The machines that exist; an incomplete listing proves nothing about a name it lacks."""

    names: tuple[str, ...]
    complete: bool


class ComputeDriver(Protocol):
    """A cloud. Never raises; a repeat of a done step is ``DONE`` again.

    A generation that was deleted never starts (again), also where an insertion comes late.
    """

    def do(self, step: Step) -> Result:
        """Carry out one step; idempotent by the names in it."""
        ...

    def machines(self) -> Listing:
        """All machines of this installation."""
        ...
