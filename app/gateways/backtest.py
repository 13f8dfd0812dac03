"""Backtests as a process of their own: JSON in and out, bounded in time and memory."""

from __future__ import annotations

import ctypes
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from app.gateways.backtest_outcome import End, Outcome, fault_of, read
from runner.protocol import CODE_ALLOWED

ROOT = Path(__file__).parents[2]
SECONDS = 900
"""A run may take, of the clock and of the processor; a year of minutes takes a few."""
_LATE = "it took more time than a backtest may take; choose a shorter period"
BYTES = 2 * 1024**3
"""Of address space; of an answer a quarter of it."""
_CANCELLED = 3
_LOG = 20_000
_LOOK = 1.0
_GRACE = 5.0
_PR_SET_PDEATHSIG = 1
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
                watch = _Watch(process, beat, self._seconds)
                try:
                    watch.until_it_ends()
                finally:
                    _end(process)
            answer.seek(0)
            return _outcome(process.returncode, answer.read(), watch, self._said_late)

    def _process(self, asked: IO[bytes], answer: IO[bytes]) -> subprocess.Popen[bytes]:
        names = ("PATH", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
        return subprocess.Popen(
            [sys.executable, "-m", "runner", "backtest"],
            cwd=self._root,
            # None of the platform's settings, secrets least of all.
            env={name: os.environ[name] for name in names if name in os.environ} | self._allowed,
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
        if sys.platform.startswith("linux"):
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class _Watch:
    """Reads what a process tells while it runs."""

    def __init__(self, process: subprocess.Popen[bytes], beat: Beat, seconds: float) -> None:
        self._process = process
        self._beat = beat
        self._until = time.monotonic() + seconds
        self._rest = b""
        self._told = ("starting", 0, 0)
        self.lines: list[str] = []
        self.cancelled = self.late = False

    def until_it_ends(self) -> None:
        """Beat once a second; ends early where the run is not wanted any more or takes too long."""
        assert self._process.stderr is not None
        descriptor, beaten = self._process.stderr.fileno(), 0.0
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while True:
                if selector.select(_LOOK):
                    piece = os.read(descriptor, 65_536)
                    if not piece:
                        return
                    self._take(piece)
                if time.monotonic() >= beaten + _LOOK:
                    beaten = time.monotonic()
                    self.cancelled = not self._beat(*self._told)
                    self.late = beaten > self._until
                    if self.cancelled or self.late:
                        return

    def _take(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace")
            try:
                said = json.loads(text)
                told = (str(said["step"]), int(said["done"]), int(said["of"]))
            except (ValueError, KeyError, TypeError):
                self.lines.append(text)
                continue
            if told[0] != self._told[0]:
                self.lines.append(f"{told[0]}: {told[1]} of {told[2]}")
            self._told = told


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, then end it; whoever it started goes with it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _outcome(status: int, answer: bytes, watch: _Watch, late: str) -> Outcome:
    log = "\n".join(watch.lines)[-_LOG:]
    if watch.cancelled:
        return Outcome(End.CANCELLED, log=log)
    if watch.late or status in (-signal.SIGXCPU, -signal.SIGKILL):
        return Outcome(End.FAILED, log=log, fault=fault_of("request", "since", late))
    if status == _CANCELLED:
        text = "it was ended from outside; run it again"
        return Outcome(End.FAILED, log=log, fault=fault_of("backtest", "", text))
    return read(status, answer, log)
