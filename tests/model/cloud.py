"""A cloud in memory that keeps the driver's promises and no others.

What is done may be answered, answered in vain, done late or not done at all. One address serves
one machine at a time, and a generation that was deleted never starts again: the two promises that
``app/gateways/compute/driver.py`` and the local driver give. Machines stop, restart and vanish
without anybody being told.
"""

import itertools
from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address

from sqlalchemy import select

from app.extensions import db
from app.gateways.compute.driver import (
    AddressState,
    MachineState,
    Outcome,
    Result,
    Step,
    StepKind,
)
from app.models import CloudFind, CloudOperation


class Fate(Enum):
    """What becomes of one call."""

    ANSWERED = "applied and answered"
    MUTE = "applied, the answer lost"
    LOST = "never arrived, no answer"
    LATE = "no answer, applied some time later"
    SLOW = "accepted, and under way until it is asked for again"
    BUSY = "refused for now"
    REFUSED = "refused for good"


_FREE = (IPv4Address("127.65.0.1") + number for number in itertools.count())
NOBODY_KNOWS = Result(Outcome.UNKNOWN, "connection lost")
LOOKS = (StepKind.OBSERVE_ADDRESS, StepKind.OBSERVE_MACHINE, StepKind.READ_CONSOLE)


@dataclass
class Vm:
    """A machine as it is, whatever the platform believes; ``disk`` outlives its boots."""

    name: str
    bot: str
    generation: int
    address_name: str
    ip: str
    token: str
    running: bool = True
    boots: int = 1
    disk: dict = field(default_factory=lambda: {"told": [], "acked": 0, "done": set()})


class Cloud:
    """Addresses and machines by name."""

    def __init__(self):
        self.addresses = {}
        self.vms = {}
        self.retired = {}
        self.late = []
        self.disks = {}
        self.operations = {}

    def follow(self, by) -> None:
        """The clock moved; nothing here takes time."""

    def do(self, step: Step, fate: Fate = Fate.ANSWERED) -> Result:
        if step.kind not in LOOKS:
            assert intent_is_committed(step), f"{step.kind} was called before its intent was kept"
        if step.operation and fate is not Fate.SLOW:
            return self._ended(step, fate)
        if fate is Fate.BUSY:
            return Result(Outcome.RETRY, "busy")
        if fate is Fate.REFUSED:
            return Result(Outcome.FAILED, "refused")
        if fate in (Fate.LOST, Fate.LATE):
            if fate is Fate.LATE:
                self.late.append(step)
            return NOBODY_KNOWS
        if fate is Fate.SLOW and step.kind not in LOOKS:
            return self._accepted(step)
        result = self.apply(step)
        return NOBODY_KNOWS if fate is Fate.MUTE else result

    def _accepted(self, step):
        """The call is under way; what it asked for comes when somebody asks for it, or never."""
        name = step.operation or f"operation-{step.request_id}"
        if not step.operation:
            self.operations[name] = step
        known = self.operations.get(name)
        if known is None:
            return self._ended(step, Fate.SLOW)
        assert known.request_id == step.request_id, "a call is followed under another request id"
        return Result(Outcome.PENDING, operation=name)

    def _ended(self, step, fate):
        """What became of a call: done, failed, or nobody says."""
        asked = self.operations.pop(step.operation, None)
        if asked is None:
            return Result(Outcome.UNKNOWN, "no such operation")
        if fate in (Fate.BUSY, Fate.REFUSED):
            outcome = Outcome.RETRY if fate is Fate.BUSY else Outcome.FAILED
            return Result(outcome, "it failed")
        if fate is Fate.LATE:
            self.late.append(asked)
        if fate in (Fate.LOST, Fate.LATE):
            return NOBODY_KNOWS
        result = self.apply(asked)
        return NOBODY_KNOWS if fate is Fate.MUTE else result

    def apply(self, step: Step) -> Result:
        return getattr(self, f"_{step.kind.value}")(step)

    def of(self, bot_id: str) -> list[Vm]:
        return [vm for vm in self.vms.values() if vm.bot == bot_id]

    def _reserve_address(self, step):
        if step.address_name not in self.addresses:
            self.addresses[step.address_name] = str(next(_FREE))
        ip = self.addresses[step.address_name]
        return Result(Outcome.DONE, ip=ip, address=AddressState.RESERVED)

    def _release_address(self, step):
        if any(vm.address_name == step.address_name for vm in self.vms.values()):
            return Result(Outcome.RETRY, "a machine has it", address=AddressState.IN_USE)
        self.addresses.pop(step.address_name, None)
        return Result(Outcome.DONE, address=AddressState.ABSENT)

    def _insert_machine(self, step):
        if self.addresses.get(step.address_name) != step.ip:
            return Result(Outcome.FAILED, "the address is not reserved")
        if step.generation <= self.retired.get(step.address_name, 0):
            return Result(Outcome.FAILED, "this generation was deleted")
        if step.machine_name not in self.vms:
            if any(vm.ip == step.ip for vm in self.vms.values()):
                return Result(Outcome.RETRY, "another machine has the address")
            self.vms[step.machine_name] = Vm(
                name=step.machine_name,
                bot=step.bot,
                generation=step.generation,
                address_name=step.address_name,
                ip=step.ip,
                token=step.environment["PLUTARC_TOKEN"],
            )
            self.disks[step.machine_name] = self.vms[step.machine_name].disk
        return self._observe_machine(step)

    def _observe_machine(self, step):
        vm = self.vms.get(step.machine_name)
        if vm is None:
            return Result(Outcome.DONE, machine=MachineState.ABSENT)
        state = MachineState.RUNNING if vm.running else MachineState.TERMINATED
        return Result(Outcome.DONE, machine=state)

    def _read_console(self, step):
        return Result(Outcome.DONE, console=f"{step.machine_name} wrote this")

    def _delete_machine(self, step):
        newest = max(self.retired.get(step.address_name, 0), step.generation)
        self.retired[step.address_name] = newest
        self.vms.pop(step.machine_name, None)
        return Result(Outcome.DONE, machine=MachineState.ABSENT)


def intent_is_committed(step: Step) -> bool:
    """Whether another connection can read the intent: then it survives a crash."""
    engine = db.engine.execution_options(read_only=True)
    call = select(CloudOperation.kind).where(CloudOperation.request_id == step.request_id)
    find = select(CloudFind.id).where(CloudFind.request_id == step.request_id)
    with engine.connect() as elsewhere:
        if elsewhere.scalar(call) == step.kind.value:
            return True
        return elsewhere.scalar(find) is not None
