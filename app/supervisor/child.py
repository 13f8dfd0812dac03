"""One process that is kept alive: started, listened to, started again, and ended with the rest."""

from __future__ import annotations

import asyncio
import ctypes
import os
import re
import signal
import sys
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)
_LOG_LIMIT = 5_000_000
_LINE_LIMIT = 1_000_000
_FIRST_PAUSE = 0.25
_LONGEST_PAUSE = 10.0
_STEADY_SECONDS = 10.0
_LIVES = 4
_LOOK_SECONDS = 0.05
_EXIT_LOOK_SECONDS = 0.25
_LOUD = re.compile(r"\b(WARNING|ERROR|CRITICAL|FATAL)\b|^Traceback|^\w*(Error|Exception)\b:?")

Say = Callable[[str], None]


@dataclass(frozen=True)
class Program:
    """What to run; ``ready`` says whether it does its work, ``loud`` that its warnings matter."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    ready: Callable[[], Awaitable[bool]] | None = None
    loud: bool = True


def die_with_parent() -> None:
    """Have the kernel end this process when its parent ends, even by ``kill -9`` (Linux)."""
    if sys.platform.startswith("linux"):
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


class Child:
    """Keeps one program running until told to stop."""

    def __init__(self, program: Program, log_dir: Path, say: Say) -> None:
        self.program = program
        self.restarts = 0
        self.process: asyncio.subprocess.Process | None = None
        self._log = log_dir / f"{program.name}.log"
        self._say = say
        self._tail: deque[str] = deque(maxlen=12)
        self._stopping = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to keep it running."""
        self._task = asyncio.create_task(self._keep(), name=self.program.name)

    async def wait_ready(self, seconds: float) -> bool:
        """Wait until it does its work; ``False`` when it did not in time, or keeps ending."""
        if self.program.ready is None:
            return True
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.restarts < _LIVES:
                    if self.process is not None and await self.program.ready():
                        return True
                    await asyncio.sleep(_LOOK_SECONDS)
        return False

    async def stop(self, seconds: float) -> None:
        """Ask it to end, after ``seconds`` make it; nothing of its process group is left."""
        self._stopping.set()
        if self.process is not None:
            _signal(self.process.pid, signal.SIGTERM)
        if self._task is None:
            return
        done, _ = await asyncio.wait({self._task}, timeout=seconds)
        if not done and self.process is not None:
            self._say(f"{self.program.name} did not end in {seconds:g} s and was made to")
            _signal_group(self.process.pid, signal.SIGKILL)
        await self._task

    def last_words(self) -> str:
        """The end of what it said."""
        return "\n".join(self._tail)

    async def _keep(self) -> None:
        pause = _FIRST_PAUSE
        loop = asyncio.get_running_loop()
        while not self._stopping.is_set():
            began = loop.time()
            try:
                code = await self._run()
            except OSError as error:
                self._note(f"ERROR {self.program.command[0]}: {error.strerror}")
                code = 127
            if self._stopping.is_set():
                return
            if loop.time() - began > _STEADY_SECONDS:
                pause = _FIRST_PAUSE
            self._say(f"{self.program.name} ended ({_meaning(code)}); starting it in {pause:g} s")
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause)
            pause = min(pause * 2, _LONGEST_PAUSE)
            self.restarts += 1

    async def _run(self) -> int:
        """One life of the process, from its start until nothing of its group is left."""
        process = await asyncio.create_subprocess_exec(
            *self.program.command,
            env=dict(self.program.environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            limit=_LINE_LIMIT,
            start_new_session=True,  # Ctrl-C is for the supervisor, which knows the order
            preexec_fn=die_with_parent,
        )
        self.process = process
        if self._stopping.is_set():
            _signal(process.pid, signal.SIGTERM)
        reading = asyncio.create_task(self._listen(process))
        code = await _ended(process)
        _signal_group(process.pid, signal.SIGKILL)
        await asyncio.wait({reading}, timeout=1)
        reading.cancel()
        self.process = None
        return code

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        if process.stdout is None:
            return
        while True:
            try:
                raw = await process.stdout.readline()
            except ValueError:  # longer than any line should be; the reader has dropped it
                continue
            if not raw:
                return
            self._note(raw.decode(errors="replace").rstrip())

    def _note(self, line: str) -> None:
        self._tail.append(line)
        if self._log.exists() and self._log.stat().st_size > _LOG_LIMIT:
            self._log.replace(self._log.with_suffix(".log.1"))
        with self._log.open("a") as file:
            file.write(f"{line}\n")
        if self.program.loud and _LOUD.search(line):
            self._say(f"{self.program.name} | {line}")


async def _ended(process: asyncio.subprocess.Process) -> int:
    """Wait for the process alone: ``wait`` also waits for what a left-over child may still say."""
    waiting = asyncio.create_task(process.wait())
    while process.returncode is None:
        await asyncio.wait({waiting}, timeout=_EXIT_LOOK_SECONDS)
    waiting.cancel()
    return process.returncode


def _signal(pid: int, number: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _signal_group(pid: int, number: signal.Signals) -> None:
    """The group outlives its leader; a child is the leader of its own."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def _meaning(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"code {code}"
