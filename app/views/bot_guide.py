"""The guide through the first position on paper: what somebody saw, and putting it away."""

from flask import Blueprint, Response, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import first_position
from app.domain.access import Permission
from app.domain.first_position import Stage
from app.models import Bot
from app.web import bot_pages, loading
from app.web.guards import requires
from app.web.hypermedia import done, redirect_to, signal

bp = Blueprint("bot_guide", __name__, url_prefix="/w/<workspace>/bots/<bot_id>/guide")


@bp.post("/opened")
@requires(Permission.BOT_START)
def opened(bot_id: str) -> ResponseReturnValue:
    """They saw a position open."""
    return _saw(loading.bot(bot_id), Stage.OPEN, "Next: what is left when it has closed.")


@bp.post("/closed")
@requires(Permission.BOT_START)
def closed(bot_id: str) -> ResponseReturnValue:
    """They saw what is left of it."""
    toast = "That was a whole position on paper, from entry to result."
    return _saw(loading.bot(bot_id), Stage.CLOSED, toast)


@bp.post("/hide")
@requires(Permission.BOT_START)
def hide(bot_id: str) -> ResponseReturnValue:
    """Not now."""
    bot = loading.bot(bot_id)
    first_position.hide(current.user(), by=current.actor(), now=current.now())
    return _answer(bot, "The guide is put away. Under Mode, Going live, it can be shown again.")


@bp.post("/show")
@requires(Permission.BOT_START)
def show(bot_id: str) -> ResponseReturnValue:
    """Once more."""
    bot = loading.bot(bot_id)
    first_position.show_again(current.user(), by=current.actor(), now=current.now())
    return redirect_to(url_for("bots.show", bot_id=bot.id))


def _saw(bot: Bot, stage: Stage, toast: str) -> Response:
    by, now = current.actor(), current.now()
    first_position.saw(bot, current.user(), stage, by=by, now=now)
    return _answer(bot, toast)


def _answer(bot: Bot, toast: str) -> Response:
    """The state panel anew; the rest of the page looks again, as its marks move."""
    page, state = url_for("bots.show", bot_id=bot.id), bot_pages.state_of(bot)
    return signal(done(page, "bots/_state.html", toast, version="", **state), "bot-changed")
