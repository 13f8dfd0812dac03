"""A process of the runner below a worker: watched, heard, ended, never longer than it."""

from __future__ import annotations

import ctypes
import json
import os
import selectors
import signal
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

_NAMES = ("PATH", "SSL_CERT_FILE", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
_LOOK = 1.0
_PR_SET_PDEATHSIG = 1


def surroundings() -> dict[str, str]:
    """None of the platform's settings, secrets least of all."""
    return {name: os.environ[name] for name in _NAMES if name in os.environ}


def end_with_parent(number: int) -> None:
    """In the child: it gets this signal when its worker is gone."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, number)


class Watch(ABC):
    """Reads what a process tells on its standard error while it runs.

    ``lines`` are those that were no progress. ``beat`` is called about once a second; it says
    whether the run is still wanted.
    """

    def __init__(
        self, process: subprocess.Popen[bytes], beat: Callable[[], bool], seconds: float
    ) -> None:
        self._process = process
        self._beat = beat
        self._until = time.monotonic() + seconds
        self._rest = b""
        self.lines: list[str] = []
        self.cancelled = self.late = False

    @abstractmethod
    def take(self, said: Any) -> None:
        """Note what a line told. Raises ``LookupError`` or ``TypeError`` where it was none."""

    def until_it_ends(self) -> None:
        """Beat once a second; ends early where the run is not wanted any more or takes too long."""
        beaten = 0.0

        def wanted() -> bool:
            nonlocal beaten
            if time.monotonic() >= beaten + _LOOK:
                beaten = time.monotonic()
                self.cancelled = not self._beat()
                self.late = beaten > self._until
            return not (self.cancelled or self.late)

        self._read_while(wanted)

    def while_it_cleans_up(self, seconds: float) -> None:
        """Go on hearing it, and beating, once it was asked to end; at most for so long."""
        until, beaten = time.monotonic() + seconds, 0.0

        def in_time() -> bool:
            nonlocal beaten
            if time.monotonic() >= beaten + _LOOK:
                beaten = time.monotonic()
                self._beat()
            return time.monotonic() < until

        self._read_while(in_time)

    def _read_while(self, goes_on: Callable[[], bool]) -> None:
        assert self._process.stderr is not None
        descriptor = self._process.stderr.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while goes_on():
                if selector.select(_LOOK):
                    piece = os.read(descriptor, 65_536)
                    if not piece:
                        return
                    self._hear(piece)

    def _hear(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace")
            try:
                self.take(json.loads(text))
            except (ValueError, LookupError, TypeError):
                self.lines.append(text)


def end(process: subprocess.Popen[bytes], grace: float) -> None:
    """Ask it to end, then end it; whoever it started goes with it."""
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(grace)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
