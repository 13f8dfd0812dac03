"""Parameter sweep: the same run again and again with other numbers."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from runner.backtest.request import Refused, Request, checked_rules
from runner.backtest.result import Result, figures_plain
from runner.backtest.run import Tell, instruments, needed, simulate
from runner.exchange.base import Instrument
from runner.history.reading import History
from runner.metrics import Figure, Period, Tried, moments, neighbours, search_figures
from runner.strategy import dials, validate, varied, warmup
from runner.strategy.varying import place_of

MOST_COMBINATIONS = 500
OBJECTIVES = ("net_profit", "profit_factor", "sharpe", "sortino", "calmar", "expectancy", "sqn")
SHOWN = (
    "net_profit",
    "return",
    "trades",
    "win_rate",
    "profit_factor",
    "expectancy",
    "sqn",
    "sharpe",
    "sortino",
    "calmar",
    "max_drawdown",
    "fees",
    "funding",
)
FEW_TRADES = 30
LONE_PEAK = 50
SURE = 95
_LAST = -1e299
"""The score of what has no figure; what the rules refuse stands behind even that."""


@dataclass(frozen=True)
class Axis:
    """One number and the values it is to take; ``path`` is like ``signals[0].params.fast``."""

    path: str
    values: tuple[Any, ...]


@dataclass(frozen=True)
class Plan:
    """What to vary, by what to judge, and how many combinations at most."""

    axes: tuple[Axis, ...]
    objective: str = "net_profit"
    most: int = 200

    def named(self, values: tuple[Any, ...]) -> dict[str, Any]:
        """A combination by path."""
        return {axis.path: value for axis, value in zip(self.axes, values, strict=True)}

    def plain(self) -> list[dict[str, Any]]:
        """The axes as JSON."""
        return [{"path": axis.path, "values": list(axis.values)} for axis in self.axes]


@dataclass(frozen=True)
class Run:
    """What came of one combination; ``result`` is missing where the rules refuse it."""

    values: tuple[Any, ...]
    score: float
    figures: dict[str, Figure]
    result: Result | None
    refused: str = ""

    @property
    def shown(self) -> dict[str, float | None]:
        """The values of the figures that tables show."""
        return {key: self.figures[key].value for key in SHOWN}


def plan_of(options: Any, rules: dict[str, Any]) -> Plan:
    """The plan of its JSON. Raises ``Refused``."""
    if not isinstance(options, dict) or not isinstance(options.get("grid"), list):
        raise Refused("options", "grid", "name at least one number and its values")
    axes = tuple(_axis(row, rules) for row in options["grid"])
    objective, most = options.get("objective", "net_profit"), options.get("most", 200)
    if not axes:
        raise Refused("options", "grid", "name at least one number and its values")
    if objective not in OBJECTIVES:
        raise Refused("options", "objective", f"choose one of {', '.join(OBJECTIVES)}")
    if not isinstance(most, int) or not 1 <= most <= MOST_COMBINATIONS:
        raise Refused("options", "most", f"must be from 1 to {MOST_COMBINATIONS} combinations")
    return Plan(axes, objective, most)


def combinations(plan: Plan, seed: int) -> tuple[list[tuple[Any, ...]], int]:
    """The combinations to try and how many there are; too many are drawn from, by the seed."""
    whole = 1
    for axis in plan.axes:
        whole *= len(axis.values)
    if whole <= plan.most:
        return list(product(*(axis.values for axis in plan.axes))), whole
    chosen = random.Random(seed).sample(range(whole), plan.most)  # noqa: S311 - repeatable
    return [_numbered(plan, number) for number in sorted(chosen)], whole


def longest_warmup(request: Request, plan: Plan) -> int:
    """Candles that the slowest of the combinations reads before it decides."""
    most = 0
    for values in combinations(plan, request.seed)[0]:
        rules = varied(request.rules, plan.named(values))
        if not validate(rules):
            most = max(most, warmup(rules))
    return most


def sweep(request: Request, plan: Plan, found: list[History], tell: Tell) -> dict[str, Any]:
    """Every combination on the same candles, the best first."""
    chosen, whole = combinations(plan, request.seed)
    rules, runs = instruments(request), list[Run]()
    tried = list[Tried]()
    for number, values in enumerate(chosen):
        tell("combinations", number, len(chosen))
        run = attempt(request, plan, values, found, rules)
        tried.append(_tried(run, plan))
        runs.append(replace(run, result=None))
    tell("combinations", len(chosen), len(chosen))
    order = sorted(range(len(runs)), key=lambda number: -runs[number].score)
    best = order[0]
    luck = search_figures(tried[best], tried, Period(request.since, request.until))
    return {
        "objective": plan.objective,
        "axes": plan.plain(),
        "combinations": whole,
        "tried": len(chosen),
        "seed": request.seed,
        "rows": [_row(runs[number], tried[number], tried) for number in order],
        "luck": figures_plain(luck),
        "warnings": _warnings(request.rules, runs, best, luck, plan),
        "hint": (
            "The best of many is partly the luckiest. Look for a region where neighbours do alike, "
            "and test it on a period that was not searched."
        ),
    }


def attempt(
    request: Request,
    plan: Plan,
    values: tuple[Any, ...],
    found: list[History],
    rules: dict[str, Instrument],
) -> Run:
    """One combination; what the rules refuse has the lowest score there is."""
    try:
        wanted = checked_rules(varied(request.rules, plan.named(values)))
    except Refused as error:
        return Run(values, 10 * _LAST, {}, None, str(error))
    changed = replace(request, rules=wanted)
    first, last = needed(changed)
    cut = [replace(history, columns=history.columns.between(first, last)) for history in found]
    result = simulate(changed, cut, rules, lambda *_: None)
    score = result.figures[plan.objective].value
    return Run(values, _LAST if score is None else score, result.figures, result)


def _tried(run: Run, plan: Plan) -> Tried:
    place = tuple(
        axis.values.index(value) for axis, value in zip(plan.axes, run.values, strict=True)
    )
    if run.result is None:
        return Tried(place, None, None, moments(()))
    nets = [float(trade.closed.net) for trade in run.result.trades]
    score, net = run.figures[plan.objective].value, run.figures["net_profit"].value
    return Tried(place, score, net, moments(nets))


def _row(run: Run, own: Tried, tried: list[Tried]) -> dict[str, Any]:
    told: dict[str, Any] = {"values": list(run.values), "score": run.score}
    if run.refused:
        return {**told, "refused": run.refused}
    near = neighbours(own, tried)
    mean = sum(near) / len(near) if near else None
    return {**told, "figures": run.shown, "near": mean, "near_count": len(near)}


def _warnings(
    rules: dict[str, Any], runs: list[Run], best: int, luck: dict[str, Figure], plan: Plan
) -> list[dict[str, str]]:
    """What to doubt about the best one."""
    top, told = runs[best], list[tuple[str, str]]()
    if top.result is None and top.refused:
        return [{"code": "all_refused", "text": f"No combination can be run: {top.refused}."}]
    trades = int(top.figures["trades"].value or 0)
    if trades < FEW_TRADES:
        text = f"The best combination closed {trades} trades; {FEW_TRADES} are the least to judge."
        told.append(("few_trades", text))
    stable, sure = luck["stability"].value, luck["deflated_sharpe"].value
    if stable is not None and stable < LONE_PEAK:
        text = (
            f"A lone peak: one step away the objective is {stable:.0f} % of the best on average. "
            "A small change of the market will do what a step does here."
        )
        told.append(("lone_peak", text))
    if sure is not None and sure < SURE:
        text = (
            f"Among {len(runs)} tries, chance alone does as well with a likelihood of "
            f"{100 - sure:.0f} %; the search has not shown an edge."
        )
        told.append(("luck", text))
    named = {dial.path: dial.title for dial in dials(rules)}
    for axis, value in zip(plan.axes, top.values, strict=True):
        if len(axis.values) > 2 and value in (axis.values[0], axis.values[-1]):
            text = f"The best lies at the edge of {named[axis.path]} ({value}); go on beyond it."
            told.append(("edge", text))
    refused = sum(1 for run in runs if run.refused)
    if refused:
        told.append(("refused", f"{refused} combinations contradict the rules and were left out."))
    return [{"code": code, "text": text} for code, text in told]


def _axis(row: Any, rules: dict[str, Any]) -> Axis:
    path = row.get("path") if isinstance(row, dict) else None
    place = place_of(path, rules)
    if place is None:
        text = f"{path}: there is no such component; a path is like signals[0].params.fast"
        raise Refused("options", "grid", text)
    values = row.get("values")
    if not isinstance(values, list) or not values:
        raise Refused("options", "grid", f"{path}: name its values")
    return Axis(str(path), tuple(dict.fromkeys(values)))


def _numbered(plan: Plan, number: int) -> tuple[Any, ...]:
    """One combination by its place in the whole grid."""
    found = []
    for axis in reversed(plan.axes):
        number, place = divmod(number, len(axis.values))
        found.append(axis.values[place])
    return tuple(reversed(found))
