"""What a fill on paper takes into account and what it does not, for the help page.

Its numbers are those of the venue in ``runner/exchange``; a test compares them.
"""

from typing import NamedTuple

BETTER, WORSE, EITHER = "better than live", "worse than live", "better or worse than live"


class Omission(NamedTuple):
    """Something a real venue does and paper does not, and how results differ for it."""

    what: str
    why: str
    looks: str


MODELLED = (
    "The venue's public book and tape, read after the decision: that takes what an order takes.",
    "A market order walks the levels that are shown and uses them up. It gets no more than that.",
    (
        "A limit order waits behind the size shown at its price. Trades there serve that queue "
        "first; a touch alone fills nothing. A trade through the price fills as much as was traded."
    ),
    "A stop fires on the last trade and then pays what the book asks, however far away that is.",
    "The venue's lot, tick, minimum, reduce-only and post-only rules, and its fees by role.",
    "Funding at the venue's times, by its rate, on the value at the mark.",
    (
        "Cross margin, as a live bot needs it: positions and resting entries are worth at most 20 "
        "times the equity, all of which stands behind them. Below 0.5 % of their value they are "
        "closed at the market."
    ),
    (
        "Each fill keeps three prices: the touch, the one booked, and the one with 50 % of the "
        "shown size gone, or for a limit served by the queue the price of crossing instead."
    ),
)

OMITTED = (
    Omission(
        "Your effect on the market",
        "Nobody reacts to your order or sees it rest. What you took is there again as soon as the "
        "level shows another size.",
        BETTER,
    ),
    Omission(
        "Stops while the bot is away",
        "The stop rests on the bot's machine. While there is none, nothing fires; at the next wake "
        "it pays what the market asks then.",
        EITHER,
    ),
    Omission(
        "What happens between two looks",
        "Book and tape are read every few seconds, and not streamed. A level that comes and goes "
        "in between was never there, and of more than 500 trades the oldest are missed.",
        EITHER,
    ),
    Omission(
        "Hidden size and better prices",
        "Iceberg orders and price improvement are not shown, so nothing is filled by them.",
        WORSE,
    ),
    Omission(
        "Who leaves the queue before you",
        "One ahead of yours that is cancelled counts only once less is shown than stood there.",
        WORSE,
    ),
    Omission(
        "An overloaded venue",
        "In the fastest markets real orders are late, refused or unanswered. Paper orders are not.",
        BETTER,
    ),
    Omission(
        "Rules beyond lot, tick and minimum",
        "Price bands, largest sizes, limits on open orders and on positions.",
        BETTER,
    ),
    Omission(
        "Margin by brackets",
        "One maintenance rate holds for all sizes; there is no liquidation fee and no "
        "auto-deleveraging. A loss beyond the account is the venue's.",
        BETTER,
    ),
    Omission(
        "Funding while asleep",
        "The rate is the one read within a minute of its time. Of times that pass while no machine "
        "is there, the last rate and mark known are used.",
        EITHER,
    ),
    Omission(
        "Your fee tier",
        "Fees are those the venue lists for everybody: no volume tier, discount or rebate.",
        WORSE,
    ),
    Omission(
        "Sizes beyond the book that is read",
        "100 levels are read. What they cannot fill of a market order is cancelled.",
        WORSE,
    ),
)
