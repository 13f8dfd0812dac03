"""One run of a task: a backtest in a process of its own, bounded in time and memory."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import resource
import signal
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from runner.protocol import CODE_ALLOWED, Task, TaskAnswer

_ROOT = Path(__file__).parents[1]
"""Of the sources, or the bundle itself."""
_PROGRAM = (
    "import sys; sys.path.insert(0, sys.argv[1]); "
    "from runner.__main__ import main; sys.exit(main(['backtest']))"
)
_MOST_MEMORY = 2 * 1024**3
_SHARE = 0.85
_LARGEST_FILE = 256 * 1024**2
_LOG = 20_000
_LINE = 64 * 1024
_GRACE = 5.0
_NO_MEMORY = (
    '{"ok":false,"error":{"kind":"refused","component":"request","field":"since","message":'
    '"the machine ran out of memory; choose a shorter period or a longer time frame"}}'
)


@dataclass
class Progress:
    """How far the run at work is; whoever reports reads it."""

    step: str = "starting"
    done: int = 0
    of: int = 0


class Run:
    """One process, and what it said."""

    def __init__(self, task: Task, folder: Path, progress: Progress) -> None:
        self._task, self._folder, self._progress = task, folder, progress
        self._lines: list[str] = []

    async def answer(self) -> TaskAnswer:
        """Run it to its end, or to that of its time; cancelled, it takes its process along."""
        with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as written:
            asked.write(self._request())
            asked.seek(0)
            process = await self._start(asked, written)
            late = False
            try:
                async with asyncio.timeout(self._task.seconds):
                    await self._hear(process)
                    await process.wait()
            except TimeoutError:
                late = True
            finally:
                await _end(process)
            written.seek(0)
            status = process.returncode or 0
            text = written.read().decode(errors="replace")
        if status == -signal.SIGKILL and not late:
            text = _NO_MEMORY
        elif status == -signal.SIGXCPU:
            late = True
        return TaskAnswer(status, text, "\n".join(self._lines)[-_LOG:], late=late, steady=True)

    def _request(self) -> bytes:
        whole = json.loads(self._task.request)
        return json.dumps({**whole, "folder": str(self._folder / "history")}).encode()

    async def _start(self, asked: IO[bytes], written: IO[bytes]) -> asyncio.subprocess.Process:
        (self._folder / "history").mkdir(parents=True, exist_ok=True)
        names = ("PATH", "SSL_CERT_FILE")
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-c", _PROGRAM, str(_ROOT)),
            cwd=self._folder,
            # Not the token, least of all.
            env={name: os.environ[name] for name in names if name in os.environ}
            | {CODE_ALLOWED: "1"},
            stdin=asked,
            stdout=written,
            stderr=asyncio.subprocess.PIPE,
            limit=_LINE,
            preexec_fn=self._bound,
        )

    def _bound(self) -> None:
        """In the child: less than the machine has, and never longer than it may take."""
        memory = memory_of_machine()
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_LARGEST_FILE, _LARGEST_FILE))
        most = self._task.seconds + 1
        resource.setrlimit(resource.RLIMIT_CPU, (most, most + 5))

    async def _hear(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        while True:
            try:
                line = await process.stderr.readline()
            except ValueError:  # longer than any line of ours
                continue
            if not line:
                return
            self._take(line.decode(errors="replace").rstrip("\n"))

    def _take(self, text: str) -> None:
        progress = self._progress
        try:
            said = json.loads(text)
            step, done, of = str(said["step"]), int(said["done"]), int(said["of"])
        except (ValueError, KeyError, TypeError):
            self._lines.append(text)
            return
        if step != progress.step:
            self._lines.append(f"{step}: {done} of {of}")
        progress.step, progress.done, progress.of = step, done, of


def memory_of_machine() -> int:
    """Bytes of address space that a run may have here."""
    with contextlib.suppress(ValueError, OSError):
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return min(_MOST_MEMORY, int(whole * _SHARE))
    return _MOST_MEMORY


async def _end(process: asyncio.subprocess.Process) -> None:
    """Ask it to end, then end it."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_GRACE):
            await process.wait()
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
