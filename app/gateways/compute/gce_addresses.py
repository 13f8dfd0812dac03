"""The steps that concern addresses on Compute Engine."""

from __future__ import annotations

from google.cloud import compute_v1

from app.gateways.compute import gce_machine, gce_names, gce_reading
from app.gateways.compute.driver import AddressState, Cause, Outcome, Result, Step
from app.gateways.compute.gce_steps import Steps, foreign, held, lost

_LOOK = Result(Outcome.RETRY, "it was done at once; looking again", cause=Cause.CONFLICT)


class AddressSteps(Steps):
    """An address is known by its name, which is computed."""

    def reserve(self, step: Step) -> Result:
        """Ask for the address, unless it is there."""
        told = self._poll(step, step.region)
        if told is not None:
            return told
        found = self._calls.address(step.region, step.address_name)
        if found is None:
            if step.ip is not None:
                return lost(f"{step.ip} is no longer reserved")
            if step.operation:
                return Result(Outcome.UNKNOWN, "the reservation is not to be seen")
            if step.region not in self._settings.regions:
                detail = f"{step.region} is not among GCE_REGIONS"
                return Result(Outcome.FAILED, detail, cause=Cause.INVALID)
            text = gce_names.description(self._settings, step)
            body = gce_machine.address_request(self._settings, step, text)
            told = self._ask(step, lambda: self._calls.reserve(step.region, body, step.request_id))
            return told or _LOOK
        return self._adopt_address(step, found)

    def _adopt_address(self, step: Step, found: compute_v1.Address) -> Result:
        if not self._is_ours(step, found):
            return foreign(f"an address named {found.name}")
        if found.network_tier != self._settings.network_tier:
            detail = f"{found.name} is of tier {found.network_tier}; set GCE_NETWORK_TIER to it"
            return Result(Outcome.FAILED, detail, cause=Cause.INVALID)
        if gce_reading.address_state(found) is AddressState.RESERVING:
            name = self._calls.under_way(step.region, "insert", found.id)
            if name:
                return Result(Outcome.PENDING, operation=name, address=AddressState.RESERVING)
            return Result(Outcome.RETRY, "it is being reserved", cause=Cause.TRANSIENT)
        if not found.labels:
            marks = gce_machine.address_request(self._settings, step, "").labels
            self._calls.label_address(step.region, found.name, dict(marks), found.label_fingerprint)
        return self._address(step, found)

    def _address(self, step: Step, found: compute_v1.Address) -> Result:
        if step.ip is not None and found.address != step.ip:
            return lost(f"the cloud says {found.address}, the bot's address is {step.ip}")
        users = gce_reading.names(found.users)
        return Result(
            Outcome.DONE,
            ip=found.address or None,
            address=gce_reading.address_state(found),
            cloud_id=str(found.id),
            holder=users[0] if users else "",
        )

    def observe(self, step: Step) -> Result:
        """Look, and change nothing."""
        found = self._calls.address(step.region, step.address_name)
        if found is None:
            cause = Cause.NONE if step.ip is None else Cause.LOST
            return Result(Outcome.DONE, address=AddressState.ABSENT, cause=cause)
        if not self._is_ours(step, found):
            return foreign(f"an address named {found.name}")
        return self._address(step, found)

    def release(self, step: Step) -> Result:
        """Give the address up; not while a machine has it."""
        told = self._poll(step, step.region)
        if told is not None:
            return told
        found = self._calls.address(step.region, step.address_name)
        if found is None:
            return Result(Outcome.DONE, address=AddressState.ABSENT)
        if not self._is_ours(step, found):
            return foreign(f"an address named {found.name}")
        if found.users:
            holder = gce_reading.names(found.users)[0]
            return held(holder, "the address is in use; delete the machine first")
        told = self._ask(
            step, lambda: self._calls.release(step.region, found.name, step.request_id)
        )
        return told or Result(Outcome.RETRY, "it is still listed", cause=Cause.TRANSIENT)
