"""Locks that live exactly as long as the process that holds them (flock), and who that is."""

from __future__ import annotations

import fcntl
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PAUSE = 0.02
_LSOF_SECONDS = 3


def acquire(path: Path, patience: float = 0.3) -> int | None:
    """An exclusive lock on ``path`` as a file descriptor; ``None`` if another holds it.

    A look by ``is_held`` takes a shared lock for an instant, which ``patience`` (seconds) outlasts.
    A lock on a file that meanwhile went elsewhere is no lock; then it is taken anew.

    Raises:
        FileNotFoundError: the directory of ``path`` is gone.
    """
    end = time.monotonic() + patience
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_at(descriptor, path):
                return descriptor
        except BlockingIOError:
            pass
        os.close(descriptor)
        if time.monotonic() >= end:
            return None
        time.sleep(_PAUSE)


@contextmanager
def held(path: Path, patience: float = 0.3) -> Iterator[int | None]:
    """``acquire`` for the length of a block."""
    descriptor = acquire(path, patience)
    try:
        yield descriptor
    finally:
        if descriptor is not None:
            os.close(descriptor)


def is_held(path: Path) -> bool:
    """Whether some process holds the lock now. A file that is not there is not held."""
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def wait_free(path: Path, seconds: float) -> bool:
    """Wait until nobody holds the lock; ``False`` if somebody still does."""
    end = time.monotonic() + seconds
    while is_held(path):
        if time.monotonic() >= end:
            return False
        time.sleep(_PAUSE)
    return True


def signal_holder(pid: int, lock: Path, number: signal.Signals) -> bool:
    """Signal process ``pid`` only if it has ``lock`` open: a recycled pid is a stranger's.

    Returns whether it was signalled. Linux: the pid is pinned before it is checked.
    """
    if not hasattr(os, "pidfd_open"):
        return _holds(pid, lock) and _kill(pid, number)
    try:
        pinned = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        if not _holds(pid, lock):
            return False
        signal.pidfd_send_signal(pinned, number)
    except ProcessLookupError:
        return False
    finally:
        os.close(pinned)
    return True


def _kill(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def _holds(pid: int, lock: Path) -> bool:
    listing = Path(f"/proc/{pid}/fd")
    if not Path("/proc/self/fd").is_dir():
        return _holds_by_lsof(pid, lock)
    try:
        wanted = lock.stat()
        return any(_same(entry, wanted) for entry in listing.iterdir())
    except OSError:
        return False


def _holds_by_lsof(pid: int, lock: Path) -> bool:
    program = shutil.which("lsof", path="/usr/sbin:/usr/bin:/bin")
    if program is None:
        return False
    command = [program, "-t", "--", str(lock)]
    try:
        answer = subprocess.run(  # noqa: S603 -- a fixed program and a path of our own
            command, capture_output=True, text=True, timeout=_LSOF_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return str(pid) in answer.stdout.split()


def _same(entry: Path, wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(entry.stat(), wanted)
    except OSError:
        return False


def _is_at(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False
