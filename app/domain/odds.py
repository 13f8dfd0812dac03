"""How much of a result may be luck: intervals of few trades, and of many things tried."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import inf
from statistics import fmean, stdev

from sqlalchemy import select

from app.extensions import db
from app.models import Backtest, BacktestState, Bot, StrategyVersion, TradeRow
from runner.metrics import by_luck, interval, profit_factor, strict, win_rate

CONFIDENCE = 0.95
MINUS = "\u2212"
MOST = 10_000
"""Closed trades that are looked at, the newest."""


@dataclass(frozen=True)
class Odds:
    """Of closed trades, after fees; bounds with 95 % confidence. Shares from 0 to 1.

    A pair is ``None`` where there are too few trades or nothing to measure by.
    """

    count: int = 0
    wins: int = 0
    share: tuple[float, float] | None = None
    mean: float = 0.0
    deviation: float = 0.0
    means: tuple[float, float] | None = None
    factor: float | None = None
    factors: tuple[float, float] | None = None

    @property
    def is_sure(self) -> bool:
        """Whether the mean trade earns something even at the lower bound."""
        return self.means is not None and self.means[0] > 0

    def means_at(self, confidence: float) -> tuple[float, float] | None:
        """The bounds of the mean trade with another confidence."""
        if self.means is None:
            return None
        return interval(self.count, self.mean, self.deviation, confidence)


@dataclass(frozen=True)
class Tries:
    """How often something was tried before this was chosen, as far as it is kept."""

    versions: int
    results: int

    @property
    def count(self) -> int:
        """Each version and each result of a backtest is a try; what runs now is one of them."""
        return max(self.versions + self.results, 1)

    @property
    def luck(self) -> float:
        """How likely one of so many without any edge would look sure."""
        return by_luck(self.count)

    @property
    def confidence(self) -> float:
        """What one of so many must be judged by, to be as sure as a single one."""
        return 1 - strict(self.count)


def of(results: Sequence[float]) -> Odds:
    """What so many results, in the order of time, say and do not say."""
    count, wins = len(results), sum(it > 0 for it in results)
    if not count:
        return Odds()
    mean, deviation = fmean(results), stdev(results) if count > 1 else 0.0
    measured = deviation > 1e-9 * max(abs(mean), 1e-12)
    lost = -sum(it for it in results if it < 0)
    return Odds(
        count=count,
        wins=wins,
        share=win_rate(wins, count, CONFIDENCE),
        mean=mean,
        deviation=deviation,
        means=interval(count, mean, deviation, CONFIDENCE) if measured else None,
        factor=sum(it for it in results if it > 0) / lost if lost else None,
        factors=profit_factor(results, CONFIDENCE),
    )


def results_of(run_ids: Sequence[str]) -> list[float]:
    """Net results of the closed trades of these runs, the newest of many, oldest first."""
    query = select(TradeRow.result).where(
        TradeRow.run_id.in_(run_ids), TradeRow.closed_at.is_not(None), TradeRow.result.is_not(None)
    )
    query = query.order_by(TradeRow.closed_at.desc(), TradeRow.number.desc()).limit(MOST)
    return [float(it) for it in db.session.scalars(query) if it is not None][::-1]


def tries_of(bot: Bot) -> Tries:
    """Versions of its strategy up to its own, and results of backtests of any version.

    A sweep has one for each combination. A walk-forward chooses among many as well, but what it
    tells is earned after the choice: it is one. What failed or was cancelled told nobody anything.
    """
    versions = select(StrategyVersion.id).where(
        StrategyVersion.workspace_id == bot.workspace_id,
        StrategyVersion.strategy_id == bot.version.strategy_id,
    )
    backtests = select(Backtest.figures).where(
        Backtest.workspace_id == bot.workspace_id,
        Backtest.strategy_version_id.in_(versions),
        Backtest.state == BacktestState.DONE,
    )
    results = sum(int((it or {}).get("tried", 1)) for it in db.session.scalars(backtests))
    return Tries(bot.version.number, results)


def in_words(odds: Odds, currency: str) -> str:
    """What may be said of them."""
    if not odds.count or odds.share is None:
        return "No trade was closed yet, so nothing can be said."
    low, high = (f"{100 * it:.0f} %" for it in odds.share)
    trades = f"{odds.count:,} trade{'' if odds.count == 1 else 's'}"
    told = (
        f"{trades}, {odds.wins:,} won: the true win rate may be anywhere between {low} and {high}"
    )
    if odds.means is None:
        return f"{told}; too few to tell profit from luck."
    mean = f"{odds.means[0]:+,.2f} and {odds.means[1]:+,.2f} {currency}".replace("-", MINUS)
    told += f", the mean trade anywhere between {mean}"
    if odds.factors is not None:
        top = f"{odds.factors[1]:.2f}" if odds.factors[1] < inf else "no bound"
        told += f", the profit factor between {odds.factors[0]:.2f} and {top}"
    if odds.means[0] > 0:
        return f"{told}. So much profit is rarely luck alone, if trades are independent."
    if odds.means[1] < 0:
        return f"{told}. So much loss is rarely bad luck alone."
    return f"{told}; too few to tell profit from luck."
