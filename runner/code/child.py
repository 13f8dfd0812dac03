"""The process that runs a strategy: questions on one pipe, answers on another, nothing else.

It is started with an empty environment and no descriptor but its pipes, loads all it may ever
need, shuts itself in, and only then reads the strategy's text.
"""

from __future__ import annotations

import builtins
import faulthandler
import gc
import importlib
import json
import os
import signal
import sys
import traceback
from datetime import UTC, datetime
from types import ModuleType
from typing import Any

from runner.code import api, cage
from runner.strategy.source_names import BUILTINS, MODULES

FILE = "<strategy>"
_RECURSION = 400
_MOST_TEXT = 300


def main() -> None:
    """Answer until the other end closes its pipe."""
    modules = _modules()
    faulthandler.register(signal.SIGUSR1, file=sys.stderr, all_threads=False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setrecursionlimit(_RECURSION)
    json.loads(json.dumps({"a": [1.5]}, sort_keys=True, allow_nan=False))
    _failure("", ValueError())  # what tells of a fault has to be loaded before the door shuts
    try:
        cage.close()
    except OSError as error:
        _write({"ok": False, "line": None, "text": str(error), "fatal": True})
        return
    gc.collect()
    _write({"ok": True})
    at_work = _Work(modules)
    for line in sys.stdin.buffer:
        _write(at_work.answer(json.loads(line)))
    os._exit(0)


class _Work:
    def __init__(self, modules: dict[str, ModuleType]) -> None:
        self._modules = modules
        self._strategy: Any = None

    def answer(self, question: dict[str, Any]) -> dict[str, Any]:
        hook = str(question["hook"])
        try:
            return self._done(hook, question)
        except BaseException as error:  # noqa: BLE001 - whatever a strategy raises is told
            said = _failure(hook, error)
            if hook != "on_start" and self._strategy is not None:
                self._strategy.forget_()
            return said

    def _done(self, hook: str, question: dict[str, Any]) -> dict[str, Any]:
        if hook == "on_start":
            return self._start(question)
        strategy = self._strategy
        strategy.prepare_()
        held = question.get("position")
        strategy.position = None if held is None else _position(held)
        if hook == "on_candle":
            strategy.on_candle(strategy.read_(question["candle"]))
        elif hook == "on_fill":
            strategy.on_fill(_fill(question["fill"]))
        elif hook == "on_stop":
            strategy.on_stop()
        answer: dict[str, Any] = strategy.answer_()
        return answer

    def _start(self, start: dict[str, Any]) -> dict[str, Any]:
        strategy: Any = self._made(start)()
        strategy.begin_(start)
        strategy.on_start()
        for row in start["history"]:
            strategy.read_(row)
        self._strategy = strategy
        answer: dict[str, Any] = strategy.answer_()
        return answer

    def _made(self, start: dict[str, Any]) -> Any:
        """The strategy's class, in a module of its own with few names around it."""
        module = ModuleType("strategy")
        given = {name: getattr(builtins, name) for name in BUILTINS if hasattr(builtins, name)}
        given |= {"__build_class__": builtins.__build_class__, "__import__": self._import}
        given["print"] = self._print
        module.__dict__["__builtins__"] = given
        sys.modules["strategy"] = module
        text = compile(start["source"], FILE, "exec", dont_inherit=True)
        exec(text, module.__dict__)  # noqa: S102 - this process exists for it, shut in as it is
        return module.__dict__[start["class"]]

    def _import(self, name: str, *rest: Any) -> ModuleType:
        if name not in self._modules or (len(rest) > 3 and rest[3]):
            raise ImportError(f"{name} cannot be imported by a strategy")
        return self._modules[name]

    def _print(self, *values: object, **_: object) -> None:
        if self._strategy is not None:
            self._strategy.print(*values)


def _modules() -> dict[str, ModuleType]:
    """What may be imported: modules of these names that hold their public names, no more."""
    found = {}
    for name, public in MODULES.items():
        real = None if name == "plutarc" else importlib.import_module(name)
        held = api.names() if real is None else {it: getattr(real, it) for it in public}
        found[name] = ModuleType(name)
        found[name].__dict__.update(held)
    return found


def _position(row: list[Any]) -> api.Position:
    side, price, candles, opened, stop = row
    moment = None if opened is None else datetime.fromtimestamp(opened, UTC)
    return api.Position("long" if side > 0 else "short", price, candles, moment, stop)


def _fill(row: list[Any]) -> api.Fill:
    at, side, price, quantity, fee = row
    return api.Fill(datetime.fromtimestamp(at, UTC), side, price, quantity, fee)


def _failure(hook: str, error: BaseException) -> dict[str, Any]:
    """Which hook failed, in which line of the strategy, and how."""
    try:
        walked = traceback.walk_tb(error.__traceback__)
        lines = [number for frame, number in walked if frame.f_code.co_filename == FILE]
        line = lines[-1] if lines else getattr(error, "lineno", None)
        text = f"{type(error).__name__}: {error}"[:_MOST_TEXT]
    except BaseException:  # noqa: BLE001 - an exception may be of the strategy's own making
        line, text = None, "an exception that cannot be told"
    return {"ok": False, "hook": hook, "line": line, "text": text}


def _write(answer: dict[str, Any]) -> None:
    sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
    sys.stdout.buffer.flush()
