"""Parameter sweep and walk-forward: the same run again and again with other numbers."""

from __future__ import annotations

import copy
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import product
from typing import Any

from runner.backtest.lane import moment
from runner.backtest.request import Refused, Request, checked_rules
from runner.backtest.result import Result
from runner.backtest.run import Tell, instruments, needed, simulate
from runner.exchange.base import Instrument
from runner.history.reading import History
from runner.metrics import Period, tally, trade_figures
from runner.strategy import validate, warmup
from runner.strategy.spec import TIMEFRAMES

MOST_COMBINATIONS = 500
OBJECTIVES = ("net_profit", "profit_factor", "sharpe", "sortino", "calmar", "expectancy", "sqn")
SHOWN = (
    "net_profit",
    "return",
    "trades",
    "win_rate",
    "profit_factor",
    "sharpe",
    "max_drawdown",
    "fees",
)
_PATH = re.compile(r"([a-z_]+)\[(\d+)\]\.params\.([a-z_]+)")


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
        varied = _with(request.rules, plan.axes, values)
        if not validate(varied):
            most = max(most, warmup(varied))
    return most


def sweep(request: Request, plan: Plan, found: list[History], tell: Tell) -> dict[str, Any]:
    """Every combination on the same candles, the best first."""
    chosen, whole = combinations(plan, request.seed)
    rules, rows = instruments(request), list[dict[str, Any]]()
    for number, values in enumerate(chosen):
        tell("combinations", number, len(chosen))
        rows.append(_tried(request, plan, values, found, rules)[0])
    tell("combinations", len(chosen), len(chosen))
    rows.sort(key=lambda row: -row["score"])
    return {
        "objective": plan.objective,
        "axes": [{"path": axis.path, "values": list(axis.values)} for axis in plan.axes],
        "combinations": whole,
        "tried": len(chosen),
        "seed": request.seed,
        "rows": rows,
        "hint": (
            "The best of many is partly the luckiest. Look for a region where neighbours do alike, "
            "and test it on a period that was not searched."
        ),
    }


def walk_forward(
    request: Request, plan: Plan, windows: int, found: list[History], tell: Tell
) -> dict[str, Any]:
    """Choose on one stretch, judge on the next, then move on by as much as was judged.

    The period is cut into one part more than there are windows; each window chooses on a part and
    is judged on the one after it, which no choice has seen.
    """
    edges = _edges(request, windows)
    rules, chosen = instruments(request), combinations(plan, request.seed)[0]
    judged, rows = list[Result](), list[dict[str, Any]]()
    for number in range(windows):
        tell("windows", number, windows)
        train = replace(request, since=edges[number], until=edges[number + 1])
        test = replace(request, since=edges[number + 1], until=edges[number + 2])
        tried = [_tried(train, plan, values, found, rules) for values in chosen]
        best, values = max(tried, key=lambda row: row[0]["score"])
        after, _, result = _run(test, plan, values, found, rules)
        judged.append(result)
        rows.append(
            {
                "train": [train.since.isoformat(), train.until.isoformat()],
                "test": [test.since.isoformat(), test.until.isoformat()],
                "values": list(values),
                "in_sample": best["figures"],
                "out_of_sample": after,
            }
        )
    tell("windows", windows, windows)
    closed = [trade.closed for result in judged for trade in result.trades]
    figures = trade_figures(tally(closed), Period(edges[1], edges[-1]))
    return {
        "objective": plan.objective,
        "axes": [{"path": axis.path, "values": list(axis.values)} for axis in plan.axes],
        "seed": request.seed,
        "windows": rows,
        "out_of_sample": {key: figures[key].value for key in SHOWN if key in figures},
    }


def _edges(request: Request, windows: int) -> list[datetime]:
    """Where the parts of the period meet, in whole candles."""
    first, last = request.period
    span = TIMEFRAMES[request.rules["timeframe"]]
    count = (last - first) // span
    if windows < 1 or count < 2 * (windows + 1):
        text = "the period is too short for so many windows; choose a longer one, or fewer"
        raise Refused("options", "windows", text)
    parts = windows + 1
    return [moment(first + count * n // parts * span) for n in range(parts + 1)]


def _tried(
    request: Request,
    plan: Plan,
    values: tuple[Any, ...],
    found: list[History],
    rules: dict[str, Instrument],
) -> tuple[dict[str, Any], tuple[Any, ...]]:
    """One combination's row; what the rules refuse has the lowest score there is."""
    try:
        shown, score, _ = _run(request, plan, values, found, rules)
    except Refused as error:
        return {"values": list(values), "score": -1e300, "refused": str(error)}, values
    return {"values": list(values), "score": score, "figures": shown}, values


def _run(
    request: Request,
    plan: Plan,
    values: tuple[Any, ...],
    found: list[History],
    rules: dict[str, Instrument],
) -> tuple[dict[str, Any], float, Result]:
    varied = replace(request, rules=checked_rules(_with(request.rules, plan.axes, values)))
    first, last = needed(varied)
    cut = [replace(history, columns=history.columns.between(first, last)) for history in found]
    result = simulate(varied, cut, rules, lambda *_: None)
    figures = result.figures
    score = figures[plan.objective].value
    shown = {key: figures[key].value for key in SHOWN}
    return shown, -1e299 if score is None else score, result


def _axis(row: Any, rules: dict[str, Any]) -> Axis:
    path = row.get("path") if isinstance(row, dict) else None
    place = _PATH.fullmatch(path) if isinstance(path, str) else None
    if place is None:
        raise Refused("options", "grid", "a path is like signals[0].params.fast")
    section, index, _ = place.groups()
    if int(index) >= len(rules.get(section, [])):
        raise Refused("options", "grid", f"{path}: there is no such component")
    values = row.get("values")
    if not isinstance(values, list) or not values:
        raise Refused("options", "grid", f"{path}: name its values")
    return Axis(str(path), tuple(dict.fromkeys(values)))


def _with(rules: dict[str, Any], axes: Sequence[Axis], values: Sequence[Any]) -> dict[str, Any]:
    """The rules with other numbers."""
    varied = copy.deepcopy(rules)
    for axis, value in zip(axes, values, strict=True):
        place = _PATH.fullmatch(axis.path)
        assert place is not None
        section, index, name = place.groups()
        varied[section][int(index)].setdefault("params", {})[name] = value
    return varied


def _numbered(plan: Plan, number: int) -> tuple[Any, ...]:
    """One combination by its place in the whole grid."""
    found = []
    for axis in reversed(plan.axes):
        number, place = divmod(number, len(axis.values))
        found.append(axis.values[place])
    return tuple(reversed(found))
