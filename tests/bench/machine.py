"""Where a benchmark runs: the machine, its load, the commit; memory and time of a process."""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_TICKS = os.sysconf("SC_CLK_TCK")
NAMED = ("flask", "jinja2", "sqlalchemy", "rq", "ccxt", "aiohttp")


@dataclass(frozen=True)
class Usage:
    """What a process takes: resident memory in MB, and processor seconds since its birth."""

    rss_mb: float
    cpu_seconds: float


def usage(pid: int) -> Usage:
    """A process with all its threads and children, as Linux counts them."""
    pids = [pid, *_children(pid)]
    return Usage(sum(map(_rss_mb, pids)), sum(map(_cpu_seconds, pids)))


def load() -> float:
    """The load average of the last minute."""
    return os.getloadavg()[0]


def git(*arguments: str) -> str:
    """What git says about this checkout."""
    told = subprocess.run(
        ["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30
    )
    return told.stdout.strip()


def describe() -> list[tuple[str, str]]:
    """The machine and what runs on it, as label and value."""
    memory = int(Path("/proc/meminfo").read_text().split()[1]) / 1024**2
    names = ", ".join(f"{name} {version(name)}" for name in NAMED)
    return [
        ("Machine", f"{_processor()}, {os.cpu_count()} cores, {memory:.0f} GB of memory"),
        ("System", f"Linux {platform.release()}, CPython {platform.python_version()}"),
        ("Versions", names),
    ]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())


def _children(pid: int) -> list[int]:
    found = [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]
    return [*found, *(grandchild for child in found for grandchild in _children(child))]


def _rss_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))


def _cpu_seconds(pid: int) -> float:
    # After the name, which may hold spaces: fields 14 and 15 of proc(5) are user and system time.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS
