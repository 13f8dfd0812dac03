"""What the pages of backtests load and how a result is shown."""

import json
from datetime import datetime
from typing import Any

from flask import request, url_for

from app import current
from app.domain import backtests, code_rules, defaults, strategies
from app.domain.errors import Invalid
from app.forms.backtests import BacktestForm
from app.forms.base import offered
from app.models import Backtest, BacktestState
from app.web import loading
from app.web.charts import thin
from runner.metrics import Figure, Period

HEADLINE = ("net_profit", "return", "trades", "win_rate", "profit_factor", "max_drawdown")
GROUPS = (
    (
        "Trades",
        (
            *("expectancy", "payoff", "average_win", "average_loss", "largest_win"),
            *("largest_loss", "win_streak", "loss_streak", "sqn", "p_value", "mean_low"),
            *("mean_high", "holding", "holding_wins", "holding_losses"),
        ),
    ),
    (
        "Equity and exposure",
        (
            *("equity_result", "annual_return", "sharpe", "sortino", "calmar"),
            *("drawdown_length", "drawdown_recovery", "exposure"),
        ),
    ),
    ("Costs", ("fees", "funding", "slippage", "cost_share", "volume")),
)
COMPARED = (*HEADLINE, "expectancy", "sharpe", "sortino", "exposure", "fees", "funding", "slippage")
TRADES = 100
POINTS = 1500
WORDS = {
    BacktestState.QUEUED: ("queued", "neutral"),
    BacktestState.RUNNING: ("running", "info"),
    BacktestState.DONE: ("done", "good"),
    BacktestState.FAILED: ("failed", "bad"),
    BacktestState.CANCELLED: ("cancelled", "warn"),
}
STEPS = {"starting": "Starting", "simulation": "Simulating", "history": "Fetching candles"}


def new_form() -> BacktestForm:
    """The form with what there is to choose from; a version named in the address is chosen."""
    form, workspace = BacktestForm(), current.workspace()
    library = [strategy.latest for strategy in strategies.in_workspace(workspace)]
    asked = strategies.find_version(workspace, request.args.get("version", ""))
    if asked is not None and asked not in library:
        library.insert(0, asked)
    form.version.choices = offered((it.id, it.label) for it in library)
    if request.method == "GET" and library:
        chosen, usual = asked or library[0], defaults.of(workspace)
        form.version.data = chosen.id
        frame = chosen.rules["timeframe"]
        form.begin_with(frame, usual.exchange, usual.symbol, current.now())
    return form


def create(form: BacktestForm) -> Backtest:
    """Queue what was typed."""
    version = strategies.find_version(current.workspace(), form.version.data or "")
    if version is None:
        raise Invalid("Choose one of the strategies.", "version")
    code_rules.check_allowed(version.rules, allowed=current.config().code_strategies)
    by, now = current.actor(), current.now()
    note = form.note.data or ""
    return backtests.request(version, form.plan, note=note, author=current.user(), by=by, now=now)


def listed() -> dict[str, Any]:
    """One page of the list, of one strategy where the address says so."""
    number, strategy_id = loading.page_number(), request.args.get("strategy", "")
    strategy = strategies.find(current.workspace(), strategy_id) if strategy_id else None
    rows = backtests.page(current.workspace(), number, strategy_id)
    return {
        "rows": rows[: backtests.PAGE],
        "more": len(rows) > backtests.PAGE,
        "number": number,
        "strategy": strategy,
        "words": WORDS,
        "compared": backtests.COMPARED,
        "now": current.now(),
    }


def standing(backtest: Backtest) -> dict[str, Any]:
    """How far it is."""
    queued = backtest.state is BacktestState.QUEUED
    return {
        "backtest": backtest,
        "label": backtests.label_of(backtest),
        "place": backtests.place_of(backtest) if queued else None,
        "words": WORDS,
        "steps": STEPS,
        "settled": backtest.over,
        "now": current.now(),
    }


def told(backtest: Backtest) -> dict[str, Any]:
    """All that the page of one backtest shows."""
    context = standing(backtest) | {"result": None}
    if backtest.state is not BacktestState.DONE:
        return context
    result = _result(backtest)
    figures = _figures(result)
    others = backtests.twins(backtest)
    return context | {
        "result": result,
        "currency": backtest.asked["quote"],
        "headline": [figures[key] for key in HEADLINE],
        "groups": [(name, [figures[key] for key in keys]) for name, keys in GROUPS],
        "trades": [_trade(row) for row in result["trades"][:TRADES]],
        "others": others,
        "differing": [it for it in others if it.digest != backtest.digest],
        "series": url_for("backtests.points", backtest_id=backtest.id),
    }


def compared(ids: list[str]) -> dict[str, Any]:
    """Up to four that are done side by side; ids of others are passed over."""
    rows = backtests.of_ids(current.workspace(), ids)[: backtests.COMPARED]
    results = [(it, _result(it)) for it in rows]
    figures = [_figures(result) for _, result in results]
    return {
        "pairs": results,
        "lines": [[each[key] for each in figures] for key in COMPARED],
        "same_data": len({json.dumps(it["pinned"]["data"]) for _, it in results}) < 2,
        "most": backtests.COMPARED,
    }


def drawing(backtest: Backtest) -> dict[str, Any]:
    """Equity and drawdown for the charts; the drawdown is below the highest so far, by the lows."""
    rows = _result(backtest)["equity"] if backtest.state is BacktestState.DONE else []
    peak, falls = float(backtest.asked["balance"]), []
    for at, equity, low in rows:
        falls.append((at, -100 * max(peak - low, 0.0) / peak if peak > 0 else 0.0))
        peak = max(peak, equity)
    return {
        "version": backtest.digest or "none",
        "equity": [{"time": row[0], "value": row[1]} for row in thin(rows, POINTS)],
        "drawdown": [{"time": at, "value": round(v, 3)} for at, v in thin(falls, POINTS)],
        "live": False,
    }


def _result(backtest: Backtest) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(backtests.answer_of(backtest))["result"]
    return found


def _figures(result: dict[str, Any]) -> dict[str, Figure]:
    pinned = result["pinned"]
    period = Period(_moment(pinned["since"]), _moment(pinned["until"]))
    return {
        key: Figure(period=period, **{name: row[name] for name in _PARTS})
        for key, row in result["figures"].items()
    }


_PARTS = ("name", "value", "unit", "definition", "sample", "reason")


def _trade(row: dict[str, Any]) -> dict[str, Any]:
    opened, closed = _moment(row["opened_at"]), _moment(row["closed_at"])
    numbers = {name: float(row[name]) for name in ("net", "fees", "optimistic", "pessimistic")}
    return {**row, **numbers, "opened_at": opened, "held": (closed - opened).total_seconds()}


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
