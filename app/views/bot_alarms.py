"""A bot's alarms: who looks after which."""

from flask import Blueprint, abort, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import bot_alarms
from app.domain.access import Permission
from app.domain.errors import Conflict
from app.web import bot_pages, loading
from app.web.guards import requires
from app.web.hypermedia import done

bp = Blueprint("bot_alarms", __name__, url_prefix="/w/<workspace>/bots/<bot_id>/alarms")


@bp.post("/<bot_alarm_id>/take")
@requires(Permission.BOT_STOP)
def take(bot_id: str, bot_alarm_id: str) -> ResponseReturnValue:
    """Say that one looks after it."""
    bot = loading.bot(bot_id)
    alarm = bot_alarms.find(bot, bot_alarm_id) or abort(404)
    person, by, now = current.user(), current.actor(), current.now()
    if not bot_alarms.take(alarm, bot, person, by=by, now=now):
        raise Conflict("It is over, or yours already; look again.")
    page = url_for("bots.show", bot_id=bot.id)
    context = bot_pages.state_of(bot)
    return done(page, "bots/_state.html", "It is yours.", version="", **context)
