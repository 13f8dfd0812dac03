"""From candles to entries: how far each one came, and what stopped the others.

One definition, for backtests and for bots. Counted are conclusions by their reason; what blocked
is the first component, limit or circumstance that stood against the entry, by its name.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from runner.step import Reason

__all__ = [
    "EXTERNAL",
    "EXTERNAL_ENTRIES",
    "MEANINGS",
    "SIGNALS",
    "STAGES",
    "Funnel",
    "Reason",
    "plain",
]

STAGES = {
    Reason.NOT_TRUE: "unfit",
    Reason.GAP: "unfit",
    Reason.BROKEN: "unfit",
    Reason.WARMING_UP: "warming_up",
    Reason.NO_SIGNAL: "no_signal",
    Reason.OTHER_SIDE: "other_side",
    Reason.FILTERED: "signals_blocked",
    Reason.BLOCKED: "signals_blocked",
    Reason.ENTERS: "entries",
    Reason.HOLDS: "held",
    Reason.LEAVES: "held",
}
"""Where a candle ends, by its reason."""
SIGNALS = ("other_side", "signals_blocked", "entries")
"""What becomes of a signal."""
EXTERNAL, EXTERNAL_ENTRIES = "external", "external_entries"
"""Signals from outside that were decided at once, beside the candles."""
MEANINGS = {
    "candles": "Closed candles that were judged, each once.",
    "unfit": "Candles whose numbers cannot be true, or before which others are missing.",
    "warming_up": "Candles on which a signal had not yet seen enough of them to speak.",
    "no_signal": "Candles without a position on which the signals asked for no side.",
    "held": "Candles on which a position was held: exits were asked, no entry was looked for.",
    "exits": "Candles with a position on which an exit fired.",
    "signals": "Candles without a position on which the signals asked for a side: "
    "entries, signals for a side that is not traded, and those that were blocked.",
    "other_side": "Signals for a side that the strategy does not trade.",
    "signals_blocked": "Signals stopped by a filter, guard or gate, by a limit, the venue's rules "
    "or a circumstance such as a pause. Each counts once, for what blocked it first.",
    "entries": "Signals that nothing stood against, so that an entry was decided.",
    EXTERNAL: "External signals that were judged at once, between two candles; not among the "
    "candles and signals above. What asked to close, or only counts from the next candle on, "
    "is not judged.",
    EXTERNAL_ENTRIES: "External signals on which an entry was decided at once; not among the "
    "entries above.",
    "filled": "Entries of which the venue filled at least a part, whoever asked for them.",
}
"""What each count means."""


@dataclass
class Funnel:
    """Counts of conclusions by reason and blocker; ``external``: of those beside the candles."""

    counts: Counter[tuple[int, str]] = field(default_factory=Counter)
    external: Counter[int] = field(default_factory=Counter)

    def add(self, code: int, blocker: str = "", count: int = 1) -> None:
        """So many candles more."""
        self.counts[code, blocker] += count

    def add_external(self, code: int, count: int = 1) -> None:
        """So many conclusions more that a signal from outside asked for."""
        self.external[code] += count

    def plain(self) -> dict[str, Any]:
        """All counts by name; ``blocked`` by what blocked, the most frequent first.

        Of signals from outside only where there were any: no backtest hears one.
        """
        found = dict.fromkeys(("candles", *_STAGES, "exits", "signals"), 0)
        blocked: Counter[str] = Counter()
        for (code, blocker), count in self.counts.items():
            stage = STAGES[Reason(code)]
            found["candles"] += count
            found[stage] += count
            found["exits"] += count if code == Reason.LEAVES else 0
            found["signals"] += count if stage in SIGNALS else 0
            if stage == "signals_blocked":
                blocked[blocker] += count
        ranked = sorted(blocked.items(), key=lambda it: (-it[1], it[0]))
        if self.external:
            found[EXTERNAL] = self.external.total()
            found[EXTERNAL_ENTRIES] = self.external[Reason.ENTERS]
        return {**found, "blocked": dict(ranked)}


_STAGES = tuple(dict.fromkeys(STAGES.values()))


def plain(reason: str) -> str:
    """What stood against an entry without its numbers, so that alike ones are one."""
    return " ".join("…" if any(c.isdigit() for c in word) else word for word in reason.split())
