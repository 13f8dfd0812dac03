"""A bot beside a backtest on what it saw: ask for it, watch it, read it."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import readiness_runs
from app.domain.access import Permission
from app.web import backtest_pages, loading, readiness_pages
from app.web.guards import requires
from app.web.hypermedia import live, redirect_to

bp = Blueprint("bot_readiness", __name__, url_prefix="/w/<workspace>/bots/<bot_id>/readiness")


@bp.get("")
@requires(Permission.STRATEGY_VIEW)
def show(bot_id: str) -> ResponseReturnValue:
    """Same decisions, same trades, and how sure it is."""
    context = readiness_pages.told(loading.bot(bot_id))
    return render_template("bots/readiness.html", version="", **context)


@bp.get("/progress")
@requires(Permission.STRATEGY_VIEW)
def progress(bot_id: str) -> ResponseReturnValue:
    """The part that changes by itself, polled until it is over; then the whole page is due."""
    bot = loading.bot(bot_id)
    context = readiness_pages.standing(bot)
    if context["settled"]:
        return redirect_to(url_for(".show", bot_id=bot.id))
    return live("bots/_comparing.html", **context)


@bp.post("")
@requires(Permission.BACKTEST_RUN)
def compare(bot_id: str) -> ResponseReturnValue:
    """Queue a comparison."""
    bot = loading.bot(bot_id)
    by, now = current.actor(), current.now()
    readiness_runs.request(bot, author=current.user(), by=by, now=now)
    return redirect_to(url_for(".show", bot_id=bot.id))


@bp.post("/cancel")
@requires(Permission.BACKTEST_RUN)
def cancel(bot_id: str) -> ResponseReturnValue:
    """End it."""
    bot = loading.bot(bot_id)
    readiness_runs.cancel(bot, by=current.actor(), now=current.now())
    told = backtest_pages.ending(readiness_runs.newest(bot))
    return redirect_to(url_for(".show", bot_id=bot.id), toast=told)
