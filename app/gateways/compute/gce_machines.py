"""The steps that concern machines and disks on Compute Engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from google.api_core.exceptions import NotFound
from google.cloud import compute_v1

from app.gateways.compute import gce_errors, gce_machine, gce_names, gce_reading
from app.gateways.compute.driver import Cause, MachineState, Outcome, Result, Step
from app.gateways.compute.gce_calls import Calls
from app.gateways.compute.gce_settings import GceSettings
from app.gateways.compute.gce_steps import Steps, foreign, held, lost, strange

CONSOLE_BYTES = 16 * 1024
Metadata = Callable[[Step], Mapping[str, str] | Result]
"""What a machine is given to start with; a ``Result`` where that could not be made."""
_GONE = MachineState.ABSENT
_LOOK = Result(Outcome.RETRY, "it was done at once; looking again", cause=Cause.CONFLICT)


class MachineSteps(Steps):
    """A machine is known by its name, which is computed, and by its labels."""

    def __init__(self, settings: GceSettings, calls: Calls, metadata: Metadata) -> None:
        super().__init__(settings, calls)
        self._metadata = metadata

    def insert(self, step: Step) -> Result:
        """Ask for the machine at the bot's address, unless it is there."""
        if not step.zone or step.generation is None or (step.ip is None) is not step.is_task:
            detail = "a bot's machine needs a zone, a generation and an address, a task's has none"
            return Result(Outcome.FAILED, detail, cause=Cause.INVALID)
        told = self._poll(step, step.zone)
        if told is not None:
            return self._explained(step, told)
        found = self._calls.machine(step.zone, step.machine_name or "")
        if found is not None:
            return self._adopt(step, found)
        if step.operation:
            detail = "the call is done or forgotten, and no machine is to be seen"
            return Result(Outcome.UNKNOWN, detail, machine=_GONE)
        refusal = self._refusal(step)
        if refusal is not None:
            return refusal
        metadata = self._metadata(step)
        if isinstance(metadata, Result):
            return metadata
        body = gce_machine.request(self._settings, step, dict(metadata))
        told = self._ask(step, lambda: self._calls.insert(step.zone, body, step.request_id))
        return self._explained(step, told or _LOOK)

    def _refusal(self, step: Step) -> Result | None:
        """Looks at the address first: the cloud would refuse too, in words that say less."""
        if step.is_task:
            return None
        address = self._calls.address(step.region, step.address_name)
        if address is None:
            return lost(f"{step.ip} is no longer reserved")
        if not self._is_ours(step, address):
            return foreign(f"an address named {address.name}")
        if address.address != step.ip:
            return lost(f"the cloud says {address.address}, the bot's address is {step.ip}")
        if address.users:
            holder = gce_reading.names(address.users)[0]
            return held(holder, f"{holder} still has the address")
        return None

    def _explained(self, step: Step, told: Result) -> Result:
        """Names the holder where the cloud only says that an address is held."""
        if told.cause is not Cause.HELD or step.is_task:
            return told
        address = self._calls.address(step.region, step.address_name)
        users = gce_reading.names(address.users) if address is not None else ()
        return held(users[0] if users else "", told.detail)

    def _adopt(self, step: Step, found: compute_v1.Instance) -> Result:
        refusal = self._not_it(step, found)
        if refusal is not None:
            return refusal
        different = gce_machine.difference(step, found)
        if different:
            detail = f"{found.name} is there already, but {different}"
            return Result(Outcome.FAILED, detail, cause=Cause.INVALID)
        state = gce_reading.machine_state(found)
        if state is MachineState.STARTING:
            name = self._calls.under_way(step.zone, "insert", found.id)
            if name:
                number = str(found.id)
                return Result(Outcome.PENDING, machine=state, operation=name, cloud_id=number)
        return self._machine(found)

    def _not_it(self, step: Step, found: compute_v1.Instance) -> Result | None:
        """Why a machine of that name is left alone: another installation's, or another start's."""
        if not gce_names.is_ours(self._settings, found.labels, step):
            return foreign(f"a machine named {found.name}")
        if not gce_machine.was_started_by(step, found):
            return strange(found.name, gce_reading.machine_state(found))
        return None

    def _machine(self, found: compute_v1.Instance) -> Result:
        return Result(
            Outcome.DONE,
            ip=gce_machine.ip_of(found),
            machine=gce_reading.machine_state(found),
            cloud_id=str(found.id),
        )

    def observe(self, step: Step) -> Result:
        """Look, and change nothing."""
        found = self._find(step)[1]
        if found is None:
            return Result(Outcome.DONE, machine=_GONE)
        return self._not_it(step, found) or self._machine(found)

    def _find(self, step: Step) -> tuple[str, compute_v1.Instance | None]:
        """The machine and its zone; where the step names none, every zone is asked directly."""
        zones = [step.zone] if step.zone else None
        if zones is None:
            zones = sorted(gce_reading.names(self._calls.region(step.region).zones))
        for zone in zones:
            found = self._calls.machine(zone, step.machine_name or "")
            if found is not None:
                return zone, found
        return step.zone, None

    def delete(self, step: Step) -> Result:
        """Delete the machine; done once neither it nor its hold on the address is found."""
        told = self._poll(step, step.zone) if step.zone else None
        if told is not None:
            return told
        zone, found = self._find(step)
        if found is None:
            return self._freed(step)
        refusal = self._not_it(step, found)
        if refusal is not None:
            return refusal
        if step.operation:
            detail = "its deletion is done, the cloud still shows it"
            state = gce_reading.machine_state(found)
            return Result(Outcome.RETRY, detail, machine=state, cause=Cause.TRANSIENT)
        return self._end(step, zone, found)

    def _end(self, step: Step, zone: str, found: compute_v1.Instance) -> Result:
        """Ask for the end of a machine that is there, unless somebody has."""
        state, number = gce_reading.machine_state(found), str(found.id)
        if state is MachineState.STOPPING:
            name = self._calls.under_way(zone, "delete", found.id)
            if name:
                return Result(Outcome.PENDING, machine=state, operation=name, cloud_id=number)
        try:
            operation = self._calls.delete(zone, found.name, step.request_id)
        except NotFound:
            detail = "the cloud still shows a machine that is gone"
            return Result(Outcome.RETRY, detail, machine=state, cause=Cause.TRANSIENT)
        except Exception as error:  # noqa: BLE001 -- classified; an unknown outcome stays one
            return gce_errors.of_exception(error, writing=True)
        told = self._told(step, operation)
        return told or Result(Outcome.RETRY, "it is still listed", cause=Cause.TRANSIENT)

    def _freed(self, step: Step) -> Result:
        """A machine that is not found is gone once its hold on the address is, too."""
        if not step.address_name:
            return Result(Outcome.DONE, machine=_GONE)
        address = self._calls.address(step.region, step.address_name)
        if address is not None and step.machine_name in gce_reading.names(address.users):
            detail = "the machine is gone, its address is not free yet"
            state = MachineState.STOPPING
            return Result(Outcome.RETRY, detail, machine=state, cause=Cause.TRANSIENT)
        return Result(Outcome.DONE, machine=_GONE)

    def console(self, step: Step) -> Result:
        """The tail of what the machine wrote to its serial port."""
        zone, found = self._find(step)
        text = None
        if found is not None:
            if not gce_names.is_ours(self._settings, found.labels, step):
                return foreign(f"a machine named {found.name}")
            text = self._calls.console(zone, found.name)
        if found is None or text is None:
            return Result(Outcome.DONE, machine=_GONE)
        tail = text.encode()[-CONSOLE_BYTES:].decode(errors="ignore")
        return Result(Outcome.DONE, machine=gce_reading.machine_state(found), console=tail)

    def zones(self, step: Step) -> Result:
        """The zones of the region."""
        found = gce_reading.names(self._calls.region(step.region).zones)
        return Result(Outcome.DONE, zones=tuple(sorted(found)))

    def delete_disk(self, step: Step) -> Result:
        """Delete a disk that its machine left behind; it bears the machine's name."""
        if not step.zone:
            return Result(Outcome.FAILED, "a disk needs its zone", cause=Cause.INVALID)
        told = self._poll(step, step.zone)
        if told is not None:
            return told
        found = self._calls.disk(step.zone, step.machine_name or "")
        if found is None:
            return Result(Outcome.DONE)
        if not gce_names.is_ours(self._settings, found.labels, step):
            return foreign(f"a disk named {found.name}")
        if found.users:
            holder = gce_reading.names(found.users)[0]
            return held(holder, "a machine has the disk attached")
        told = self._ask(
            step, lambda: self._calls.delete_disk(step.zone, found.name, step.request_id)
        )
        return told or Result(Outcome.RETRY, "it is still listed", cause=Cause.TRANSIENT)
