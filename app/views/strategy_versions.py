"""Versions of a strategy: two of them side by side, and a new strategy from one."""

from flask import Blueprint, Response, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import strategies, strategy_files
from app.domain.access import Permission
from app.web import downloads, loading
from app.web.guards import requires
from app.web.hypermedia import redirect_to
from app.web.rules_pages import compared

bp = Blueprint("strategy_versions", __name__, url_prefix="/w/<workspace>/strategies/<strategy_id>")


@bp.get("/compare")
@requires(Permission.STRATEGY_VIEW)
def compare(strategy_id: str) -> ResponseReturnValue:
    """What differs between two versions; without numbers, the newest and the one before."""
    strategy = loading.strategy(strategy_id)
    newest = strategy.latest.number
    after = request.args.get("to", newest, type=int)
    before = request.args.get("from", max(after - 1, 1), type=int)
    pair = [loading.version(strategy_id, number) for number in (before, after)]
    shown = {"strategy": strategy, "before": pair[0], "after": pair[1]} | compared(*pair)
    return render_template("strategies/compare.html", **shown)


@bp.post("/v/<int:number>/duplicate")
@requires(Permission.STRATEGY_MANAGE)
def duplicate(strategy_id: str, number: int) -> ResponseReturnValue:
    """Begin another strategy with these rules, and open it to be changed."""
    version = loading.version(strategy_id, number)
    author, by, now = current.user(), current.actor(), current.now()
    made = strategies.duplicate(version, author=author, by=by, now=now)
    there = url_for("strategies.edit", strategy_id=made.id)
    return redirect_to(there, toast=f"{made.name} begins with these rules. Change what you like.")


@bp.get("/v/<int:number>/export")
@requires(Permission.STRATEGY_VIEW)
def export(strategy_id: str, number: int) -> ResponseReturnValue:
    """One version as a file."""
    version = loading.version(strategy_id, number)
    response = Response(strategy_files.written(version), mimetype="application/yaml")
    name = f"{version.label}.yaml"
    response.headers["Content-Disposition"] = downloads.disposition(name)
    return response
