"""One measured backtest in a process of its own: a request in, what it took out."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

from runner.backtest.request import read
from runner.backtest.run import histories, instruments, simulate


def main() -> None:
    """Times are of the processor but for ``wall``; trades as seconds since the epoch."""
    request = read(json.load(sys.stdin))
    found, rules = histories(request), instruments(request)
    begun, looked = time.process_time(), time.perf_counter()
    result = simulate(request, found, rules, lambda *_: None)
    run, wall = time.process_time() - begun, time.perf_counter() - looked
    (log,) = result.logs.values()
    size = sum(len(chunk) for chunk in log.chunks())
    trades = [
        (int(t.closed.opened_at.timestamp()), int(t.closed.closed_at.timestamp()))
        for t in result.trades
    ]
    result.plain()
    told = {
        "run": run,
        "wall": wall,
        "whole": time.process_time(),
        "mb": _peak_mb(),
        "trades": trades,
        "log_bytes": size / len(log),
        "decided": len(log),
    }
    json.dump(told, sys.stdout)


def _peak_mb() -> float:
    """The most that was resident here; ``ru_maxrss`` begins with what the parent had."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1024


if __name__ == "__main__":
    main()
