"""Backtests as a process of their own: JSON in and out, bounded in time and memory."""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from app.gateways.backtest_outcome import End, Outcome, fault_of, read
from app.gateways.child import Watch, end, end_with_parent, surroundings
from runner.protocol import CODE_ALLOWED

ROOT = Path(__file__).parents[2]
SECONDS = 900
"""A run may take, of the clock and of the processor; a year of minutes takes a few."""
_LATE = "it took more time than a backtest may take; choose a shorter period"
BYTES = 2 * 1024**3
"""Of address space; of an answer a quarter of it."""
_CANCELLED = 3
_LOG = 20_000
_GRACE = 5.0
Beat = Callable[[str, int, int], bool]
"""Told now and then: the step, how much of it is done, of how much; ``False`` ends the run."""


class Backtester:
    """Runs requests; candles are kept below ``folder`` between runs."""

    def __init__(
        self,
        folder: Path,
        endpoints: dict[str, str],
        *,
        seconds: float = SECONDS,
        memory: int = BYTES,
        late: str = _LATE,
        root: Path = ROOT,
        code: bool = False,
    ) -> None:
        """``root`` holds the runner's sources; ``seconds`` and ``memory`` are what a run may take.

        ``late`` is said of one that took longer. ``code``: whether the runner may start a code
        strategy's own process.
        """
        self._code = code
        self._folder = folder.absolute()
        self._endpoints = endpoints
        self._seconds = seconds
        self._memory = memory
        self._said_late = late
        self._root = root

    def run(self, request: dict[str, Any], beat: Beat) -> Outcome:
        """Carry out one request. ``beat`` is called about once a second."""
        self._folder.mkdir(parents=True, exist_ok=True)
        whole = {**request, "folder": str(self._folder)}
        endpoint = self._endpoints.get(str(request.get("exchange")))
        if endpoint is not None:
            whole["endpoint"] = endpoint
        with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as answer:
            asked.write(json.dumps(whole).encode())
            asked.seek(0)
            with self._process(asked, answer) as process:
                watch = _Told(process, beat, self._seconds)
                try:
                    watch.until_it_ends()
                finally:
                    end(process, _GRACE)
            answer.seek(0)
            return _outcome(process.returncode, answer.read(), watch, self._said_late)

    def _process(self, asked: IO[bytes], answer: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "runner", "backtest"],
            cwd=self._root,
            env=surroundings() | self._allowed,
            stdin=asked,
            stdout=answer,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=self._bound,  # noqa: PLW1509 -- a few system calls, no lock is taken
        )

    @property
    def _allowed(self) -> dict[str, str]:
        return {CODE_ALLOWED: "1"} if self._code else {}

    def _bound(self) -> None:
        """In the child: less than the worker, and never longer than it."""
        os.nice(10)
        resource.setrlimit(resource.RLIMIT_AS, (self._memory, self._memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (self._memory // 4, self._memory // 4))
        most = int(self._seconds) + 1
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))
        end_with_parent(signal.SIGKILL)


class _Told(Watch):
    """Progress is a step, how much of it is done, and of how much."""

    def __init__(self, process: subprocess.Popen[bytes], beat: Beat, seconds: float) -> None:
        super().__init__(process, lambda: beat(*self._told), seconds)
        self._told = ("starting", 0, 0)

    def take(self, said: Any) -> None:
        """Note it; each step leaves one line in the log."""
        told = (str(said["step"]), int(said["done"]), int(said["of"]))
        if told[0] != self._told[0]:
            self.lines.append(f"{told[0]}: {told[1]} of {told[2]}")
        self._told = told


def _outcome(status: int, answer: bytes, watch: _Told, late: str) -> Outcome:
    log = "\n".join(watch.lines)[-_LOG:]
    if watch.cancelled:
        return Outcome(End.CANCELLED, log=log)
    if watch.late or status in (-signal.SIGXCPU, -signal.SIGKILL):
        return Outcome(End.FAILED, log=log, fault=fault_of("request", "since", late))
    if status == _CANCELLED:
        text = "it was ended from outside; run it again"
        return Outcome(End.FAILED, log=log, fault=fault_of("backtest", "", text))
    return read(status, answer, log)
