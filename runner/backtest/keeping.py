"""How much of what a walk-forward found in sample was kept out of sample."""

from collections.abc import Sequence
from math import sqrt
from statistics import fmean, stdev

from runner.metrics import Figure

WEAK = 50
NEAR_ZERO = 0.001
"""Percent a day: a third of a percent a year is nothing that a search found."""


def efficiency(inside: Sequence[float], outside: Sequence[float]) -> tuple[float | None, str]:
    """How much of the return a day was kept, in percent; else why that cannot be said.

    A share of about nothing is any number at all, however little was earned afterwards.
    """
    if not inside or not outside:
        return None, "No window has a return."
    mean, later = fmean(inside), fmean(outside)
    if mean <= 0:
        return None, "In sample nothing was earned, so there is nothing to compare with."
    error = stdev(inside) / sqrt(len(inside)) if len(inside) > 1 else 0.0
    if mean <= max(error, NEAR_ZERO):
        return None, (
            f"Not meaningful: in sample {mean:.2g} % a day were earned, give or take {error:.2g} % "
            "from window to window. That is about zero, and a share of it says nothing."
        )
    return 100 * later / mean, ""


def kept_little(kept: dict[str, Figure]) -> list[tuple[str, str]]:
    """What the share that was kept gives to think about."""
    share, inside = kept["efficiency"].value, kept["daily_in"].value
    if share is None and inside is not None and inside > 0:
        text = "The walk-forward efficiency is not meaningful: in sample about zero was earned."
        return [("about_zero", text)]
    if share is None:
        return [("no_edge", "Even the best combinations earned nothing in sample.")]
    if share >= WEAK:
        return []
    if share <= 0:
        return [("weak", "What earned in sample earned nothing out of sample.")]
    return [("weak", f"Out of sample {share:.0f} % of the return a day in sample is left.")]
