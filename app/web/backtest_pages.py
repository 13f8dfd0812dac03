"""What the pages of backtests load: asked for, listed, watched, compared."""

import json
from typing import Any

from flask import request

from app import current
from app.domain import backtests, code_rules, defaults, strategies
from app.domain.code_tasks import CREATING
from app.domain.errors import Invalid
from app.forms.backtests import BacktestForm
from app.forms.base import offered
from app.models import Backtest, BacktestState
from app.models.backtest import LongRun
from app.web import backtest_results, loading, study_pages, variations
from app.web.backtest_results import HEADLINE

COMPARED = (*HEADLINE, "expectancy", "sharpe", "sortino", "exposure", "fees", "funding", "slippage")
WORDS = {
    BacktestState.QUEUED: ("queued", "neutral"),
    BacktestState.RUNNING: ("running", "info"),
    BacktestState.DONE: ("done", "good"),
    BacktestState.FAILED: ("failed", "bad"),
    BacktestState.CANCELLED: ("cancelled", "warn"),
}
STEPS = {
    "starting": "Starting",
    CREATING: "Creating a machine for the code, which takes about a minute",
    "simulation": "Simulating",
    "history": "Fetching candles",
    "combinations": "Trying combinations",
}


def new_page(form: BacktestForm | None = None) -> dict[str, Any]:
    """What the page that asks shows: the form, and what it sets beside the version's rules."""
    chosen = _asked_version()
    values = variations.asked(chosen.rules) if chosen is not None else {}
    return {
        "form": form if form is not None else new_form(),
        "values": variations.arguments(values),
        "changed": variations.words(values, chosen.rules) if chosen is not None else [],
    }


def new_form() -> BacktestForm:
    """The form with what there is to choose from; a version named in the address is chosen.

    Where parameters are set, they are of that version, and no other can be chosen.
    """
    form, workspace, asked = BacktestForm(), current.workspace(), _asked_version()
    library = [strategy.latest for strategy in strategies.in_workspace(workspace)]
    if asked is not None and asked not in library:
        library.insert(0, asked)
    if asked is not None and variations.asked(asked.rules):
        library = [asked]
    form.version.choices = offered((it.id, it.label) for it in library)
    if request.method == "GET" and library:
        chosen, usual = asked or library[0], defaults.of(workspace)
        frame = chosen.rules["timeframe"]
        form.begin_with(frame, usual.exchange, usual.symbol, current.now())
        like = backtests.find(workspace, request.args.get("like", ""))
        if like is not None:
            form.begin_like(like.asked, like.note)
        form.version.data = chosen.id
    return form


def create(form: BacktestForm) -> Backtest:
    """Queue what was typed."""
    version = strategies.find_version(current.workspace(), form.version.data or "")
    if version is None:
        raise Invalid("Choose one of the strategies.", "version")
    code_rules.check_allowed(version.rules, allowed=current.config().code_strategies)
    return backtests.request(
        version,
        form.plan,
        note=form.note.data or "",
        author=current.user(),
        by=current.actor(),
        now=current.now(),
        values=variations.asked(version.rules),
    )


def _asked_version() -> Any:
    return strategies.find_version(current.workspace(), request.values.get("version", ""))


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
        "kinds": backtests.KINDS,
        "compared": backtests.COMPARED,
        "now": current.now(),
    }


def standing(backtest: Backtest) -> dict[str, Any]:
    """How far it is."""
    queued = backtest.state is BacktestState.QUEUED
    values = backtest.asked.get("values", {})
    return {
        "changed": variations.words(values, backtest.version.rules),
        "changed_arguments": variations.arguments(values),
        "backtest": backtest,
        "title": f"{backtests.KINDS[backtest.kind]} of {backtest.version.label}",
        "place": backtests.place_of(backtest) if queued else None,
        "words": WORDS,
        "steps": STEPS,
        "study_asked": study_pages.asked(backtest),
        "settled": backtest.over,
        "now": current.now(),
    }


def told(backtest: Backtest) -> dict[str, Any]:
    """All that the page of one backtest shows."""
    context = standing(backtest) | {"result": None}
    if backtest.state is not BacktestState.DONE:
        return context
    return context | backtest_results.told(backtest)


def compared(ids: list[str]) -> dict[str, Any]:
    """Up to four that are done side by side; ids of others are passed over."""
    rows = backtests.of_ids(current.workspace(), ids)[: backtests.COMPARED]
    results = [(it, backtest_results.result(it)) for it in rows]
    figures = [backtest_results.figures(result) for _, result in results]
    return {
        "pairs": results,
        "lines": [[each[key] for each in figures] for key in COMPARED],
        "same_data": len({json.dumps(it["pinned"]["data"]) for _, it in results}) < 2,
        "most": backtests.COMPARED,
    }


def ending(run: LongRun | None) -> str:
    """What whoever pressed Cancel is told, however it stands by now."""
    if run is None or not run.over:
        return "It ends in a moment."
    if run.state is BacktestState.CANCELLED:
        return "It is cancelled."
    return "It had ended before you cancelled it."
