"""The files of the house, as the shape tests look at them."""

import ast
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (".py", ".html", ".css", ".js", ".md", ".toml", ".in", ".txt", ".json", ".csv", "")
ROOMS = ("app", "runner", "templates", "static", "tests", "docs", ".ci")


@cache
def python(*rooms):
    """Every module of these rooms with its syntax tree; migrations are drawn by a tool."""
    found = (path for room in rooms for path in sorted((ROOT / room).rglob("*.py")))
    return tuple(
        (path, ast.parse(path.read_text())) for path in found if "migrations" not in path.parts
    )


@cache
def texts():
    """Every file a person wrote, with its text."""
    inside = (path for room in ROOMS for path in (ROOT / room).rglob("*"))
    found = [*inside, *ROOT.glob("[!.]*.*"), ROOT / "Makefile", ROOT / "Procfile"]
    return tuple(
        (path, path.read_text())
        for path in found
        if path.is_file()
        and path.suffix in TEXT
        and not {"vendor", "__pycache__", "fonts"} & set(path.parts)
    )


def files(room, suffix):
    """The files of one kind that were written here."""
    found = sorted((ROOT / room).rglob(f"*{suffix}"))
    return [path for path in found if "vendor" not in path.parts]


def name(path):
    return str(path.relative_to(ROOT))


def functions(tree):
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(tree) if isinstance(node, kinds)]


def lines(node):
    """How long a function is without its decorators and without what explains it."""
    first = node.body[0]
    explained = ast.get_docstring(node) is not None
    spared = first.end_lineno - first.lineno + 1 if explained else 0
    return node.end_lineno - node.lineno + 1 - spared
