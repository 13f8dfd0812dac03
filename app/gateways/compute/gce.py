"""The driver for Compute Engine, over Google's own client library.

Each step looks first, by the computed name, and asks only for what is not there: a step that is
repeated, or whose answer was lost, finds its own work. What the cloud takes its time for is
``PENDING`` under the name of the cloud's operation, which the next step looks at.
"""

from __future__ import annotations

from collections.abc import Callable

from app.gateways.compute import gce_errors, gce_names, gce_survey
from app.gateways.compute.driver import Cause, Outcome, Result, Step, StepKind, Survey
from app.gateways.compute.gce_addresses import AddressSteps
from app.gateways.compute.gce_calls import Calls
from app.gateways.compute.gce_machines import MachineSteps, Metadata
from app.gateways.compute.gce_settings import GceSettings


class GceDriver:
    """Drives machines in one project; see the module."""

    def __init__(self, settings: GceSettings, metadata: Metadata) -> None:
        self._settings = settings
        self._calls = Calls(settings)
        addresses = AddressSteps(settings, self._calls)
        machines = MachineSteps(settings, self._calls, metadata)
        self._verbs: dict[StepKind, Callable[[Step], Result]] = {
            StepKind.RESERVE_ADDRESS: addresses.reserve,
            StepKind.OBSERVE_ADDRESS: addresses.observe,
            StepKind.RELEASE_ADDRESS: addresses.release,
            StepKind.INSERT_MACHINE: machines.insert,
            StepKind.OBSERVE_MACHINE: machines.observe,
            StepKind.DELETE_MACHINE: machines.delete,
            StepKind.READ_CONSOLE: machines.console,
            StepKind.LIST_ZONES: machines.zones,
            StepKind.DELETE_DISK: machines.delete_disk,
        }

    def do(self, step: Step) -> Result:
        """Carry out one step; never raises."""
        fault = gce_names.fault(step)
        if fault:
            return Result(Outcome.FAILED, fault, cause=Cause.INVALID)
        try:
            return self._verbs[step.kind](step)
        except Exception as error:  # noqa: BLE001 -- the protocol's promise; only looks get here
            return gce_errors.of_exception(error, writing=False)

    def survey(self, regions: tuple[str, ...]) -> Survey:
        """Everything that bears our labels in any zone; see ``gce_survey``."""
        try:
            return gce_survey.survey(self._settings, self._calls, regions)
        except Exception as error:  # noqa: BLE001 -- as above
            return Survey(complete=False, problem=type(error).__name__)
