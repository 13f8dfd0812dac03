"""Statistics of trading, each with its definition, period and sample. Standard library only.

Backtests and the platform compute by the same formulas. Statistics are floats; the exact amounts
stand on trades, fills and flows. What is undefined is ``None`` with the reason, never a number.
"""

from runner.metrics.curve import (
    Day,
    Drawdown,
    Flow,
    Point,
    curve_figures,
    days_of,
    drawdowns,
    index,
    together,
)
from runner.metrics.execution import (
    ExecutionTally,
    OrderOutcome,
    execution_figures,
    execution_tally,
)
from runner.metrics.facts import ClosedTrade, Figure, Period
from runner.metrics.figures import cost_figures, trade_figures
from runner.metrics.intervals import by_luck, profit_factor, strict, win_rate
from runner.metrics.search import Moments, Tried, moments, neighbours, search_figures
from runner.metrics.student import interval, p_value
from runner.metrics.tables import Cell, by_exit_reason, by_hour, by_month, by_side, hour_of_week
from runner.metrics.tally import Tally, tally

__all__ = [
    "Cell",
    "ClosedTrade",
    "Day",
    "Drawdown",
    "ExecutionTally",
    "Figure",
    "Flow",
    "Moments",
    "OrderOutcome",
    "Period",
    "Point",
    "Tally",
    "Tried",
    "by_exit_reason",
    "by_hour",
    "by_luck",
    "by_month",
    "by_side",
    "cost_figures",
    "curve_figures",
    "days_of",
    "drawdowns",
    "execution_figures",
    "execution_tally",
    "hour_of_week",
    "index",
    "interval",
    "moments",
    "neighbours",
    "p_value",
    "profit_factor",
    "search_figures",
    "strict",
    "tally",
    "together",
    "trade_figures",
    "win_rate",
]
