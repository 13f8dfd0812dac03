"""The memory of jobs: a worker's parent, and the child that it forks for each job, from /proc."""

from __future__ import annotations

import os
import threading
from collections import defaultdict
from contextlib import suppress
from pathlib import Path
from typing import Self

EVERY = 0.05
"""Seconds between looks; a job lives that long, so enough of many are met."""


class Sampler:
    """Looks at the workers and their children again and again; keeps the largest values."""

    def __init__(self, workers: list[int]) -> None:
        self._workers = workers
        self._most: dict[str, float] = defaultdict(float)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def most(self) -> dict[str, float]:
        """In MB."""
        return dict(self._most)

    def _run(self) -> None:
        while not self._over.wait(EVERY):
            for worker in self._workers:
                # A child may end at any moment, and a worker may not be up yet.
                with suppress(OSError):
                    self._look(worker)

    def _look(self, worker: int) -> None:
        children = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
        for child in children:
            with suppress(OSError):
                memory = _rollup(int(child))
                self._keep("resident memory of a job's process", memory["Rss"])
                private = memory["Private_Clean"] + memory["Private_Dirty"]
                self._keep("of it private to the job", private)
        if not children:
            self._keep("resident memory of a worker between jobs", _rollup(worker)["Rss"])

    def _keep(self, name: str, value: float) -> None:
        self._most[name] = max(self._most[name], value)


def worked(pid: int) -> float:
    """Processor seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def _rollup(pid: int) -> dict[str, float]:
    """What smaps_rollup says, in MB."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    return {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}
