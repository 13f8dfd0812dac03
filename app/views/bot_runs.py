"""What can be asked of a bot: start, stop, pause, resume, flatten, try again."""

from flask import Blueprint, Response, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import bots, retries
from app.domain.access import Permission
from app.models import Bot
from app.web import bot_pages, code_pages, loading
from app.web.guards import requires
from app.web.hypermedia import done, signal

bp = Blueprint("bot_runs", __name__, url_prefix="/w/<workspace>/bots/<bot_id>")


@bp.post("/start")
@requires(Permission.BOT_START)
def start(bot_id: str) -> ResponseReturnValue:
    """Follow the schedule."""
    bot = loading.bot(bot_id)
    code_pages.runnable(bot.version)
    bots.start(bot, by=current.actor(), now=current.now())
    return _answer(bot, f"{bot.name} follows its schedule.")


@bp.post("/stop")
@requires(Permission.BOT_STOP)
def stop(bot_id: str) -> ResponseReturnValue:
    """Finish, then sleep."""
    bot = loading.bot(bot_id)
    bots.stop(bot, by=current.actor(), now=current.now())
    return _answer(bot, f"{bot.name} finishes and then sleeps; its address stays.")


@bp.post("/pause")
@requires(Permission.BOT_STOP)
def pause(bot_id: str) -> ResponseReturnValue:
    """No entries; exits are managed."""
    bot = loading.bot(bot_id)
    bots.pause(bot, by=current.actor(), now=current.now())
    return _answer(bot, f"{bot.name} opens nothing new; exits are managed.")


@bp.post("/resume")
@requires(Permission.BOT_START)
def resume(bot_id: str) -> ResponseReturnValue:
    """Entries again."""
    bot = loading.bot(bot_id)
    bots.resume(bot, by=current.actor(), now=current.now())
    return _answer(bot, f"{bot.name} may enter again.")


@bp.post("/flatten")
@requires(Permission.POSITION_CLOSE)
def flatten(bot_id: str) -> ResponseReturnValue:
    """Close what is open, at market."""
    bot = loading.bot(bot_id)
    bots.flatten(bot, by=current.actor(), now=current.now())
    return _answer(bot, f"{bot.name} was told to close its position.")


@bp.post("/retry")
@requires(Permission.BOT_START)
def retry(bot_id: str) -> ResponseReturnValue:
    """Try at once what could not be done."""
    bot = loading.bot(bot_id)
    retries.now_for(bot, by=current.actor(), now=current.now())
    return _answer(bot, f"{bot.name} tries again now.")


def _answer(bot: Bot, toast: str) -> Response:
    """The state panel anew; the rest of the page is told to look again."""
    page = url_for("bots.show", bot_id=bot.id)
    return signal(
        done(page, "bots/_state.html", toast, version="", **bot_pages.state_of(bot)), "bot-changed"
    )
