"""The list of invariants: everything it names is there, and nothing is claimed without proof."""

import subprocess
from collections import Counter

import pytest

from tests.mutants.invariants import ROOT, listed
from tests.shape import source

INVARIANTS = listed()


def test_each_is_stated_once():
    assert [name for name, n in Counter(it.id for it in INVARIANTS).items() if n > 1] == []
    assert all(it.statement for it in INVARIANTS)


def test_each_has_tests_and_a_mutant_or_says_why_it_is_open():
    faults = [it.id for it in INVARIANTS if bool(it.tests and it.mutant) == bool(it.open)]
    assert not faults, f"name tests and a mutant, or say in `open` what is missing: {faults}"
    assert not [it.id for it in INVARIANTS if bool(it.tests) != bool(it.mutant)]


def test_each_test_that_is_named_exists():
    trees = {source.name(path): tree for path, tree in source.python("tests")}
    for it in INVARIANTS:
        for node in it.tests:
            path, _, name = node.partition("::")
            found = [f.name for f in source.functions(trees[path])] if path in trees else []
            assert name in found, f"{it.id} names {node}, which is not there"


def test_each_mutant_belongs_to_an_invariant():
    kept = {source.name(path) for path in (ROOT / "tests" / "mutants").glob("*.patch")}
    assert kept == {it.mutant for it in INVARIANTS if it.mutant}


@pytest.mark.parametrize("mutant", [it.mutant for it in INVARIANTS if it.mutant])
def test_each_mutant_still_fits_the_code(mutant):
    """It breaks product code alone. Where the code has moved on, the break is drawn anew."""
    targets = [line[6:] for line in (ROOT / mutant).read_text().splitlines() if line[:4] == "+++ "]
    assert all(target.startswith(("app/", "runner/", "templates/")) for target in targets)
    done = subprocess.run(
        ["git", "apply", "--check", mutant], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
