"""A code strategy's text, read without running it: what it declares, and what is wrong with it.

Nothing here imports, compiles or runs a strategy; that happens in a process of its own, on a
bot's machine. What is refused here is refused there once more, by other means.
"""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from runner.strategy.source_names import HOOKS
from runner.strategy.source_scope import look_around

LARGEST = 32 * 1024
"""Bytes of a source."""
LONGEST_LINE = 300
DEEPEST = 60
MOST_WARMUP = 5_000
MOST_PARAMETERS = 30
DECLARED: dict[str, Any] = {
    "market_type": "linear",
    "timeframe": None,
    "direction": "both",
    "sizing": None,
    "filters": [],
    "guards": [],
    "gates": [],
    "exits": [],
}
"""What the class declares in the words of the rules; ``None`` has to be there."""


@dataclass(frozen=True)
class SourceFault:
    """One thing to put right, and the line it stands in."""

    line: int
    message: str


@dataclass
class Reading:
    """What a source says; ``rules`` are empty where it has faults."""

    rules: dict[str, Any] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)
    faults: list[SourceFault] = field(default_factory=list)

    def fault(self, node: ast.AST, message: str) -> None:
        self.faults.append(SourceFault(getattr(node, "lineno", 1), message))


def read(text: Any) -> Reading:
    """The rules a source declares, or its faults in the order of their lines."""
    found = Reading()
    tree = _parsed(text, found)
    if tree is None:
        return found
    look_around(tree, found.fault)
    made = _class(tree, found)
    if made is not None:
        _hooks(made, found)
        rules = _declared(made, found)
        warmup = _warmup(made, found)
        params = _parameters(made, found)
        if not found.faults:
            code = {"source": text, "class": made.name, "warmup": warmup, "params": params}
            found.rules = {
                **rules,
                "combination": {"mode": "any"},
                "signals": [],
                "code": code,
            }
    found.faults.sort(key=lambda fault: fault.line)
    return found


# -- syntax ----------------------------------------------------------------------------------------


def _parsed(text: Any, found: Reading) -> ast.Module | None:
    if not isinstance(text, str) or not text.strip():
        found.faults.append(SourceFault(1, "Write a class that derives from Strategy."))
        return None
    if len(text.encode(errors="replace")) > LARGEST:
        message = f"A source has at most {LARGEST // 1024} KiB; shorten it."
        found.faults.append(SourceFault(1, message))
        return None
    for number, line in enumerate(text.splitlines(), 1):
        if len(line) > LONGEST_LINE:
            message = f"A line has at most {LONGEST_LINE} characters; break it."
            found.faults.append(SourceFault(number, message))
            return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(text)
    except SyntaxError as error:
        found.faults.append(SourceFault(error.lineno or 1, f"This is no Python: {error.msg}."))
        return None
    except (ValueError, MemoryError, RecursionError):
        found.faults.append(SourceFault(1, "This cannot be read; it may be nested too deeply."))
        return None
    deep = _too_deep(tree)
    if deep is not None:
        found.fault(deep, "This is nested too deeply; split it up.")
        return None
    return tree


def _too_deep(tree: ast.Module) -> ast.AST | None:
    waiting: list[tuple[ast.AST, int, ast.AST]] = [(tree, 0, tree)]
    while waiting:
        node, depth, placed = waiting.pop()
        placed = node if hasattr(node, "lineno") else placed
        if depth > DEEPEST:
            return placed
        waiting += [(child, depth + 1, placed) for child in ast.iter_child_nodes(node)]
    return None


# -- the class -------------------------------------------------------------------------------------


def _class(tree: ast.Module, found: Reading) -> ast.ClassDef | None:
    made = [
        node
        for node in tree.body
        if isinstance(node, ast.ClassDef)
        and any(isinstance(base, ast.Name) and base.id == "Strategy" for base in node.bases)
    ]
    if len(made) == 1:
        if len(made[0].bases) > 1 or made[0].keywords or made[0].decorator_list:
            found.fault(made[0], "Write it plainly: class Name(Strategy), without anything else.")
        return made[0]
    if made:
        found.fault(made[1], "One strategy a source; move the second class to a source of its own.")
    else:
        text = "Write one class that derives from Strategy, imported from plutarc."
        found.faults.append(SourceFault(1, text))
    return None


def _hooks(made: ast.ClassDef, found: Reading) -> None:
    methods = {node.name: node for node in made.body if isinstance(node, ast.FunctionDef)}
    if "on_candle" not in methods:
        found.fault(made, f"{made.name} needs the hook on_candle(self, candle).")
    if "__init__" in methods:
        found.fault(methods["__init__"], "Prepare in on_start(self); __init__ is not called.")
    for name, method in methods.items():
        if name in HOOKS:
            _hook(method, HOOKS[name], found)
        elif name.startswith("on_"):
            have = ", ".join(HOOKS)
            found.fault(method, f"There is no hook {name}; a strategy has {have}.")


def _hook(method: ast.FunctionDef, wanted: tuple[str, ...], found: Reading) -> None:
    given = method.args
    plain = not (given.vararg or given.kwarg or given.kwonlyargs or given.defaults)
    count = len(given.args) + len(given.posonlyargs)
    if not plain or count != len(wanted) or method.decorator_list:
        found.fault(method, f"Write it as def {method.name}({', '.join(wanted)}).")
    inner = [node for node in ast.walk(method) if isinstance(node, ast.Yield | ast.YieldFrom)]
    if inner:
        found.fault(inner[0], f"{method.name} answers at once; leave yield out.")


def _assigned(made: ast.ClassDef) -> Iterator[tuple[str, ast.stmt, ast.expr]]:
    for node in made.body:
        if isinstance(node, ast.Assign) and len(node.targets) == 1:
            target, value = node.targets[0], node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            target, value = node.target, node.value
        else:
            continue
        if isinstance(target, ast.Name):
            yield target.id, node, value


def _literals(made: ast.ClassDef, names: set[str], found: Reading) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, node, value in _assigned(made):
        if name not in names:
            continue
        found.lines[name] = node.lineno
        try:
            values[name] = ast.literal_eval(value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            found.fault(node, f"{name}: write the value itself, nothing that has to be worked out.")
    return values


def _declared(made: ast.ClassDef, found: Reading) -> dict[str, Any]:
    given = _literals(made, set(DECLARED), found)
    for name, default in DECLARED.items():
        if name not in found.lines and default is None:
            found.fault(made, f"{made.name} has to declare {name}.")
    return {name: given.get(name, default) for name, default in DECLARED.items()}


def _warmup(made: ast.ClassDef, found: Reading) -> int:
    warmup = _literals(made, {"warmup"}, found).get("warmup", 100)
    if isinstance(warmup, int) and not isinstance(warmup, bool) and 2 <= warmup <= MOST_WARMUP:
        return warmup
    found.faults.append(
        SourceFault(found.lines["warmup"], f"warmup: from 2 to {MOST_WARMUP} candles.")
    )
    return 2


def _parameters(made: ast.ClassDef, found: Reading) -> dict[str, Any]:
    """Name to value of ``parameters``, each ``name: (default, lowest, highest)``."""
    given = _literals(made, {"parameters"}, found).get("parameters", {})
    line = found.lines.get("parameters", made.lineno)
    if not isinstance(given, dict) or len(given) > MOST_PARAMETERS:
        text = f"parameters: a dict of at most {MOST_PARAMETERS}, name to (default, low, high)."
        found.faults.append(SourceFault(line, text))
        return {}
    for name, value in given.items():
        if not isinstance(name, str) or not name.isidentifier() or not _is_range(value):
            text = f"parameters: {name!r} must be a name with (default, low, high), low ≤ default."
            found.faults.append(SourceFault(line, text))
    return {} if found.faults else {name: value[0] for name, value in given.items()}


def _is_range(value: Any) -> bool:
    if not isinstance(value, tuple) or len(value) != 3:
        return False
    if any(isinstance(it, bool) or not isinstance(it, int | float) for it in value):
        return False
    return bool(value[1] <= value[0] <= value[2]) and abs(value[0]) < 1e15
