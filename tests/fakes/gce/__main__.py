"""A fake cloud as a program of its own; prints its address, ends at SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import importlib
import json
import signal
import threading
from typing import Any

from tests.fakes.gce import Cloud


def _hook(name: str) -> Any:
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute) if name else None


def main() -> None:
    ask = argparse.ArgumentParser(prog="python -m tests.fakes.gce")
    ask.add_argument("--port", type=int, default=0)
    ask.add_argument("--state", help="an SQLite file that survives this process")
    ask.add_argument("--clock", choices=("real", "virtual"), default="real")
    ask.add_argument("--seed", type=int, default=1)
    ask.add_argument("--behaviour", type=json.loads, default={}, help="JSON, see behaviour.py")
    ask.add_argument("--boot", default="", help="module:callable, called with an instance")
    ask.add_argument("--halt", default="", help="module:callable, called with what boot gave")
    given = ask.parse_args()
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: done.set())
    hooks = {"boot": _hook(given.boot), "halt": _hook(given.halt)}
    cloud = Cloud(
        given.state, clock=given.clock, seed=given.seed, port=given.port, **hooks, **given.behaviour
    )
    with cloud:
        print(cloud.url, flush=True)
        done.wait()


if __name__ == "__main__":
    main()
