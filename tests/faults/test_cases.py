"""The forty fault cases: each is played by at least one test, here or where it stands better."""

import csv
from pathlib import Path

from tests.shape import source

CASES = Path(__file__).with_name("cases.csv")


def listed():
    with CASES.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_all_forty_are_there_in_order():
    assert [row["case"] for row in listed()] == [f"C{number}" for number in range(1, 41)]
    assert all(row["what"] and row["tests"].split() for row in listed())


def test_each_test_that_is_named_exists():
    trees = {source.name(path): tree for path, tree in source.python("tests")}
    for row in listed():
        for node in row["tests"].split():
            path, _, name = node.partition("::")
            found = [f.name for f in source.functions(trees[path])] if path in trees else []
            assert name in found, f"{row['case']} names {node}, which is not there"


def test_each_test_here_is_listed_under_its_case():
    named = {node: row["case"] for row in listed() for node in row["tests"].split()}
    for path, tree in source.python("tests/faults"):
        for function in source.functions(tree):
            if function.name.startswith("test_c") and path.name != Path(__file__).name:
                node = f"{source.name(path)}::{function.name}"
                assert node in named, f"{node} belongs to no case"
                assert named[node].lower() in function.name.split("_")
