"""Bots: the list, a new one, and the pages of one with their live parts."""

from typing import Any

from flask import Blueprint, Response, abort, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import overview, records
from app.domain.access import Permission
from app.forms.bots import LIMITS, MODE_DETAILS, NewBotForm
from app.forms.schedule import KIND_DETAILS, ScheduleForm
from app.web import billing_pages, bot_pages, loading, new_bots
from app.web.guards import requires
from app.web.hypermedia import fragment, live, redirect_to, unchanged, wants_fragment

bp = Blueprint("bots", __name__, url_prefix="/w/<workspace>/bots")


@bp.get("")
@requires(Permission.BOT_VIEW)
def index() -> ResponseReturnValue:
    """All bots of the workspace."""
    rows = overview.summaries(current.workspace(), current.now(), current.config().tempo)
    return render_template("bots/index.html", rows=rows, now=current.now())


@bp.get("/new")
@requires(Permission.BOT_CREATE)
def new() -> ResponseReturnValue:
    """One page from template to running bot."""
    return _new_page(_new_form())


@bp.post("/new")
@requires(Permission.BOT_CREATE)
def create() -> ResponseReturnValue:
    """Create it and, if wished, start it."""
    form = _new_form()
    if form.grows(request.form):
        return _new_page(form)
    if "preview" in request.form:
        return _preview(form)
    bot = form.attempt(lambda: new_bots.create(form))
    if bot is None:
        return _new_page(form), 422
    return redirect_to(url_for(".show", bot_id=bot.id), toast=f"{bot.name} is created.")


@bp.get("/<bot_id>")
@requires(Permission.BOT_VIEW)
def show(bot_id: str) -> ResponseReturnValue:
    """State, chart, trades, latest decisions, machine."""
    return bot_pages.page("overview", loading.bot(bot_id))


@bp.get("/<bot_id>/orders")
@requires(Permission.BOT_VIEW)
def orders(bot_id: str) -> ResponseReturnValue:
    """Orders, fills and trades."""
    return bot_pages.page("orders", loading.bot(bot_id))


@bp.get("/<bot_id>/history")
@requires(Permission.BOT_VIEW)
def history(bot_id: str) -> ResponseReturnValue:
    """Its machines, sleep and wake, and who changed what."""
    return bot_pages.page("history", loading.bot(bot_id))


@bp.get("/<bot_id>/addresses.csv")
@requires(Permission.BOT_VIEW)
def addresses(bot_id: str) -> Response:
    """The whole history of its address, for a spreadsheet."""
    return bot_pages.addresses_of(loading.bot(bot_id))


@bp.get("/<bot_id>/state")
@requires(Permission.BOT_VIEW)
def state(bot_id: str) -> ResponseReturnValue:
    """The state panel, polled."""
    context = bot_pages.state_of(loading.bot(bot_id))
    return live("bots/_state.html", **context)


@bp.get("/<bot_id>/live/<tab>")
@requires(Permission.BOT_VIEW)
def tab(bot_id: str, tab: str) -> ResponseReturnValue:
    """The part of one tab that changes by itself, polled."""
    if tab not in bot_pages.TABS:
        abort(404)
    context = bot_pages.tab_of(tab, loading.bot(bot_id))
    return live(f"bots/_{tab}.html", **context)


@bp.get("/<bot_id>/series")
@requires(Permission.BOT_VIEW)
def points(bot_id: str) -> Response:
    """Candles, markers and the equity line for the charts."""
    bot = loading.bot(bot_id)
    symbol = request.args.get("symbol", bot.symbols[0])
    version = f"{records.revision(bot, symbol)}-{bot.mode}"
    if request.args.get("v") == version:
        return unchanged()
    return jsonify(version=version, **bot_pages.drawing(bot, symbol))


def _new_form() -> NewBotForm:
    form = NewBotForm()
    new_bots.offer(form)
    return form


def _new_page(form: NewBotForm, **context: Any) -> str:
    shown = {"preview": None, "preview_fault": "", **context}
    return render_template(
        "bots/new.html",
        form=form,
        kinds=KIND_DETAILS,
        modes=MODE_DETAILS,
        exchanges=new_bots.exchange_details(),
        limits=LIMITS,
        address_costs=billing_pages.address_sentences(current.config().compute.regions),
        **shown,
    )


def _preview(form: NewBotForm) -> ResponseReturnValue:
    """The week of the schedule as typed; the rest of the form need not be right yet."""
    typed = ScheduleForm()
    shown = bot_pages.preview(None, typed)
    if wants_fragment():
        return fragment("bots/_preview.html", form=typed, **shown)
    form.explained.data = typed.explained.data
    return _new_page(form, **shown)
