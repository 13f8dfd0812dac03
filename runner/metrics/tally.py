"""The sums that trade figures are made of; a database can make them as well as a loop."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

from runner.metrics.facts import ClosedTrade


@dataclass(slots=True)
class Tally:
    """Sums over closed trades in order of their closing. A win is a net result above zero.

    ``squares``: of the net results. ``loss``, ``largest_loss`` are zero or negative.
    ``win_streak``, ``loss_streak``: the longest rows of wins and of losses; a trade at exactly
    zero ends both. ``volume``: notional of entries and exits. ``slippage`` is of the trades that
    know theirs; ``slipped`` is how many do.
    """

    count: int = 0
    wins: int = 0
    losses: int = 0
    net: float = 0.0
    squares: float = 0.0
    profit: float = 0.0
    loss: float = 0.0
    largest_win: float = 0.0
    largest_loss: float = 0.0
    seconds: float = 0.0
    win_seconds: float = 0.0
    loss_seconds: float = 0.0
    win_streak: int = 0
    loss_streak: int = 0
    fees: float = 0.0
    funding: float = 0.0
    volume: float = 0.0
    slippage: float = 0.0
    slipped: int = 0

    @property
    def mean(self) -> float:
        """The mean net result; needs a trade."""
        return self.net / self.count

    @property
    def deviation(self) -> float:
        """The standard deviation of a sample (n - 1); needs two trades."""
        spread = self.squares - self.count * self.mean**2
        return sqrt(max(spread, 0.0) / (self.count - 1))


def tally(trades: Iterable[ClosedTrade]) -> Tally:
    """Add up trades, given in order of their closing."""
    found, row = Tally(), 0
    for trade in trades:
        net = float(trade.net)
        _count(found, trade, net)
        sign = (net > 0) - (net < 0)
        row = row + sign if sign and row * sign > 0 else sign
        found.win_streak = max(found.win_streak, row)
        found.loss_streak = max(found.loss_streak, -row)
    return found


def _count(found: Tally, trade: ClosedTrade, net: float) -> None:
    seconds = trade.seconds
    found.count += 1
    found.net += net
    found.squares += net * net
    found.seconds += seconds
    found.fees += float(trade.fees)
    found.funding += float(trade.funding)
    found.volume += float(trade.entry_notional + trade.exit_notional)
    if trade.slippage is not None:
        found.slipped += 1
        found.slippage += float(trade.slippage)
    if net > 0:
        found.wins += 1
        found.profit += net
        found.win_seconds += seconds
        found.largest_win = max(found.largest_win, net)
    elif net < 0:
        found.losses += 1
        found.loss += net
        found.loss_seconds += seconds
        found.largest_loss = min(found.largest_loss, net)
