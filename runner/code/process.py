"""Speaks with the process that runs a strategy, and ends it when it does not answer in time."""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import resource
import selectors
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.code.api import MOST_STATE, MOST_WORDS
from runner.errors import Operational

HOOK_SECONDS = 2.0
"""A hook may take; an ordinary one takes a thousandth."""
START_SECONDS = 10.0
"""Starting the process and reading the history may take."""
_MOST_ANSWER = 64 * 1024
_TOLD_SECONDS = 0.5
_ROOT = Path(__file__).parents[2]
_PROGRAM = "import sys; sys.path.insert(0, sys.argv[1]); from runner.code.child import main; main()"
_HUNG = re.compile(r'File "<strategy>", line (\d+)')
_ENDS: dict[int, str] = {
    signal.SIGKILL: "the system ended it, most likely for want of memory",
    signal.SIGXCPU: "it kept the processor busy between its hooks",
    signal.SIGSEGV: "it crashed the interpreter",
}


class CodeFault(Operational):
    """A strategy failed. ``line`` of its source, where it is known; ``fatal``: it runs no more."""

    def __init__(self, hook: str, line: int | None, text: str, *, fatal: bool = False) -> None:
        where = hook if line is None else f"{hook}, line {line}"
        super().__init__(f"{where}: {text}")
        self.hook, self.line, self.fatal = hook, line, fatal
        self.text = text


@dataclass(frozen=True)
class Answer:
    """What a hook asked for. ``wish``: -1, 0, 1; ``state``: ``None`` where it did not change."""

    wish: int = 0
    leave: bool = False
    why: str = ""
    stop: float | None = None
    state: dict[str, Any] | None = None
    said: str = ""


class Process:
    """One strategy's process. Every method blocks, for no longer than ``seconds``, or a start."""

    def __init__(self, *, seconds: float = HOOK_SECONDS) -> None:
        self._seconds = seconds
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self._busy = self._allowed = 0.0
        # A question and the end may come from two threads: one of them waits for the other.
        self._lock = threading.Lock()

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, question: dict[str, Any]) -> Answer:
        """Begin, or begin anew, with this source, state and history. Raises ``CodeFault``."""
        if not self.alive:
            self._spawn()
            self._hear("on_start", START_SECONDS)
        return self.ask("on_start", question, max(START_SECONDS, self._seconds))

    def ask(
        self, hook: str, question: dict[str, Any] | None = None, seconds: float | None = None
    ) -> Answer:
        """Call a hook. Raises ``CodeFault``."""
        if not self.alive:
            raise CodeFault(hook, None, "its process is not running", fatal=True)
        line = json.dumps({**(question or {}), "hook": hook}).encode() + b"\n"
        return _read(hook, self._hear(hook, seconds or self._seconds, line))

    def end(self) -> None:
        """Kill it; twice is once."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            with self._lock:  # whoever waits for its answer hears of its end first
                self._kill(process)

    # -- inside --------------------------------------------------------------------------------

    def _spawn(self) -> None:
        self.end()
        self._rest, self._busy, self._allowed = b"", 0.0, 0.0
        self._process = subprocess.Popen(  # noqa: S603 - a fixed program; the source goes in by its pipe
            [sys.executable, "-s", "-S", "-c", _PROGRAM, str(_ROOT)],
            # Nothing of the runner's surroundings; the same order in sets at each start.
            env={"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"},
            cwd="/",
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            assert pipe is not None
            os.set_blocking(pipe.fileno(), False)

    def _hear(self, hook: str, seconds: float, line: bytes = b"") -> dict[str, Any]:
        with self._lock:
            process = self._process
            if process is None:
                raise CodeFault(hook, None, "its process was ended", fatal=True)
            began = time.monotonic()
            self._bound(process, seconds)
            answer = self._exchanged(process, line, began + seconds)
            self._busy += time.monotonic() - began
            if answer is not None:
                return self._parsed(hook, process, answer)
            raise self._ended(hook, process, seconds)

    def _bound(self, process: subprocess.Popen[bytes], seconds: float) -> None:
        """Let it use the processor for as long as it was asked something, and no longer."""
        most = float(math.ceil(self._busy + seconds) + 2)
        if most != self._allowed and sys.platform.startswith("linux"):
            self._allowed = most
            with contextlib.suppress(OSError, ValueError):
                _, hard = resource.prlimit(process.pid, resource.RLIMIT_CPU)
                soft = int(most) if hard == resource.RLIM_INFINITY else min(int(most), hard)
                resource.prlimit(process.pid, resource.RLIMIT_CPU, (soft, hard))

    def _exchanged(
        self, process: subprocess.Popen[bytes], line: bytes, until: float
    ) -> bytes | None:
        """Write the question, read one line; ``None`` if it ended or took too long."""
        assert process.stdin is not None
        assert process.stdout is not None
        into, out = process.stdin.fileno(), process.stdout.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(out, selectors.EVENT_READ)
            if line:
                selector.register(into, selectors.EVENT_WRITE)
            while (left := until - time.monotonic()) > 0:
                for key, _ in selector.select(left):
                    if key.fd == into:
                        line = _written(into, line)
                        if not line:
                            selector.unregister(into)
                        continue
                    piece = os.read(out, 65_536)
                    self._rest += piece
                    if not piece or len(self._rest) > _MOST_ANSWER:
                        return self._rest if piece else None
                    if b"\n" in piece:
                        answer, self._rest = self._rest.split(b"\n", 1)
                        return answer
        return None

    def _parsed(self, hook: str, process: subprocess.Popen[bytes], answer: bytes) -> dict[str, Any]:
        try:
            told = json.loads(answer) if len(answer) <= _MOST_ANSWER else None
        except (ValueError, RecursionError):
            told = None
        if not isinstance(told, dict):
            self._kill(process)
            raise CodeFault(hook, None, "it gave an answer that cannot be read", fatal=True)
        if told.get("ok") is True:
            return told
        line = told.get("line")
        fatal = told.get("fatal") is True or hook == "on_start"
        text = str(told.get("text"))[:300]
        raise CodeFault(hook, line if type(line) is int else None, text, fatal=fatal)

    def _ended(self, hook: str, process: subprocess.Popen[bytes], seconds: float) -> CodeFault:
        """Why there was no answer; the process is gone afterwards."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(0.05)
        status = process.poll()
        if status is None:
            line = self._hung_at(process)
            self._kill(process)
            text = f"it gave no answer within {seconds:g} seconds and was stopped"
            return CodeFault(hook, line, text, fatal=True)
        self._kill(process)
        text = f"its process ended (status {status})"
        return CodeFault(hook, None, _ENDS.get(-status) or text, fatal=True)

    def _hung_at(self, process: subprocess.Popen[bytes]) -> int | None:
        """The line it is in, as the interpreter itself tells when it is asked by a signal."""
        assert process.stderr is not None
        descriptor, told = process.stderr.fileno(), b""
        process.send_signal(signal.SIGUSR1)
        until = time.monotonic() + _TOLD_SECONDS
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while (left := until - time.monotonic()) > 0 and len(told) < 65_536:
                if not selector.select(left):
                    break
                piece = os.read(descriptor, 65_536)
                if not piece:
                    break
                told += piece
                if _HUNG.search(told.decode(errors="replace")) and told.endswith(b"\n"):
                    break
        found = _HUNG.search(told.decode(errors="replace"))
        return int(found[1]) if found else None

    @staticmethod
    def _kill(process: subprocess.Popen[bytes]) -> None:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _written(descriptor: int, line: bytes) -> bytes:
    """What is left of it after as much was written as there is room for."""
    try:
        return line[os.write(descriptor, line) :]
    except BlockingIOError:
        return line
    except BrokenPipeError:
        return b""


def _read(hook: str, told: dict[str, Any]) -> Answer:
    """An answer of a process nobody trusts. Raises ``CodeFault``."""
    wish, stop, state = told.get("wish", 0), told.get("stop"), told.get("state")
    sound = type(wish) is int and wish in (-1, 0, 1)
    sound = sound and (stop is None or (type(stop) in (int, float) and 0 < stop < 1e15))
    sound = sound and (state is None or isinstance(state, dict))
    if not sound or len(json.dumps(state)) > 2 * MOST_STATE:
        raise CodeFault(hook, None, "it gave an answer that makes no sense")
    return Answer(
        wish,
        told.get("leave") is True,
        str(told.get("why", ""))[:MOST_WORDS],
        None if stop is None else float(stop),
        state,
        str(told.get("said", ""))[:2_000],
    )
