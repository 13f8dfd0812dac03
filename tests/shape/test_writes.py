"""Rows are changed by verbs, which write the event; nobody goes around them."""

import ast

from tests.shape import source

READERS = ("app/views", "app/forms", "app/web", "app/jobs")
WRITES = {"update", "delete", "insert"}


def test_only_the_domain_changes_rows_in_bulk():
    faults = [
        f"{source.name(path)}: {alias.name}"
        for path, tree in source.python(*READERS)
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("sqlalchemy")
        for alias in node.names
        if alias.name in WRITES
    ]
    assert not faults, "Make these a verb of the domain that writes an event:\n" + "\n".join(faults)
