"""The result of a soak as a page of ``docs/results/``."""

from dataclasses import dataclass, field

from tests.soak import tally


@dataclass
class Outcome:
    """What a soak was given, what befell it, and what was wrong at its end."""

    seed: int
    minutes: float
    bots: int
    started: str
    kills: dict = field(default_factory=dict)
    faults: dict = field(default_factory=dict)
    presses: dict = field(default_factory=dict)
    runners: int = 0
    looks: int = 0
    settled: float = 0.0
    differences: list = field(default_factory=list)


def page(outcome, bots, endings, name):
    """The page, line by line."""
    verdict = "differences, see below" if outcome.differences else "no difference"
    sums = tally.total(bots)
    return [
        f"# Soak of {name}: {verdict}",
        "",
        f"{outcome.bots} bots for {outcome.minutes:g} minutes from {outcome.started}:",
        f"`make soak MINUTES={outcome.minutes:g} BOTS={outcome.bots} SEED={outcome.seed}`.",
        "",
        "| happened | times |",
        "|---|---|",
        *_counts("killed", outcome.kills),
        *_counts("fault set:", outcome.faults),
        *_counts("pressed", outcome.presses),
        *_counts("machine ended:", endings),
        f"| machines made (bots woken or replaced) | {sums['machines']} |",
        f"| runner processes seen, in {outcome.looks:,} looks | {outcome.runners} |",
        f"| orders on the platform | {sums['platform orders']} |",
        f"| fills on the platform | {sums['platform fills']} |",
        f"| closed trades on the platform | {sums['trades']} |",
        "",
        f"From the last fault until every bot had traded again and slept: {outcome.settled:.0f} s.",
        "",
        "## Ledgers",
        "",
        "Quantity in base units, fees in USDT. Paper bots have no venue but their own disk. A disk",
        "dies with its machine when a paper fill was never told; the next one goes on without it.",
        "",
        "| bot | ledger | orders | fills | quantity | fees |",
        "|---|---|---|---|---|---|",
        *(line for bot in bots for line in _ledgers(bot)),
        "",
        "## Differences",
        "",
        *(f"- {difference}" for difference in outcome.differences or ["none"]),
    ]


def _counts(what, counter):
    return [f"| {what} {name or 'without a reason'} | {n} |" for name, n in sorted(counter.items())]


def _ledgers(bot):
    ledgers = [("platform", bot.platform), ("disks", bot.disks)]
    if "testnet" in bot.name:
        ledgers.insert(1, ("venue", bot.venue))
    for number, (name, count) in enumerate(ledgers):
        title = bot.name if number == 0 else ""
        amounts = f"{count.quantity} | {count.fees}"
        yield f"| {title} | {name} | {len(count.orders)} | {len(count.fills)} | {amounts} |"
