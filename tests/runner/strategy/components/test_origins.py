"""Each component is used by a template, or somebody elsewhere asked for it or uses it."""

import csv
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.strategy import COMPONENTS, TEMPLATES

COLUMNS = ["kind", "peer", "what was asked or used", "address"]
NOBODY = {  # Why it is here although it has neither a template nor an origin.
    "funding_flip": "When funding changes its sign, peers' users trade against the crowd or only"
    " want to be told; none was found who goes with it. It is the counterpart of funding_fade."
}


def named(rules: object) -> Iterator[str]:
    """The kinds in rules, at whatever depth."""
    if isinstance(rules, dict):
        if isinstance(rules.get("kind"), str):
            yield rules["kind"]
        rules = list(rules.values())
    if isinstance(rules, list):
        for part in rules:
            yield from named(part)


def origins() -> list[dict[str, str]]:
    with Path("docs/component-origins.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file, strict=True))


ORIGINS = origins()
USED = {kind for template in TEMPLATES for kind in named(template.rules)}


@pytest.mark.parametrize("kind", COMPONENTS)
def test_somebody_wanted_it(kind):
    wanted = {row["kind"] for row in ORIGINS}
    ways = [kind in USED, kind in wanted, kind in NOBODY]
    assert ways.count(True) == 1


@pytest.mark.parametrize("row", ORIGINS, ids=lambda row: row["kind"])
def test_an_origin_is_whole(row):
    assert list(row) == COLUMNS
    assert all(isinstance(told, str) and told == told.strip() != "" for told in row.values())
    assert row["kind"] in COMPONENTS
    assert row["address"].startswith("https://")
    assert " " not in row["address"]


def test_an_origin_is_told_once():
    told = Counter(row["kind"] for row in ORIGINS)
    assert [kind for kind, times in told.items() if times > 1] == []


def test_what_nobody_asked_for_exists():
    assert set(NOBODY) <= set(COMPONENTS)
