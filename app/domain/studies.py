"""Studies: what a backtest of many combinations is asked for, and whether that can be run."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from math import prod
from typing import Any

from app.domain.backtest_plan import Plan
from app.domain.errors import Invalid
from app.models import BacktestKind, StrategyVersion
from runner.strategy import COMPONENTS, TIMEFRAMES, Dial, Parameter, dials, validate, varied

MOST_AXES = 3
MOST_VALUES = 100
MOST_COMBINATIONS = 500
MOST_WINDOWS = 24
MOST_WORK = 40_000_000
"""Candles to be simulated, over all combinations: a few minutes of one processor."""
OBJECTIVES = {
    "net_profit": "Net profit",
    "sharpe": "Sharpe ratio",
    "sortino": "Sortino ratio",
    "calmar": "Calmar ratio",
    "profit_factor": "Profit factor",
    "expectancy": "Expectancy",
    "sqn": "System quality number",
}
_DAY = 86_400


@dataclass(frozen=True)
class Axis:
    """A parameter and the values it is to take; a choice takes all of its own."""

    path: str
    low: Decimal | None = None
    high: Decimal | None = None
    step: Decimal | None = None


@dataclass(frozen=True)
class Study:
    """What to vary and by what to judge. The windows' lengths are days, of a walk-forward only.

    ``anchored``: each choice sees everything from the beginning on.
    """

    axes: tuple[Axis, ...]
    objective: str = "net_profit"
    in_sample: Decimal | None = None
    out_of_sample: Decimal | None = None
    anchored: bool = False
    kind: BacktestKind = field(default=BacktestKind.SWEEP)


def titles(rules: dict[str, Any]) -> dict[str, str]:
    """Each parameter that can be varied by its path, as people know it."""
    found, seen = dict[str, str](), dict[str, str]()
    for dial in dials(rules):
        place = dial.path.partition(".")[0]
        count = sum(kind == dial.component.kind for at, kind in seen.items() if at != place)
        seen[place] = dial.component.kind
        number = f" ({count + 1})" if count else ""
        found[dial.path] = dial.title.replace(":", f"{number}:", 1)
    return found


def options(version: StrategyVersion, plan: Plan, study: Study) -> dict[str, Any]:
    """The study as the runner reads it.

    Raises:
        Invalid: it cannot be run; names the field.
    """
    grid = _grid(version.rules, study.axes)
    if study.objective not in OBJECTIVES:
        raise Invalid("Choose what is to be judged by.", "objective")
    count = prod(len(values) for _, values in grid)
    if count > MOST_COMBINATIONS:
        sizes = " × ".join(str(len(values)) for _, values in grid)
        widest = max(range(len(grid)), key=lambda number: len(grid[number][1])) + 1
        text = (
            f"{sizes} = {count:,} combinations are too many, {MOST_COMBINATIONS} are the most. "
            "Take larger steps or narrower ranges."
        )
        raise Invalid(text, f"step_{widest}")
    _check_rules(version.rules, grid)
    found: dict[str, Any] = {
        "grid": [{"path": path, "values": list(values)} for path, values in grid],
        "objective": study.objective,
        "most": MOST_COMBINATIONS,
    }
    if study.kind is BacktestKind.WALK_FORWARD:
        found |= _windows(version, plan, study)
    _check_work(version, plan, count, found)
    return found


def chosen(rules: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The rules with one combination's values.

    Raises:
        Invalid: they are of other rules, or contradict these.
    """
    known = {dial.path for dial in dials(rules)}
    if not set(values) <= known:
        raise Invalid("These values are of other rules; go back and choose again.")
    changed = varied(rules, values)
    for fault in validate(changed):
        raise Invalid(f"{fault.path}: {fault.message}")
    return changed


def _grid(rules: dict[str, Any], axes: Sequence[Axis]) -> list[tuple[str, tuple[Any, ...]]]:
    if not axes:
        raise Invalid("Choose at least one parameter.", "path_1")
    known, grid = {dial.path: dial for dial in dials(rules)}, list[tuple[str, tuple[Any, ...]]]()
    for number, axis in enumerate(axes[:MOST_AXES], 1):
        dial = known.get(axis.path)
        if dial is None:
            raise Invalid("Choose one of the parameters.", f"path_{number}")
        if any(path == axis.path for path, _ in grid):
            raise Invalid("This one is varied already; choose another.", f"path_{number}")
        grid.append((axis.path, _values(dial, axis, number)))
    return grid


def _values(dial: Dial, axis: Axis, number: int) -> tuple[Any, ...]:
    one = dial.parameter
    if one.kind == "choice":
        return one.choices
    low = _within(one, axis.low, f"low_{number}")
    high = _within(one, axis.high, f"high_{number}")
    if high <= low:
        raise Invalid("The range ends where it begins; write a higher end.", f"high_{number}")
    step = axis.step
    if step is None or step <= 0:
        raise Invalid("Write a step above zero.", f"step_{number}")
    if one.kind == "int" and step != step.to_integral_value():
        raise Invalid(f"{one.title} takes whole numbers, so its step is one too.", f"step_{number}")
    count = int((high - low) / step) + 1
    if count < 2:
        text = "The step leads beyond the end at once; write a smaller one."
        raise Invalid(text, f"step_{number}")
    if count > MOST_VALUES:
        text = f"{count:,} values are too many, {MOST_VALUES} are the most; write a larger step."
        raise Invalid(text, f"step_{number}")
    exact = [low + step * place for place in range(count)]
    return tuple(int(value) if one.kind == "int" else float(value) for value in exact)


def _within(one: Parameter, value: Decimal | None, name: str) -> Decimal:
    """An end of a range that the component allows."""
    least, most = Decimal(str(one.minimum)), Decimal(str(one.maximum))
    if value is None or not least <= value <= most:
        reach = f"{least.normalize():f} to {most.normalize():f} {one.unit}".rstrip()
        raise Invalid(f"{one.title} goes from {reach}; write a number between.", name)
    if one.kind == "int" and value != value.to_integral_value():
        raise Invalid(f"{one.title} takes whole numbers.", name)
    return value


def _check_rules(rules: dict[str, Any], grid: list[tuple[str, tuple[Any, ...]]]) -> None:
    """At least one combination must be possible; the runner leaves the others out, and says so."""
    first = ""
    for values in product(*(values for _, values in grid)):
        pairs = zip((path for path, _ in grid), values, strict=True)
        faults = validate(varied(rules, dict(pairs)))
        if not faults:
            return
        first = first or faults[0].message
    raise Invalid(f"No combination can be run: {first}", "path_1")


def _windows(version: StrategyVersion, plan: Plan, study: Study) -> dict[str, Any]:
    span = Decimal(TIMEFRAMES[version.rules["timeframe"]]) / _DAY
    inner, outer = study.in_sample, study.out_of_sample
    for name, days in (("in_sample", inner), ("out_of_sample", outer)):
        if days is None or days < 2 * span or days > 36_500:
            raise Invalid("Write a number of days like 30; it must hold two candles.", name)
    assert inner is not None
    assert outer is not None
    days = Decimal(str((plan.until - plan.since).total_seconds())) / _DAY
    count = int((days - inner) / outer)
    if days - inner < outer:
        text = (
            f"The period of {days:.4g} days does not hold one window of {inner + outer:.4g}; "
            "choose an earlier beginning or shorter windows."
        )
        raise Invalid(text, "in_sample")
    if count > MOST_WINDOWS:
        text = f"{count:,} windows are too many, {MOST_WINDOWS} are the most; make them longer."
        raise Invalid(text, "out_of_sample")
    return {
        "in_sample": float(inner),
        "out_of_sample": float(outer),
        "anchored": study.anchored,
    }


def _check_work(version: StrategyVersion, plan: Plan, count: int, found: dict[str, Any]) -> None:
    """A study is many backtests; it must end before anybody gives up on it."""
    span = TIMEFRAMES[version.rules["timeframe"]]
    seconds = (plan.until - plan.since).total_seconds()
    whole = int(seconds / span) * len(plan.symbols)
    share = 1.0
    if "in_sample" in found:
        inner, outer = found["in_sample"] * _DAY, found["out_of_sample"] * _DAY
        windows = int((seconds - inner) / outer)
        share = windows * (inner + (seconds - inner) / 2 * found["anchored"]) / seconds
    work = int(count * whole * share)
    if work > MOST_WORK:
        text = (
            f"{count} combinations are {work:,} candles to simulate, {MOST_WORK:,} are the most. "
            "Choose a later beginning, fewer values, or a strategy of longer candles."
        )
        raise Invalid(text, "since")


def titled(options_: dict[str, Any], rules: dict[str, Any]) -> list[str]:
    """What a study varies, in its order, as people know it."""
    known = titles(rules)
    return [known.get(axis["path"], axis["path"]) for axis in options_["grid"]]


def unit_of(path: str, rules: dict[str, Any]) -> str:
    """The unit of a parameter, empty where it has none."""
    section, _, rest = path.partition("[")
    index, _, name = rest.partition("].params.")
    spec = COMPONENTS[rules[section][int(index)]["kind"]]
    return next((one.unit for one in spec.parameters if one.name == name), "")
