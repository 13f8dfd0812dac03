"""Results: of a workspace, of a strategy on all its versions, of a bot; each mode by itself."""

from flask import Blueprint, Response, jsonify, render_template
from flask.typing import ResponseReturnValue

from app import current
from app.domain.access import Permission
from app.domain.analytics.scope import Whose
from app.web import analytics_pages, loading
from app.web.guards import requires

bp = Blueprint("analytics", __name__, url_prefix="/w/<workspace>/analytics")


@bp.get("")
@requires(Permission.ANALYTICS_VIEW)
def index() -> ResponseReturnValue:
    """All bots together."""
    return render_template("analytics/show.html", **analytics_pages.page(_all()))


@bp.get("/series")
@requires(Permission.ANALYTICS_VIEW)
def index_points() -> Response:
    """Their result and drawdown by day."""
    return jsonify(analytics_pages.lines(_all()))


@bp.get("/bots/<bot_id>")
@requires(Permission.ANALYTICS_VIEW)
def bot(bot_id: str) -> ResponseReturnValue:
    """One bot, over all its runs in a mode."""
    found = loading.bot(bot_id)
    context = analytics_pages.page(Whose(found.workspace_id, bot_id=found.id), bot=found)
    return render_template("analytics/show.html", **context)


@bp.get("/bots/<bot_id>/series")
@requires(Permission.ANALYTICS_VIEW)
def bot_points(bot_id: str) -> Response:
    """Its result and drawdown by day."""
    found = loading.bot(bot_id)
    return jsonify(analytics_pages.lines(Whose(found.workspace_id, bot_id=found.id)))


@bp.get("/strategies/<strategy_id>")
@requires(Permission.ANALYTICS_VIEW)
def strategy(strategy_id: str) -> ResponseReturnValue:
    """One strategy, over all its versions and bots."""
    found = loading.strategy(strategy_id)
    whose = Whose(found.workspace_id, strategy_id=found.id)
    return render_template("analytics/show.html", **analytics_pages.page(whose, strategy=found))


@bp.get("/strategies/<strategy_id>/series")
@requires(Permission.ANALYTICS_VIEW)
def strategy_points(strategy_id: str) -> Response:
    """Its result and drawdown by day."""
    found = loading.strategy(strategy_id)
    return jsonify(analytics_pages.lines(Whose(found.workspace_id, strategy_id=found.id)))


def _all() -> Whose:
    return Whose(current.workspace().id)
