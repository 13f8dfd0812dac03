"""The signals of a bot: what came in and what became of it, its webhook, and trying it out."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.access import Permission
from app.domain.signals import hooks
from app.forms.signals import HookForm
from app.models import Bot
from app.web import loading, signal_pages
from app.web.guards import requires
from app.web.hypermedia import live, redirect_to

bp = Blueprint("bot_signals", __name__, url_prefix="/w/<workspace>/bots/<bot_id>/signals")


@bp.get("")
@requires(Permission.STRATEGY_VIEW)
def index(bot_id: str) -> ResponseReturnValue:
    """What came in, newest first, and how to set it up."""
    return signal_pages.index(loading.bot(bot_id))


@bp.get("/list")
@requires(Permission.STRATEGY_VIEW)
def rows(bot_id: str) -> ResponseReturnValue:
    """The list alone, polled."""
    shown = signal_pages.listed(loading.bot(bot_id))
    return live("bots/_signals.html", settled=shown["still"], **shown)


@bp.post("/secret")
@requires(Permission.BOT_CONFIGURE)
def renew(bot_id: str) -> ResponseReturnValue:
    """Open the webhook, or replace its secret; the answer shows it this once."""
    bot, by, now = loading.bot(bot_id), current.actor(), current.now()
    secret = hooks.renew(bot, locker=current.locker(), author=current.user(), by=by, now=now)
    shown = signal_pages.door(bot, secret)
    return render_template("bots/signal_secret.html", bot=bot, secret=secret, **shown)


@bp.post("/revoke")
@requires(Permission.BOT_CONFIGURE)
def revoke(bot_id: str) -> ResponseReturnValue:
    """Shut the webhook."""
    bot = loading.bot(bot_id)
    hooks.revoke(bot, by=current.actor(), now=current.now())
    return _back(bot, "The webhook is shut; nothing that is sent to it is taken any more.")


@bp.get("/settings")
@requires(Permission.BOT_CONFIGURE)
def settings(bot_id: str) -> ResponseReturnValue:
    """Who may send, how old a message may be, names of symbols."""
    bot, form = loading.bot(bot_id), HookForm(formdata=None)
    hook = hooks.of(bot)
    if hook is None:
        return redirect_to(url_for(".index", bot_id=bot.id))
    form.show(hook)
    return signal_pages.settings(bot, form)


@bp.post("/settings")
@requires(Permission.BOT_CONFIGURE)
def configure(bot_id: str) -> ResponseReturnValue:
    """Set them."""
    bot, form = loading.bot(bot_id), HookForm()
    if form.accepts(lambda: signal_pages.configure(bot, form)):
        return _back(bot, "Saved.")
    return signal_pages.settings(bot, form), 422


@bp.post("/test")
@requires(Permission.BOT_CONFIGURE)
def test(bot_id: str) -> ResponseReturnValue:
    """Check a message as if it had come; the bot is told nothing."""
    return signal_pages.test(loading.bot(bot_id))


def _back(bot: Bot, toast: str) -> ResponseReturnValue:
    return redirect_to(url_for(".index", bot_id=bot.id), toast=toast)
