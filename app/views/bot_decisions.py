"""A bot's decisions: the funnel, candle after candle, and the file of them."""

from flask import Blueprint, Response, render_template
from flask.typing import ResponseReturnValue

from app.domain.access import Permission
from app.web import decision_pages, loading
from app.web.guards import requires
from app.web.hypermedia import live

bp = Blueprint("bot_decisions", __name__, url_prefix="/w/<workspace>/bots/<bot_id>/decisions")


@bp.get("")
@requires(Permission.STRATEGY_VIEW)
def index(bot_id: str) -> ResponseReturnValue:
    """Candle by candle: what each component concluded, and how far each candle came."""
    context = decision_pages.shown(loading.bot(bot_id))
    return render_template("bots/decisions.html", version="", **context)


@bp.get("/live")
@requires(Permission.STRATEGY_VIEW)
def newest(bot_id: str) -> ResponseReturnValue:
    """The same as far as it changes by itself, polled."""
    return live("bots/_decisions.html", **decision_pages.shown(loading.bot(bot_id)))


@bp.get("/decisions.csv")
@requires(Permission.STRATEGY_VIEW)
def file(bot_id: str) -> Response:
    """All that is asked for, for a spreadsheet."""
    return decision_pages.file(loading.bot(bot_id))
