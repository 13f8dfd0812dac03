"""The list of invariants: what each says, what proves it, what breaks it, or why neither."""

import csv
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIST = ROOT / "tests" / "invariants.csv"


@dataclass(frozen=True)
class Invariant:
    """One row; ``open`` says why it is not proven yet."""

    id: str
    statement: str
    tests: tuple[str, ...]
    mutant: str
    open: str


def listed():
    """All invariants in the order of the list."""
    with LIST.open(newline="", encoding="utf-8") as file:
        return [
            Invariant(**row | {"tests": tuple(row["tests"].split())})
            for row in csv.DictReader(file)
        ]
