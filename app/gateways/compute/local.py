"""The local driver: each machine is a process of the bundle with a loopback address of its own.

A machine exists as ``machines/<name>/``. Its process inherits two locks, its own and that of its
address, and holds them until it ends: alive means held, whatever became of the platform meanwhile.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from app.gateways.compute import bundles, locks
from app.gateways.compute.addresses import AddressBook
from app.gateways.compute.driver import (
    Cause,
    MachineState,
    Outcome,
    RegionFacts,
    Result,
    SeenAddress,
    SeenMachine,
    Step,
    StepKind,
    Survey,
)
from runner.protocol import CODE_ALLOWED, PRACTICE_LIVE

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,80}")
_START_SECONDS = 3
# A runner ends within twenty seconds, most of which it only takes to bring a position to safety.
_TERM_SECONDS = 21.0
_KILL_SECONDS = 1.0
_KEEP_PAST = 20
_CONSOLE_BYTES = 16 * 1024
HOME = "local"
"""The one region of this driver."""
_HOLDING = frozenset({MachineState.STARTING, MachineState.RUNNING})
# The child writes its own pid, so that no moment exists in which it runs unrecorded; the outer
# shell ends at once, so that the machine belongs to nobody who might end or wait for it.
_DETACH = '"$@" &'
_RECORD = 'echo $$ > "$0"; exec "$@"'


class LocalDriver:
    """Drives machines on this computer; see the module."""

    def __init__(
        self,
        var_dir: Path,
        root: Path = bundles.ROOT,
        patience: float = _TERM_SECONDS,
        *,
        code: bool = False,
    ) -> None:
        """``root`` holds the runner's sources; all that machines leave lies under ``var_dir``.

        ``patience``: seconds a runner has for its orderly end. ``code``: whether machines may run
        code strategies.
        """
        self._patience, self._code = patience, code
        self._root = root
        self._var = Path(var_dir).absolute()
        self._machines = self._var / "machines"
        self._book = AddressBook(self._var)

    def do(self, step: Step) -> Result:
        """Carry out one step; never raises."""
        for name in (step.address_name, step.machine_name):
            if name is not None and not _NAME.fullmatch(name):
                return Result(Outcome.FAILED, f"{name!r} cannot be a name")
        try:
            return self._do(step)
        except OSError as error:
            return Result(Outcome.RETRY, f"{step.kind}: {error.strerror or error}")
        except Exception as error:  # noqa: BLE001 -- the protocol's promise; the type is told
            return Result(Outcome.UNKNOWN, f"{step.kind}: {type(error).__name__}")

    def survey(self, regions: tuple[str, ...]) -> Survey:
        """Every machine that was inserted and not deleted, alive or not, and every address."""
        home = regions[0] if regions else HOME
        found = self._machines.glob("[!.]*") if self._machines.exists() else ()
        machines = tuple(
            SeenMachine(path.name, home, "", _state(path), self._book.ip_of(address_of(path.name)))
            for path in sorted(found)
        )
        holders = {address_of(it.name): it.name for it in machines if it.state in _HOLDING}
        addresses = tuple(
            SeenAddress(name, home, ip, state, tuple(filter(None, [holders.get(name)])))
            for name, ip, state in self._book.all()
        )
        return Survey(machines, addresses, regions=(RegionFacts(home),))

    def _do(self, step: Step) -> Result:
        match step.kind:
            case StepKind.RESERVE_ADDRESS:
                return self._book.reserve(step.address_name)
            case StepKind.OBSERVE_ADDRESS:
                return self._book.observe(step.address_name)
            case StepKind.RELEASE_ADDRESS:
                return self._book.release(step.address_name)
            case StepKind.LIST_ZONES:
                return Result(Outcome.DONE)
        if step.machine_name is None:
            return Result(Outcome.FAILED, f"{step.kind} needs the name of a machine")
        place = self._machines / step.machine_name
        match step.kind:
            case StepKind.INSERT_MACHINE:
                return self._insert(step, place)
            case StepKind.DELETE_MACHINE:
                return self._delete(step, place)
            case StepKind.READ_CONSOLE:
                return Result(Outcome.DONE, machine=_state(place), console=_tail(place))
        return _strange(step, place) or Result(Outcome.DONE, machine=_state(place))

    # -- insert -------------------------------------------------------------------------------

    def _insert(self, step: Step, place: Path) -> Result:
        refusal = self._refuse(step)
        if refusal is not None:
            return refusal
        if _state(place) is not MachineState.ABSENT and _pid(place) is not None:
            return _strange(step, place) or Result(Outcome.DONE, ip=step.ip, machine=_state(place))
        built = bundles.build(step.exchange or "", self._var / "bundles", self._root)
        if isinstance(built, Result):
            return built
        (place / "disk").mkdir(parents=True, exist_ok=True)
        with locks.held(place / "lock") as own:
            if own is None:
                return Result(Outcome.RETRY, "another call works on it", machine=_state(place))
            with locks.held(self._book.lock(step.address_name)) as address:
                if address is None:
                    return Result(Outcome.RETRY, "another machine still has the address")
                # Looked at again under the locks: a call that overtook this one may have acted.
                refusal = self._refuse(step)
                if refusal is None and _pid(place) is None:
                    (place / "proof").write_text(step.proof)
                    self._start(step, place, built, (own, address))
        refusal = refusal or _strange(step, place)
        if refusal is not None:
            return refusal
        return Result(Outcome.DONE, ip=step.ip, machine=_state(place))

    def _refuse(self, step: Step) -> Result | None:
        ip = self._book.ip_of(step.address_name)
        if ip is None:
            return Result(Outcome.FAILED, "the address is not reserved; reserve it first")
        if step.ip is not None and step.ip != ip:
            return Result(Outcome.FAILED, f"the address is {ip} and not {step.ip}")
        if step.generation and step.generation <= self._book.retired(step.address_name):
            return Result(Outcome.FAILED, "this generation was deleted; it never starts again")
        return None

    def _start(self, step: Step, place: Path, bundle: Path, descriptors: tuple[int, int]) -> None:
        record = ["/bin/sh", "-c", _RECORD, str(place / "pid")]
        program = [sys.executable, "-I", str(bundle)]
        given = {k: v for k, v in step.environment.items() if k.startswith("PLUTARC_")}
        if self._code:
            given[CODE_ALLOWED] = "1"
        if os.environ.get(PRACTICE_LIVE):  # only tests set it, and a machine inherits nothing else
            given[PRACTICE_LIVE] = os.environ[PRACTICE_LIVE]
        address = self._book.ip_of(step.address_name) or ""
        with (place / "machine.log").open("ab") as log:
            shell = subprocess.Popen(  # noqa: S603 -- fixed scripts; names were checked
                ["/bin/sh", "-c", _DETACH, "sh", *record, *program],
                cwd=place / "disk",
                env={
                    "PATH": os.environ.get("PATH", os.defpath),
                    **given,
                    "PLUTARC_DIR": str(place / "disk"),
                    "PLUTARC_SOURCE_ADDRESS": address,
                },
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=descriptors,
            )
        shell.wait(_START_SECONDS)
        end = time.monotonic() + _START_SECONDS
        while _pid(place) is None and time.monotonic() < end:
            time.sleep(0.01)

    # -- delete -------------------------------------------------------------------------------

    def _delete(self, step: Step, place: Path) -> Result:
        refusal = _strange(step, place)
        if refusal is not None:
            return refusal
        if step.generation:
            self._book.retire(step.address_name, step.generation)
        if not place.exists():
            return Result(Outcome.DONE, machine=MachineState.ABSENT)
        if not end_process(place, self._patience):
            detail = "its process has not ended yet"
            return Result(Outcome.RETRY, detail, machine=MachineState.STOPPING)
        with locks.held(place / "lock") as own:
            if own is None:
                return Result(Outcome.RETRY, "another call works on it", machine=_state(place))
            self._move_away(place)
        return Result(Outcome.DONE, machine=MachineState.ABSENT)

    def _move_away(self, place: Path) -> None:
        """Keep the disks of the last few machines: a person may want to know why one died."""
        past = self._var / "machines-past"
        past.mkdir(exist_ok=True)
        place.rename(past / f"{place.name}.{time.time_ns()}")
        oldest_first = sorted(past.iterdir(), key=lambda path: path.name.rsplit(".", 1)[-1])
        for path in oldest_first[:-_KEEP_PAST]:
            shutil.rmtree(path, ignore_errors=True)


def _strange(step: Step, place: Path) -> Result | None:
    """Refuses a machine of that name which another start made: the database may be an old copy."""
    proof, state = place / "proof", _state(place)
    if not step.proof or not (place / "pid").exists():
        return None
    if (proof.read_text() if proof.exists() else "") == step.proof:
        return None
    detail = f"{place.name} is there already and was started by somebody else"
    return Result(Outcome.RETRY, detail, machine=state, cause=Cause.HELD, holder=place.name)


def _tail(place: Path) -> str:
    """The last of what a machine wrote, as a cloud's serial console keeps it."""
    log = place / "machine.log"
    written = log.read_bytes() if log.exists() else b""
    return written[-_CONSOLE_BYTES:].decode(errors="ignore")


def address_of(machine_name: str) -> str:
    """The name of the address that belongs to a machine of this name."""
    return f"{machine_name.rpartition('-g')[0]}-ip"


def end_process(place: Path, patience: float = _TERM_SECONDS) -> bool:
    """Ask the process of a machine to end, then make it; whether it is gone. Keeps the disk."""
    lock = place / "lock"
    for number, seconds in ((signal.SIGTERM, patience), (signal.SIGKILL, _KILL_SECONDS)):
        if not locks.is_held(lock):
            return True
        pid = _pid(place)
        if pid is not None:
            locks.signal_holder(pid, lock, number)
        if locks.wait_free(lock, seconds):
            return True
    return False


def _state(place: Path) -> MachineState:
    if not place.exists():
        return MachineState.ABSENT
    if not locks.is_held(place / "lock"):
        return MachineState.TERMINATED
    return MachineState.STARTING if _pid(place) is None else MachineState.RUNNING


def _pid(place: Path) -> int | None:
    """The pid the process wrote; ``None`` as long as it never started."""
    try:
        return int((place / "pid").read_text())
    except (FileNotFoundError, ValueError):
        return None
