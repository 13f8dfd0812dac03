"""What every step on Compute Engine does alike: asks, polls, refuses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from google.cloud import compute_v1

from app.gateways.compute import gce_errors, gce_names
from app.gateways.compute.driver import (
    AddressState,
    Cause,
    MachineState,
    Outcome,
    Result,
    Step,
    StepKind,
)
from app.gateways.compute.gce_calls import Calls
from app.gateways.compute.gce_settings import GceSettings


class Steps:
    """A family of steps over one set of clients."""

    def __init__(self, settings: GceSettings, calls: Calls) -> None:
        self._settings = settings
        self._calls = calls

    def _poll(self, step: Step, place: str) -> Result | None:
        """What has become of the call under way; nothing if it is done, or was forgotten."""
        if not step.operation:
            return None
        operation = self._calls.operation(place, step.operation)
        return None if operation is None else self._told(step, operation)

    def _told(self, step: Step, operation: compute_v1.Operation) -> Result | None:
        """An operation as a result; nothing if it ended well."""
        inserting = step.kind is StepKind.INSERT_MACHINE
        if operation.status == compute_v1.Operation.Status.DONE:
            return gce_errors.of_operation(operation, inserting=inserting)
        number = str(operation.target_id or "")
        return Result(Outcome.PENDING, operation=operation.name, cloud_id=number)

    def _ask(self, step: Step, call: Callable[[], compute_v1.Operation]) -> Result | None:
        """Make a call that changes something; nothing if it was done at once."""
        try:
            operation = call()
        except Exception as error:  # noqa: BLE001 -- classified; an unknown outcome stays one
            return gce_errors.of_exception(error, writing=True)
        return self._told(step, operation)

    def _is_ours(self, step: Step, found: compute_v1.Address) -> bool:
        labels, text = found.labels, found.description
        return gce_names.is_our_address(self._settings, labels, text, step)


def foreign(what: str) -> Result:
    """What bears a name of ours and not our labels is left alone."""
    detail = f"{what} is there, but it is not of this installation; nothing was changed"
    return Result(Outcome.FAILED, detail, cause=Cause.INVALID)


def held(holder: str, detail: str) -> Result:
    """Another machine has the address, or a disk."""
    state = AddressState.IN_USE
    return Result(Outcome.RETRY, detail, cause=Cause.HELD, holder=holder, address=state)


def strange(name: str, state: MachineState) -> Result:
    """The name is taken by a machine that no step of ours made: the database may be an old one."""
    detail = f"{name} is there already and was started by somebody else"
    return replace(held(name, detail), machine=state)


def lost(detail: str) -> Result:
    """The address is no longer ours; no other one takes its place."""
    return Result(Outcome.FAILED, detail, cause=Cause.LOST)
