"""Trades: the list, a file of it, one trade, several side by side, and what people write."""

from flask import Blueprint, Response, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app.domain.access import Permission
from app.forms.trades import TradeNoteForm
from app.web import loading, trade_pages
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("trades", __name__, url_prefix="/w/<workspace>/trades")


@bp.get("")
@requires(Permission.ANALYTICS_VIEW)
def index() -> ResponseReturnValue:
    """Trades of all bots, filtered and sorted by the address, and paged."""
    context = trade_pages.listed(trade_pages.filter_form())
    return render_template("trades/index.html", **context)


@bp.get("/trades.csv")
@requires(Permission.ANALYTICS_EXPORT)
def file() -> Response:
    """Exactly what is filtered, all pages of it, for a spreadsheet."""
    return trade_pages.file(trade_pages.filter_form())


@bp.get("/compare")
@requires(Permission.ANALYTICS_VIEW)
def compare() -> ResponseReturnValue:
    """Up to four side by side."""
    context = trade_pages.compared(request.args.getlist("trade"))
    return render_template("trades/compare.html", **context)


@bp.get("/<trade_id>")
@requires(Permission.ANALYTICS_VIEW)
def show(trade_id: str) -> ResponseReturnValue:
    """One trade with all that happened around it."""
    return render_template("trades/show.html", **trade_pages.told(loading.trade(trade_id)))


@bp.get("/<trade_id>/series")
@requires(Permission.ANALYTICS_VIEW)
def points(trade_id: str) -> Response:
    """Candles and markers for its chart."""
    return jsonify(trade_pages.drawing(loading.trade(trade_id)))


@bp.post("/<trade_id>/note")
@requires(Permission.BOT_CONFIGURE)
def annotate(trade_id: str) -> ResponseReturnValue:
    """Put a note and tags on it."""
    trade, form = loading.trade(trade_id), TradeNoteForm()
    if not trade_pages.annotate(trade, form):
        return render_template("trades/show.html", **trade_pages.told(trade, form)), 422
    return redirect_to(url_for(".show", trade_id=trade.id), toast="Saved.")
