"""Writing off what an exchange lists no more."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import write_offs
from app.domain.access import Permission
from app.forms.write_off import WriteOffForm
from app.models import Bot
from app.web import loading
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("write_offs", __name__, url_prefix="/w/<workspace>/bots/<bot_id>/write-off")


@bp.get("")
@requires(Permission.POSITION_CLOSE)
def new(bot_id: str) -> ResponseReturnValue:
    """What is left, what writing it off means, and why it is done."""
    return _page(loading.bot(bot_id))


@bp.post("")
@requires(Permission.POSITION_CLOSE)
def create(bot_id: str) -> ResponseReturnValue:
    """Let the bot forget it."""
    bot = loading.bot(bot_id)
    form = _form(bot)
    name, reason, by, now = form.symbol.data, form.reason.data, current.actor(), current.now()
    if form.accepts(lambda: write_offs.write_off(bot, name, reason, by=by, now=now)):
        toast = f"{bot.name} looks once more, then forgets what it had there."
        return redirect_to(url_for("bots.show", bot_id=bot.id), toast=toast)
    return _page(bot, form), 422


def _form(bot: Bot) -> WriteOffForm:
    form = WriteOffForm()
    form.offer(write_offs.symbols(bot))
    return form


def _page(bot: Bot, form: WriteOffForm | None = None) -> str:
    left, asked = write_offs.symbols(bot), write_offs.asked(bot)
    form = form or _form(bot)
    return render_template("bots/write_off.html", bot=bot, form=form, left=left, asked=asked)
