"""Backtests: list, request, progress, result, comparison."""

from typing import Any

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import backtests
from app.domain.access import Permission
from app.web import backtest_pages, backtest_results, code_pages, downloads, loading
from app.web.guards import requires
from app.web.hypermedia import live, redirect_to, wants_fragment

bp = Blueprint("backtests", __name__, url_prefix="/w/<workspace>/backtests")


@bp.get("")
@requires(Permission.STRATEGY_VIEW)
def index() -> ResponseReturnValue:
    """The newest first."""
    return render_template("backtests/index.html", **backtest_pages.listed())


@bp.get("/new")
@requires(Permission.BACKTEST_RUN)
def new() -> ResponseReturnValue:
    """What to test on what."""
    return render_template("backtests/new.html", **backtest_pages.new_page())


@bp.post("/new")
@requires(Permission.BACKTEST_RUN)
def create() -> ResponseReturnValue:
    """Queue it."""
    form = backtest_pages.new_form()
    made = form.attempt(lambda: backtest_pages.create(form))
    if made is None:
        return render_template("backtests/new.html", **backtest_pages.new_page(form)), 422
    return redirect_to(url_for(".show", backtest_id=made.id))


@bp.get("/compare")
@requires(Permission.STRATEGY_VIEW)
def compare() -> ResponseReturnValue:
    """Up to four side by side."""
    context = backtest_pages.compared(request.args.getlist("backtest"))
    return render_template("backtests/compare.html", **context)


@bp.get("/<backtest_id>")
@requires(Permission.STRATEGY_VIEW)
def show(backtest_id: str) -> ResponseReturnValue:
    """How far it is, or what came of it."""
    context = backtest_pages.told(loading.backtest(backtest_id))
    return render_template("backtests/show.html", version="", **context)


@bp.get("/<backtest_id>/progress")
@requires(Permission.STRATEGY_VIEW)
def progress(backtest_id: str) -> ResponseReturnValue:
    """The part that changes by itself, polled until it is over; then the whole page is due."""
    backtest = loading.backtest(backtest_id)
    if backtest.over:
        return redirect_to(url_for(".show", backtest_id=backtest.id))
    return live("backtests/_progress.html", **backtest_pages.standing(backtest))


@bp.get("/<backtest_id>/series")
@requires(Permission.STRATEGY_VIEW)
def points(backtest_id: str) -> Response:
    """Equity and drawdown for the charts."""
    return jsonify(backtest_results.drawing(loading.backtest(backtest_id)))


@bp.get("/<backtest_id>/candles")
@requires(Permission.STRATEGY_VIEW)
def candles(backtest_id: str) -> ResponseReturnValue:
    """One page of the chart of candles, with what was traded on them."""
    backtest = loading.backtest(backtest_id)
    found = backtest_results.single(backtest)
    if found is None or not wants_fragment():
        place: dict[str, Any] = {name: request.args.get(name) for name in ("symbol", "part")}
        return redirect_to(url_for(".show", backtest_id=backtest_id, _anchor="candles", **place))
    shown = backtest_results.candles(backtest, found)
    return render_template("backtests/_candles.html", **shown)


@bp.get("/<backtest_id>/result.json")
@requires(Permission.STRATEGY_VIEW)
def file(backtest_id: str) -> Response:
    """Exactly the bytes the runner answered with."""
    backtest = loading.backtest(backtest_id)
    response = Response(backtests.answer_of(backtest), mimetype="application/json")
    response.headers["Content-Disposition"] = downloads.disposition(f"{backtest.id}.json")
    return response


@bp.post("/<backtest_id>/cancel")
@requires(Permission.BACKTEST_RUN)
def cancel(backtest_id: str) -> ResponseReturnValue:
    """End it."""
    backtest = loading.backtest(backtest_id)
    backtests.cancel(backtest, by=current.actor(), now=current.now())
    there = url_for(".show", backtest_id=backtest.id)
    return redirect_to(there, toast=backtest_pages.ending(backtest))


@bp.post("/<backtest_id>/rerun")
@requires(Permission.BACKTEST_RUN)
def rerun(backtest_id: str) -> ResponseReturnValue:
    """The same request once more."""
    backtest, now = loading.backtest(backtest_id), current.now()
    code_pages.runnable(backtest.version)
    made = backtests.rerun(backtest, author=current.user(), by=current.actor(), now=now)
    return redirect_to(url_for(".show", backtest_id=made.id), toast="It is asked for once more.")


@bp.post("/<backtest_id>/delete")
@requires(Permission.BACKTEST_RUN)
def delete(backtest_id: str) -> ResponseReturnValue:
    """Forget it with its result."""
    backtests.remove(loading.backtest(backtest_id), by=current.actor(), now=current.now())
    return redirect_to(url_for(".index"), toast="The backtest is deleted.")
