"""Measures on a real project what no document says; see docs/compute.md.

Everything it makes bears our labels and is deleted at the end, whatever happened meanwhile.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from google.cloud import compute_v1

from app.gateways.compute import gce_errors, gce_machine, gce_names, gce_reading
from app.gateways.compute.driver import Outcome, Result, Step, StepKind
from app.gateways.compute.gce import GceDriver
from app.gateways.compute.gce_calls import Calls
from app.gateways.compute.gce_settings import GceSettings

PAUSE = 1.0
"""Seconds between two looks."""
_LONGEST = 900.0
_SCRIPT = {"startup-script": "#!/bin/sh\nexit 0\n"}


@dataclass(frozen=True)
class Fact:
    """One question of the drill; ``answer`` is what was seen, or why nothing was."""

    question: str
    answer: str
    measured: bool = True


class NotMeasured(Exception):
    """The cloud did not let the drill come as far as this question."""


@dataclass
class Drill:
    """One run in one zone, with a bot that exists nowhere else."""

    settings: GceSettings
    region: str
    zone: str
    runs: int = 3
    hour: bool = False
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    bot: str = field(default_factory=lambda: f"drill{uuid.uuid4().hex[:8]}")

    def __post_init__(self) -> None:
        self.calls = Calls(self.settings)
        self._driver = GceDriver(self.settings, lambda _step: _SCRIPT)
        self._ip: str | None = None
        self._starts: list[float] = []

    def facts(self) -> Iterator[Fact]:
        """Every fact, as it is measured. Call ``tidy`` afterwards in any case."""
        for question, look in (
            ("Do labels given to addresses.insert stick?", self._labels),
            ("Does a requestId give back its operation after it is done?", self._replay),
            ("How does an insertion at an address in use fail?", self._held),
            ("Does a requestId give back a failed operation?", self._replay_failed),
            ("Is maxRunDuration accepted, and can it be changed while running?", self._longest),
            ("Does addresses.delete refuse an address in use?", self._release_in_use),
            ("What does a second delete answer while the machine is stopping?", self._twice),
            ("How long after the deletion is the address reserved again?", self._freed),
            ("How long does a machine take from the call until it runs?", self._start_times),
            ("Is a requestId still known after an hour?", self._replay_after_an_hour),
        ):
            try:
                yield Fact(question, look())
            except NotMeasured as error:
                yield Fact(question, f"not measured: {error}", measured=False)
            except Exception as error:  # noqa: BLE001 -- the next question may have an answer
                said = gce_errors.of_exception(error, writing=True).detail
                yield Fact(question, f"not measured: {said}", measured=False)

    def tidy(self) -> list[str]:
        """Delete everything again; returns the names of what is still there."""
        left = [
            f"machine b-{self.bot}-g{generation} in {self.zone}"
            for generation in range(1, self.runs + 2)
            if not self._carry(self._step(StepKind.DELETE_MACHINE, generation))
        ]
        if not self._carry(self._step(StepKind.RELEASE_ADDRESS)):
            left.append(f"address b-{self.bot}-ip in {self.region}")
        return left

    # -- questions ----------------------------------------------------------------------------

    def _labels(self) -> str:
        self._reserve_id = str(uuid.uuid4())
        step = self._step(StepKind.RESERVE_ADDRESS)
        body = gce_machine.address_request(
            self.settings, step, gce_names.description(self.settings, step)
        )
        self._reserved = self.calls.reserve(self.region, body, self._reserve_id)
        self._until_done(self.region, self._reserved)
        address = self._address()
        self._ip = address.address
        return "yes" if dict(address.labels) == dict(body.labels) else f"no: {dict(address.labels)}"

    def _replay(self) -> str:
        return self._same(self._reserved, self._reserve_again())

    def _held(self) -> str:
        self._start(1)
        self._failed_id = str(uuid.uuid4())
        self._failed_body = self._body(2)
        try:
            self._failed = self.calls.insert(self.zone, self._failed_body, self._failed_id)
        except Exception as error:  # noqa: BLE001 -- the answer is the fact
            return f"at once: {_told(error)}"
        return f"by its operation: {_errors(self._until_done(self.zone, self._failed))}"

    def _replay_failed(self) -> str:
        if not hasattr(self, "_failed"):
            raise NotMeasured("the insertion was refused at once, without an operation")
        again = self.calls.insert(self.zone, self._failed_body, self._failed_id)
        return self._same(self._failed, again)

    def _longest(self) -> str:
        given = self._machine(1).scheduling
        seconds = given.max_run_duration.seconds
        given.max_run_duration = compute_v1.Duration(seconds=86400)
        try:
            operation = self.calls.reschedule(self.zone, f"b-{self.bot}-g1", given)
        except Exception as error:  # noqa: BLE001 -- as above
            return f"accepted as {seconds} s; a change while running: {_told(error)}"
        said = _errors(self._until_done(self.zone, operation))
        after = self._machine(1).scheduling.max_run_duration.seconds
        return f"accepted as {seconds} s; a change while running: {said}, then {after} s"

    def _release_in_use(self) -> str:
        try:
            operation = self.calls.release(self.region, f"b-{self.bot}-ip", str(uuid.uuid4()))
        except Exception as error:  # noqa: BLE001 -- as above
            return f"yes, at once: {_told(error)}"
        done = self._until_done(self.region, operation)
        return f"by its operation: {_errors(done)}" if done.error.errors else "no, it was released"

    def _twice(self) -> str:
        name = f"b-{self.bot}-g1"
        self._deleting = self.calls.delete(self.zone, name, str(uuid.uuid4()))
        try:
            again = self.calls.delete(self.zone, name, str(uuid.uuid4()))
        except Exception as error:  # noqa: BLE001 -- as above
            return f"a refusal: {_told(error)}"
        kind = "the same" if again.name == self._deleting.name else "another"
        return f"{kind} operation: {_errors(self._until_done(self.zone, again))}"

    def _freed(self) -> str:
        if not hasattr(self, "_deleting"):
            raise NotMeasured("no machine was deleted")
        self._until_done(self.zone, self._deleting)
        began = self.clock()
        self._until(lambda: not self._address().users)
        return f"{self.clock() - began:.1f} s after the operation was done"

    def _start_times(self) -> str:
        for generation in range(3, self.runs + 2):
            self._start(generation)
            self._carry(self._step(StepKind.DELETE_MACHINE, generation))
        if not self._starts:
            raise NotMeasured("no machine ran")
        found = sorted(self._starts)
        middle, last = found[len(found) // 2], found[-1]
        kind = self.settings.machine_type
        return f"{kind}: median {middle:.1f} s, longest {last:.1f} s of {len(found)}"

    def _replay_after_an_hour(self) -> str:
        if not self.hour:
            raise NotMeasured("asked for with --hour only")
        self.sleep(3660)
        return self._same(self._reserved, self._reserve_again())

    # -- how ----------------------------------------------------------------------------------

    def _reserve_again(self) -> compute_v1.Operation:
        step = self._step(StepKind.RESERVE_ADDRESS)
        body = gce_machine.address_request(
            self.settings, step, gce_names.description(self.settings, step)
        )
        return self.calls.reserve(self.region, body, self._reserve_id)

    def _same(self, first: compute_v1.Operation, again: compute_v1.Operation) -> str:
        return "yes" if first.name == again.name else f"no: another one, {_errors(again)}"

    def _start(self, generation: int) -> None:
        """Let a machine run and note how long that took."""
        began = self.clock()
        operation = self.calls.insert(self.zone, self._body(generation), str(uuid.uuid4()))
        done = self._until_done(self.zone, operation)
        if done.error.errors:
            raise NotMeasured(_errors(done))
        self._until(lambda: self._machine(generation).status == "RUNNING")
        self._starts.append(self.clock() - began)

    def _body(self, generation: int) -> compute_v1.Instance:
        if self._ip is None:
            raise NotMeasured("there is no address")
        step = self._step(StepKind.INSERT_MACHINE, generation)
        return gce_machine.request(self.settings, step, _SCRIPT)

    def _step(self, kind: StepKind, generation: int = 1) -> Step:
        return Step(
            kind=kind,
            request_id=str(uuid.uuid4()),
            bot=self.bot,
            region=self.region,
            zone=self.zone,
            address_name=f"b-{self.bot}-ip",
            machine_name=f"b-{self.bot}-g{generation}",
            generation=generation,
            ip=self._ip,
        )

    def _address(self) -> compute_v1.Address:
        found = self.calls.address(self.region, f"b-{self.bot}-ip")
        if found is None:
            raise NotMeasured("the address is not there")
        return found

    def _machine(self, generation: int) -> compute_v1.Instance:
        found = self.calls.machine(self.zone, f"b-{self.bot}-g{generation}")
        if found is None:
            raise NotMeasured("the machine is not there")
        return found

    def _carry(self, step: Step) -> bool:
        """Carry a step of the driver to its end; whether it came to a good one."""
        end = self.clock() + _LONGEST
        result = Result(Outcome.UNKNOWN)
        while self.clock() < end:
            result = self._driver.do(replace(step, operation=result.operation))
            if result.outcome in (Outcome.DONE, Outcome.FAILED):
                break
            self.sleep(PAUSE)
        return result.outcome is Outcome.DONE

    def _until_done(self, place: str, operation: compute_v1.Operation) -> compute_v1.Operation:
        found = [operation]

        def done() -> bool:
            found[0] = self.calls.operation(place, operation.name) or found[0]
            return found[0].status == compute_v1.Operation.Status.DONE

        self._until(done)
        return found[0]

    def _until(self, wish: Callable[[], bool]) -> None:
        end = self.clock() + _LONGEST
        while not wish():
            if self.clock() > end:
                raise NotMeasured(f"it took longer than {_LONGEST:.0f} s")
            self.sleep(PAUSE)


def zone_of(settings: GceSettings, region: str) -> str:
    """The first zone of a region. Raises what the library raises."""
    return min(gce_reading.names(Calls(settings).region(region).zones))


def _told(error: Exception) -> str:
    """A refusal with its code and reason."""
    entries = getattr(error, "errors", ()) or ()
    reasons = [entry.get("reason", "") for entry in entries if isinstance(entry, dict)]
    code = int(getattr(error, "code", 0) or 0)
    said = gce_errors.of_exception(error, writing=True).detail
    return f"{code} {'/'.join(reasons) or type(error).__name__}: {said}"


def _errors(operation: compute_v1.Operation) -> str:
    """What an operation came to, with the HTTP status if it bears one."""
    if not operation.error.errors:
        return "it succeeded" if operation.status == compute_v1.Operation.Status.DONE else "begun"
    words = "; ".join(f"{error.code}: {error.message}" for error in operation.error.errors)
    return f"{words} (httpErrorStatusCode {operation.http_error_status_code or 'absent'})"
