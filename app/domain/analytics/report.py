"""All that one page of results says."""

from dataclasses import dataclass
from datetime import date

from app.domain.analytics import days, sums
from app.domain.analytics.scope import Scope
from runner.metrics import (
    Cell,
    Day,
    Figure,
    Tally,
    cost_figures,
    curve_figures,
    execution_figures,
    index,
    trade_figures,
)
from runner.protocol import Side


@dataclass(frozen=True)
class Report:
    """Figures by name, and the tables. ``shared``: see ``days.shared``."""

    scope: Scope
    sums: Tally
    trades: dict[str, Figure]
    curve: dict[str, Figure]
    costs: dict[str, Figure]
    execution: dict[str, Figure]
    sides: dict[Side, dict[str, Figure]]
    hours: dict[int, Cell]
    kinds: dict[str, Cell]
    months: dict[date, Cell]
    rejects: list[tuple[str, int]]
    shared: bool

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say anything about."""
        return not self.sums.count and not self.curve["return"].sample


def of(scope: Scope) -> Report:
    """Computed anew from the rows each time."""
    period, sides = scope.period, sums.by_side(scope)
    whole, done = sums.whole(scope, sides), sums.execution(scope)
    whole.slippage, whole.slipped = done.slippage, done.arrived
    return Report(
        scope=scope,
        sums=whole,
        trades=trade_figures(whole, period),
        curve=curve_figures(days.of(scope), period),
        costs=cost_figures(whole, period),
        execution=execution_figures(done, period),
        sides={side: trade_figures(sides.get(side, Tally()), period) for side in Side},
        hours=sums.by_hour(scope),
        kinds=sums.by_kind(scope),
        months=sums.by_month(scope),
        rejects=sums.rejects(scope),
        shared=days.shared(scope),
    )


@dataclass(frozen=True)
class Line:
    """One day of the charts: the result so far, and how far below its peak the equity is."""

    day: date
    result: float
    drawdown: float


def lines(scope: Scope) -> list[Line]:
    """Result since the beginning of the period and drawdown in percent, by day."""
    found, result, peak = [], 0.0, 1.0
    told: list[Day] = days.of(scope)
    for it, (day, level, _) in zip(told, index(told), strict=True):
        result, peak = result + it.result, max(peak, level)
        found.append(Line(day, result, 100 * (level / peak - 1) if peak else 0.0))
    return found
