"""The result of an order soak as a page of ``docs/results/``."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Outcome:
    """What a soak was given, what befell it, and what was wrong at its end."""

    seed: int
    wanted: int
    accounts: int
    orders_a_blow: int
    started: str = ""
    seconds: float = 0.0
    ordered: int = 0
    worked: dict = field(default_factory=dict)
    befell: dict = field(default_factory=dict)
    counts: Counter = field(default_factory=Counter)
    naked: list = field(default_factory=list)
    told_of_stops: int = 0
    differences: list = field(default_factory=list)

    @property
    def rate(self):
        """Orders a second until there were enough."""
        return self.ordered / self.seconds if self.seconds else 0.0


def page(outcome, name):
    """The page, line by line."""
    verdict = "differences, see below" if outcome.differences else "no difference"
    counts = outcome.counts
    command = (
        f"python -m tests.soak.orders ORDERS={outcome.wanted} ACCOUNTS={outcome.accounts} "
        f"BLOW={outcome.orders_a_blow} SEED={outcome.seed}"
    )
    return [
        f"# Order soak of {name}: {verdict}",
        "",
        f"{counts['orders on the platform']:,} orders of {outcome.accounts} bots,",
        f"from {outcome.started} in {outcome.seconds / 60:.1f} minutes,",
        f"{outcome.rate:.1f} a second until there were enough:",
        f"`{command}`.",
        "",
        "| happened | times |",
        "|---|---:|",
        *(f"| {what} | {count:,} |" for what, count in sorted(outcome.befell.items())),
        f"| machines | {counts['machines']:,} |",
        "",
        f"Processor time of an order, ms: {_worked(outcome)}.",
        "",
        "## Ledgers",
        "",
        "Fees in USDT. A stop that fired and the order it became are one. A disk also holds orders",
        "that never left it, and some that died with it before anyone was told.",
        "",
        "| ledger | orders | fills | fees |",
        "|---|---:|---:|---:|",
        _ledger("platform", "on the platform", counts),
        _ledger("venue", "at the venue", counts),
        f"| disks | {counts['orders on the disks']:,} |  |  |",
        "",
        "| kind of order | orders | | how it ended | orders |",
        "|---|---:|---|---|---:|",
        *_side_by_side(_named(counts, "kind "), _named(counts, "end ")),
        "",
        "## Stops",
        "",
        *_stops(outcome),
        "",
        "## Differences",
        "",
        *(f"- {difference}" for difference in outcome.differences or ["none"]),
    ]


def _worked(outcome):
    share = 1000 / max(outcome.ordered, 1)
    each = ", ".join(f"{name} {took * share:.1f}" for name, took in outcome.worked.items())
    return f"{sum(outcome.worked.values()) * share:.1f} ({each})"


def _ledger(title, where, counts):
    orders, fills = counts[f"orders {where}"], counts[f"fills {where}"]
    return f"| {title} | {orders:,} | {fills:,} | {counts[f'fees {where}']} |"


def _named(counts, prefix):
    found = {k.removeprefix(prefix): v for k, v in counts.items() if k.startswith(prefix)}
    return sorted(found.items(), key=lambda item: -item[1])


def _side_by_side(left, right):
    for number in range(max(len(left), len(right))):
        cells = [
            f"{it[number][0]} | {it[number][1]:,}" if number < len(it) else " | "
            for it in (left, right)
        ]
        yield f"| {cells[0]} | | {cells[1]} |"


def _stops(outcome):
    times = sorted(time.seconds for time in outcome.naked)
    if not times:
        return ["No position stood for a second or longer without a stop at the venue."]
    told = [
        f"{len(times)} times a position, or a part of one, stood for a second or longer without",
        f"a stop at the venue: {sum(times):.0f} s in all, {times[-1]:.1f} s at the longest.",
    ]
    return [*told, f"Compared with {outcome.told_of_stops:,} reports of what protects a position."]
