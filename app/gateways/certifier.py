"""Certifications as a process of their own, which gets its key from the gate and cleans up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from app.gateways.backtest_outcome import End, Outcome, fault_of, read
from app.gateways.child import Watch, end_with_parent, surroundings

ROOT = Path(__file__).parents[2]
SECONDS = 600.0
"""A certification may take; a minute or two is usual."""
CLEANS_UP = 120.0
"""And then to take back its orders; the runner itself gives up after a minute and a half."""
_LOG = 20_000
_LATE = "it took longer than a certification may and was ended; it cleaned up as the report says"
Beat = Callable[[list[dict[str, Any]], int], bool]
"""Told now and then: the lines so far, and of how many; ``False`` ends it."""


class Certifier:
    """Starts the process, hears it, and leaves it the time to clean up."""

    def __init__(
        self, gate: str, *, seconds: float = SECONDS, cleans_up: float = CLEANS_UP
    ) -> None:
        self._gate, self._seconds, self._cleans_up = gate, seconds, cleans_up

    def run(self, claim: dict[str, str], beat: Beat) -> Outcome:
        """Carry one out. ``claim``: what the process shows at the gate."""
        with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as answer:
            asked.write(json.dumps({"gate": self._gate, "claim": claim}).encode())
            asked.seek(0)
            with self._process(asked, answer) as process:
                watch = _Told(process, beat, self._seconds)
                try:
                    watch.until_it_ends()
                finally:
                    self._end(process, watch)
            answer.seek(0)
            return _outcome(process.returncode, answer.read(), watch)

    def _process(self, asked: IO[bytes], answer: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "runner", "certify", "--from-gate"],
            cwd=ROOT,
            env=surroundings(),
            stdin=asked,
            stdout=answer,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_bound,  # noqa: PLW1509 -- one prctl, no lock is taken
        )

    def _end(self, process: subprocess.Popen[bytes], watch: _Told) -> None:
        """Ask it to end; while it takes back its orders it is heard of, so that it is not lost."""
        if process.poll() is None and (watch.cancelled or watch.late):
            process.terminate()
            watch.while_it_cleans_up(self._cleans_up)
        try:
            process.wait(1)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _bound() -> None:
    """In the child: without its worker it cleans up and ends, and is not killed over its orders."""
    end_with_parent(signal.SIGTERM)


class _Told(Watch):
    """Progress is all lines of the report there are so far."""

    def __init__(self, process: subprocess.Popen[bytes], beat: Beat, seconds: float) -> None:
        super().__init__(process, lambda: beat(self._steps, self._of), seconds)
        self._steps: list[dict[str, Any]] = []
        self._of = 0

    def take(self, said: Any) -> None:
        """Note them."""
        self._steps, self._of = list(said["lines"]), int(said["of"])


def _outcome(status: int, answer: bytes, watch: _Told) -> Outcome:
    log = "\n".join(watch.lines)[-_LOG:]
    found = read(status, answer, log)
    if found.end is End.DONE:
        fault = fault_of("certification", "", _LATE) if watch.late else {}
        return Outcome(End.DONE, found.answer, log, fault)
    if watch.cancelled:
        return Outcome(End.CANCELLED, log=log)
    if status < 0:
        text = (
            "its process was killed, and may have left an order or a position; look at the "
            "exchange, then start another one, which takes back what is left"
        )
        return Outcome(End.FAILED, log=log, fault=fault_of("certification", "", text))
    return found
