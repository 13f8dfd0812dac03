"""What the pages of studies load: sweeps and walk-forwards, asked for and told."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import request

from app import current
from app.domain import backtests, defaults, strategies, studies
from app.domain.errors import Invalid
from app.forms.base import offered
from app.forms.studies import StudyForm
from app.models import Backtest, BacktestKind, StrategyVersion
from app.web import variations
from app.web.charts import plain_share
from runner.metrics import Figure, Period

STEPS = 3
ROWS = 50
COLUMNS = {
    "score": ("Objective", ""),
    "net_profit": ("Net profit", ""),
    "trades": ("Trades", ""),
    "win_rate": ("Won, %", "minor"),
    "profit_factor": ("Profit factor", "minor"),
    "sharpe": ("Sharpe", "minor"),
    "max_drawdown": ("Drawdown, %", ""),
    "near": ("Neighbours", "minor"),
}
"""What the table of combinations can be sorted by."""
LUCK = ("tried", "winning", "stability", "chance_ratio", "deflated", "deflated_sharpe")
KEPT = ("daily_in", "daily_out", "efficiency", "won_windows", "choices")
SMALLER_FIRST = {"max_drawdown"}


def version_of(form: StudyForm | None = None) -> StrategyVersion | None:
    """The version the address or the form names, else the first of the library."""
    workspace = current.workspace()
    told = request.values.get("version", "") if form is None else form.version.data or ""
    found = strategies.find_version(workspace, told)
    if found is not None or request.method == "POST":
        return found
    return next((it.latest for it in strategies.in_workspace(workspace)), None)


def page(kind: BacktestKind, form: StudyForm | None = None) -> dict[str, Any]:
    """What the page that asks shows."""
    version = version_of()
    library = [strategy.latest for strategy in strategies.in_workspace(current.workspace())]
    if version is not None and version not in library:
        library.insert(0, version)
    return {
        "kind": kind,
        "title": backtests.KINDS[kind],
        "versions": library,
        "version": version,
        "form": form if form is not None or version is None else begun(version, kind),
        "most": studies.MOST_COMBINATIONS,
    }


def filled(version: StrategyVersion) -> StudyForm:
    """The form with what there is to choose from."""
    form = StudyForm()
    form.version.choices = offered([(version.id, version.label)])
    form.offer(version.rules)
    return form


def begun(version: StrategyVersion, kind: BacktestKind) -> StudyForm:
    """The form as it is first seen, or as an earlier backtest was asked for."""
    form, usual = filled(version), defaults.of(current.workspace())
    form.begin_with(version.rules["timeframe"], usual.exchange, usual.symbol, current.now())
    like = backtests.find(current.workspace(), request.args.get("like", ""))
    if like is not None:
        form.begin_like(like.asked, like.note)
    form.version.data = version.id
    if kind is BacktestKind.WALK_FORWARD:
        form.begin_windows()
    if like is not None and like.strategy_version_id == version.id and "options" in like.asked:
        form.begin_like_study(like.asked["options"])
    else:
        form.begin_around(version.rules)
    return form


def create(form: StudyForm, kind: BacktestKind) -> Backtest:
    """Queue what was typed."""
    version = version_of(form)
    if version is None:
        raise Invalid("Choose one of the strategies.", "version")
    return backtests.request(
        version,
        form.plan,
        note=form.note.data or "",
        author=current.user(),
        by=current.actor(),
        now=current.now(),
        study=form.study(kind),
    )


def asked(backtest: Backtest) -> list[tuple[str, str]]:
    """What a study was asked for, in words; nothing of a single run."""
    options = backtest.asked.get("options")
    if options is None:
        return []
    names, rules = studies.titled(options, backtest.version.rules), backtest.version.rules
    rows = [
        (name, f"{', '.join(variations.spelt(it) for it in axis['values'])} {unit}".strip())
        for name, axis in zip(names, options["grid"], strict=True)
        for unit in [studies.unit_of(axis["path"], rules)]
    ]
    rows.append(("Judge by", studies.OBJECTIVES[options["objective"]]))
    if "in_sample" in options:
        rows.append(("In sample", f"{options['in_sample']:g} days"))
        rows.append(("Out of sample", f"{options['out_of_sample']:g} days"))
        rows.append(("Each choice sees", "all before" if options["anchored"] else "its window"))
    return rows


# -- what came of it -------------------------------------------------------------------------------


def figures_of(rows: dict[str, Any], since: str, until: str) -> dict[str, Figure]:
    """Figures as a runner answered them."""
    period = Period(datetime.fromisoformat(since), datetime.fromisoformat(until))
    names = ("name", "value", "unit", "definition", "sample", "reason")
    return {
        key: Figure(period=period, **{name: row[name] for name in names})
        for key, row in rows.items()
    }


@dataclass(frozen=True)
class Combination:
    """One row of a sweep; ``tone`` is its colour in the heat map, ``set`` what an address needs."""

    values: tuple[Any, ...]
    words: str
    arguments: list[str]
    figures: dict[str, Any]
    score: float | None
    near: float | None
    refused: str
    tone: str
    best: bool

    def by(self, key: str) -> float | None:
        """What a column shows."""
        value = {"score": self.score, "near": self.near}.get(key, self.figures.get(key))
        return None if value is None else float(value)


def swept(backtest: Backtest, told: dict[str, Any]) -> dict[str, Any]:
    """A sweep: its best, the table as the address sorts it, the heat map, what to doubt."""
    sweep, requested, rules = told["sweep"], backtest.asked, backtest.version.rules
    found, luck = combinations(sweep, rules), figures_of(sweep["luck"], *_period(requested))
    sort = request.args.get("sort", "score")
    sort = sort if sort in COLUMNS else "score"
    rising = request.args.get("order", "up" if sort in SMALLER_FIRST else "down") == "up"
    known = [it for it in found if it.by(sort) is not None]
    ordered = sorted(known, key=lambda it: (it.by(sort) or 0.0) * (1 if rising else -1))
    ordered += [it for it in found if it.by(sort) is None]
    whole = "all" in request.args
    return {
        "sweep": sweep,
        "axes": studies.titled(requested["options"], rules),
        "objective": studies.OBJECTIVES[sweep["objective"]],
        "best": found[0],
        "luck": [luck[key] for key in LUCK],
        "found": ordered if whole else ordered[:ROWS],
        "found_total": len(found),
        "columns": _columns(sweep["objective"]),
        "sort": sort,
        "rising": rising,
        "heat": heat_map(found, sweep["axes"]),
    }


def _columns(objective: str) -> dict[str, tuple[str, str]]:
    """None stands there twice."""
    return {key: told for key, told in COLUMNS.items() if key != objective}


def _period(asked: dict[str, Any]) -> tuple[str, str]:
    return asked["since"], asked["until"]


def combinations(sweep: dict[str, Any], rules: dict[str, Any]) -> list[Combination]:
    """The rows of a sweep, the best first."""
    paths = [axis["path"] for axis in sweep["axes"]]
    scores = [row["score"] for row in sweep["rows"] if row["score"] > -1e290]
    found = []
    for place, row in enumerate(sweep["rows"]):
        values = dict(zip(paths, row["values"], strict=True))
        score = row["score"] if row["score"] > -1e290 else None
        found.append(
            Combination(
                tuple(row["values"]),
                ", ".join(variations.words(values, rules)),
                variations.arguments(values),
                row.get("figures", {}),
                score,
                row.get("near"),
                row.get("refused", ""),
                _tone(score, scores),
                place == 0 and score is not None,
            )
        )
    return found


def _tone(score: float | None, scores: list[float]) -> str:
    """Within those of the same sign, from the least to the most."""
    if score is None:
        return "none"
    sizes = [abs(it) for it in scores if (it > 0) == (score > 0)]
    low = min(sizes) if len({it > 0 for it in scores}) == 1 else 0.0
    step = plain_share(abs(score) - low, max(sizes) - low, STEPS)
    return f"{'good' if score > 0 else 'bad'}-{max(step, 1)}" if score else "flat"


def heat_map(found: list[Combination], axes: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Rows of the second number by columns of the first, for one value of the third."""
    across, down = axes[0]["values"], axes[1]["values"] if len(axes) > 1 else [None]
    deep = axes[2]["values"] if len(axes) > 2 else [None]
    asked = request.args.get("slice", type=int)
    best = found[0].values[2] if len(axes) > 2 else None
    level = deep[asked] if asked is not None and 0 <= asked < len(deep) else best
    by_values = {it.values: it for it in found}
    rows = [
        (value, [by_values.get(_key(axes, first, value, level)) for first in across])
        for value in down
    ]
    return {"across": across, "rows": rows, "slices": deep if deep != [None] else [], "at": level}


def _key(axes: list[dict[str, Any]], *values: Any) -> tuple[Any, ...]:
    return values[: len(axes)]


def walked(backtest: Backtest, told: dict[str, Any]) -> dict[str, Any]:
    """A walk-forward: out of sample stitched together, and each window."""
    walk, rules = told["walk_forward"], backtest.version.rules
    figures = figures_of(walk["figures"], *walk["period"])
    kept = figures_of(walk["kept"], *walk["period"])
    paths = [axis["path"] for axis in walk["axes"]]
    windows = [
        {
            **row,
            "words": ", ".join(
                variations.words(dict(zip(paths, row["values"], strict=True)), rules)
            ),
            "arguments": variations.arguments(dict(zip(paths, row["values"], strict=True))),
        }
        for row in walk["windows"]
    ]
    return {
        "walk": walk,
        "objective": studies.OBJECTIVES[walk["objective"]],
        "axes": studies.titled(backtest.asked["options"], rules),
        "figures": figures,
        "kept": [kept[key] for key in KEPT],
        "windows": windows,
    }
