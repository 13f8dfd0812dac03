"""Going live: what a bot has shown, what is missing, and the request."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import bot_safety
from app.domain.access import Permission
from app.web import live_pages, loading
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("bot_live", __name__, url_prefix="/w/<workspace>/bots/<bot_id>/live")


@bp.get("")
@requires(Permission.BOT_CONFIGURE)
def show(bot_id: str) -> ResponseReturnValue:
    """Each line good or missing, and what to do about it."""
    bot = loading.bot(bot_id)
    form = live_pages.form_of(bot)
    form.show(bot, request.args.get("connection"))
    return render_template("bots/live.html", **live_pages.facts(bot, form))


@bp.post("")
@requires(Permission.BOT_CONFIGURE)
def act(bot_id: str) -> ResponseReturnValue:
    """Save what guards it, or go live; who may not alone asks for it."""
    bot = loading.bot(bot_id)
    form = live_pages.form_of(bot)
    wanted = request.form.get("act", "save")
    said = form.attempt(lambda: live_pages.carry_out(bot, form, wanted))
    if said is None:
        return render_template("bots/live.html", **live_pages.facts(bot, form)), 422
    return redirect_to(url_for(".show", bot_id=bot.id), toast=said)


@bp.post("/check")
@requires(Permission.BOT_CONFIGURE)
def check(bot_id: str) -> ResponseReturnValue:
    """Have its machine look at the key again."""
    bot = loading.bot(bot_id)
    bot_safety.look_again(bot, by=current.actor(), now=current.now())
    toast = "Its machine looks at the key as soon as the bot is flat, or at the next wake."
    return redirect_to(url_for(".show", bot_id=bot.id), toast=toast)
