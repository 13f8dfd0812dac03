"""Every bad input and fault that is foreseen: behaviour, a sentence in the code, and tests."""

import ast
import csv
from pathlib import Path

from runner.exchange.quirks.catalog import VENUES
from tests.shape import source

LIST, DOCS = Path(__file__).with_name("faults.csv"), source.ROOT / "docs" / "faults.md"
WANTED = (
    *("wrong key", "expired key", "address-bound", "withdrawal-enabled", "other environment"),
    *("delisted", "precision", "minimum", "insufficient margin", "maintenance", "418 and 429"),
    *("403", "partial outage", "disk full", "unreachable for an hour"),
)


def listed():
    with LIST.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def table():
    """The list as the docs have it."""
    lines = [
        f"| {it['fault']} | {it['venues']} | {it['behaviour']} | {said(it)} |" for it in listed()
    ]
    head = "| Fault | At | What the bot does | What the user reads |\n| --- | --- | --- | --- |"
    return "\n".join([head, *lines])


def said(row):
    return f"“{row['sentence'].strip(' :(')}”"


def texts(tree):
    """Every text in a module, the fixed parts of those with holes included."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def test_all_that_must_be_foreseen_is_there():
    faults = [row["fault"] for row in listed()]
    assert not [it for it in WANTED if not any(it in fault for fault in faults)]
    assert {venue for row in listed() for venue in row["venues"].split()} == set(VENUES)
    assert all(row["behaviour"].endswith(".") for row in listed())


def test_every_sentence_stands_in_the_code():
    trees = {source.name(path): tree for path, tree in source.python("app", "runner")}
    for row in listed():
        found = any(row["sentence"] in text for text in texts(trees[row["where"]]))
        assert found, f"{row['fault']}: {row['where']} does not say {row['sentence']!r}"


def test_every_test_that_is_named_exists():
    trees = {source.name(path): tree for path, tree in source.python("tests")}
    for row in listed():
        assert row["tests"], row["fault"]
        for node in row["tests"].split():
            path, _, name = node.partition("::")
            found = [f.name for f in source.functions(trees[path])] if path in trees else []
            assert name in found, f"{row['fault']} names {node}, which is not there"


def test_the_docs_have_the_list():
    assert table() in DOCS.read_text(), f"Put this into {DOCS.name}:\n\n{table()}"
