"""The driver for Compute Engine, over Google's own client library.

Each step looks first, by the computed name, and asks only for what is not there: a step that is
repeated, or whose answer was lost, finds its own work. What the cloud takes its time for is
``PENDING`` under the name of the cloud's operation, which the next step looks at.
"""

from __future__ import annotations

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
        self._addresses = AddressSteps(settings, self._calls)
        self._machines = MachineSteps(settings, self._calls, metadata)

    def do(self, step: Step) -> Result:
        """Carry out one step; never raises."""
        fault = gce_names.fault(step)
        if fault:
            return Result(Outcome.FAILED, fault, cause=Cause.INVALID)
        try:
            return self._do(step)
        except Exception as error:  # noqa: BLE001 -- the protocol's promise; only looks get here
            return gce_errors.of_exception(error, writing=False)

    def survey(self, regions: tuple[str, ...]) -> Survey:
        """Everything that bears our labels in any zone; see ``gce_survey``."""
        try:
            return gce_survey.survey(self._settings, self._calls, regions)
        except Exception as error:  # noqa: BLE001 -- as above
            return Survey(complete=False, problem=type(error).__name__)

    def _do(self, step: Step) -> Result:
        match step.kind:
            case StepKind.RESERVE_ADDRESS:
                return self._addresses.reserve(step)
            case StepKind.OBSERVE_ADDRESS:
                return self._addresses.observe(step)
            case StepKind.RELEASE_ADDRESS:
                return self._addresses.release(step)
            case StepKind.INSERT_MACHINE:
                return self._machines.insert(step)
            case StepKind.OBSERVE_MACHINE:
                return self._machines.observe(step)
            case StepKind.DELETE_MACHINE:
                return self._machines.delete(step)
            case StepKind.READ_CONSOLE:
                return self._machines.console(step)
            case StepKind.DELETE_DISK:
                return self._machines.delete_disk(step)
