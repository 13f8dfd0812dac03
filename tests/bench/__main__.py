"""``python -m tests.bench``: measure all there is to measure, write it down by commit."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.bench import (
    backtests,
    bills,
    bots,
    decisions,
    machine,
    orders,
    pages,
    planner,
    results_pages,
    rush,
    venues,
)
from tests.bench.report import Section, page

RESULTS = machine.ROOT / "docs" / "results"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--fast", action="store_true", help="a check in minutes")
    parser.add_argument("--only", type=_names, help="some parts alone, with commas between them")
    parser.add_argument("--out", type=Path, help="the file to write (docs/results/bench-COMMIT.md)")
    return parser.parse_args()


def _names(text: str) -> list[str]:
    """The parts that are named."""
    names = text.split(",")
    unknown = set(names) - set(_parts(fast=True))
    if unknown:
        raise argparse.ArgumentTypeError(f"there is no part {', '.join(sorted(unknown))}")
    return names


def main() -> int:
    """Measure, print and write; the exit status does not judge."""
    options, began = _arguments(), datetime.now(UTC)
    commit, dirty = machine.git("rev-parse", "--short", "HEAD"), _dirty()
    facts = [("Commit", f"`{commit}`" + (" with changes that are not committed" if dirty else ""))]
    facts += [("Begun", f"{began:%Y-%m-%d %H:%M} UTC"), *machine.describe()]
    if options.fast:
        facts.append(
            ("Short mode", "memory after 30 s instead of 5 minutes, fewer bots and rounds")
        )
    out = options.out or RESULTS / f"bench-{commit}{'-fast' if options.fast else ''}.md"
    loads, sections = [machine.load()], []
    for name, part in _parts(fast=options.fast).items():
        if options.only is None or name in options.only:
            print(f"{name} ...", file=sys.stderr, flush=True)
            sections.append(part())
            loads.append(machine.load())
            # After each part: a run that is broken off keeps what it has.
            text = _write(out, commit, [*facts, _load(loads)], sections)
    print(text)
    print(f"Written to {out}.", file=sys.stderr)
    return 0


def _load(loads: list[float]) -> tuple[str, str]:
    told = ", ".join(f"{value:.1f}" for value in loads)
    return "Load average", f"{told} (before, and after each part)"


def _write(out: Path, commit: str, facts: list[tuple[str, str]], sections: list[Section]) -> str:
    text = page(f"Benchmark at {commit}", facts, sections)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text)
    return text


def _parts(*, fast: bool) -> dict[str, Callable[[], Section]]:
    if fast:
        return {
            "runner": lambda: bots.measure(bots.Pace(starts=1, seconds=30)),
            "orders": lambda: orders.measure(orders.Pace(rounds=150, journal=500)),
            "pages": lambda: pages.measure(10, 100, rounds=20),
            "planner": lambda: planner.measure((1_000, 10_000), rounds=100),
            "bills": lambda: bills.measure(100, rounds=3),
            "results": lambda: results_pages.measure(5_000, rounds=3),
            "rush": lambda: rush.measure(rush.Rush(60, 8)),
            "backtests": lambda: backtests.measure(backtests.Plan(50_000, runs=1, peers=False)),
            "decisions": lambda: decisions.measure(2_000),
            "venues": lambda: venues.measure(1),
        }
    return {
        "runner": lambda: bots.measure(bots.Pace(starts=5, seconds=300)),
        "orders": lambda: orders.measure(orders.Pace(rounds=2_000, journal=10_000)),
        "pages": lambda: pages.measure(10, 1_000, rounds=40),
        "planner": lambda: planner.measure((1_000, 10_000, 100_000), rounds=200),
        "bills": lambda: bills.measure(500, rounds=9),
        "results": lambda: results_pages.measure(50_000, rounds=9),
        "rush": lambda: rush.measure(rush.Rush(1_000, 8)),
        "backtests": lambda: backtests.measure(backtests.Plan(525_600, runs=5)),
        "decisions": lambda: decisions.measure(20_000),
        "venues": lambda: venues.measure(5),
    }


def _dirty() -> bool:
    return bool(machine.git("status", "--porcelain", "--untracked-files=no"))


if __name__ == "__main__":
    sys.exit(main())
