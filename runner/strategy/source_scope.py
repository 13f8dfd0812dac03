"""What a code strategy must not name: imports, names and attributes that lead out of it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator

from runner.strategy.source_names import BUILTINS, DUNDERS, INNER, MODULES

Tell = Callable[[ast.AST, str], None]
"""Takes a fault: where it is, and what to do."""


def look_around(tree: ast.Module, fault: Tell) -> None:
    """Imports, names and attributes that have no place in a strategy."""
    known = {*BUILTINS, "__name__"} | _bound(tree)
    for node in ast.walk(tree):
        match node:
            case ast.Import() | ast.ImportFrom():
                _import(node, fault)
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                fault(node, "A strategy waits for nothing; leave async and await out.")
            case ast.Global() | ast.Nonlocal():
                fault(node, "Keep what lasts in self.state, not in global or nonlocal names.")
            case ast.Attribute(attr=name) if _is_inner(name):
                fault(node, f"{name} leads out of the strategy; leave it out.")
            case ast.Name(id=name) if name not in known or _is_inner(name):
                fault(node, f"There is no {name} here: neither defined nor available.")
            case ast.FunctionDef(name=name) if _is_inner(name) and name not in DUNDERS:
                fault(node, f"{name} cannot be defined here; leave it out.")
            case ast.MatchClass(kwd_attrs=names) if any(map(_is_inner, names)):
                fault(node, "This pattern leads out of the strategy; leave it out.")


def _is_inner(name: str) -> bool:
    dunder = name.startswith("__") and name.endswith("__") and name != "__name__"
    return name in INNER or dunder


def _import(node: ast.Import | ast.ImportFrom, fault: Tell) -> None:
    if isinstance(node, ast.Import):
        for item in node.names:
            if item.name not in MODULES:
                fault(node, _no_module(item.name))
        return
    module = node.module or ""
    if node.level or module not in MODULES:
        fault(node, _no_module("." * node.level + module))
        return
    for item in node.names:
        if item.name not in MODULES[module]:
            what = "everything" if item.name == "*" else item.name
            have = ", ".join(MODULES[module][:8])
            fault(node, f"{module} offers no {what} here. It has {have}, and so on.")


def _no_module(name: str) -> str:
    have = ", ".join(name for name in MODULES if name != "__future__")
    return f"{name} cannot be imported; a strategy has {have}."


def _bound(tree: ast.Module) -> set[str]:
    """Every name that is given a meaning anywhere; where exactly, Python will tell when it runs."""
    return set(_bindings(tree))


def _bindings(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.arg(arg=name):
                yield name
            case ast.alias(name=name, asname=other):
                yield other or name.partition(".")[0]
            case ast.ExceptHandler(name=str(name)):
                yield name
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
