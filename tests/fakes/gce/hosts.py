"""Runs the boot and halt hooks of instances: in order for one instance, beside each other else."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any


class Hosts:
    """What runs behind the instances, by their numeric ids."""

    def __init__(
        self, boot: Callable[[dict[str, Any]], Any] | None, halt: Callable[[Any], None] | None
    ) -> None:
        self._boot, self._halt = boot, halt
        self._handles: dict[str, Any] = {}
        self._last: dict[str, Future[None]] = {}
        self._lock = threading.Lock()
        self._pool = ThreadPoolExecutor(32, "gce-host")
        self.problems: list[str] = []

    def start(self, instance: dict[str, Any]) -> None:
        if self._boot is not None:
            self._queue(instance["id"], self._start, instance)

    def stop(self, number: str) -> None:
        if self._boot is not None:
            self._queue(number, self._stop, number)

    def idle(self, number: str) -> bool:
        """Whether nothing is under way for this instance."""
        with self._lock:
            last = self._last.get(number)
        return last is None or last.done()

    def console(self, number: str) -> str | None:
        """What the handle has to show, if it shows anything."""
        show = getattr(self._handles.get(number), "console", None)
        return None if show is None else str(show())

    def wait(self) -> None:
        """Until every hook that was asked for has returned."""
        with self._lock:
            running = [future for future in self._last.values() if not future.done()]
        if running:
            wait(running)

    def close(self) -> None:
        """End everything that was started."""
        for number in list(self._handles):
            self.stop(number)
        self.wait()
        self._pool.shutdown()

    def _queue(self, number: str, verb: Callable[[Any], None], argument: Any) -> None:
        with self._lock:
            before = self._last.get(number)
            self._last[number] = self._pool.submit(self._after, before, verb, argument)

    def _after(
        self, before: Future[None] | None, verb: Callable[[Any], None], argument: Any
    ) -> None:
        if before is not None:
            wait([before])
        try:
            verb(argument)
        except Exception:  # noqa: BLE001 -- a hook's fault is the test's to see
            self.problems.append(traceback.format_exc())

    def _start(self, instance: dict[str, Any]) -> None:
        assert self._boot is not None
        self._handles[instance["id"]] = self._boot(instance)

    def _stop(self, number: str) -> None:
        handle = self._handles.pop(number, None)
        if handle is not None and self._halt is not None:
            self._halt(handle)
