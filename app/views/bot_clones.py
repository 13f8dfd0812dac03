"""Cloning a bot."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import bot_clones
from app.domain.access import Permission
from app.forms.bot_clones import CloneForm
from app.models import Bot
from app.web import loading
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("bot_clones", __name__, url_prefix="/w/<workspace>/bots/<bot_id>/clone")
COPY = " (clone)"


@bp.get("")
@requires(Permission.BOT_CREATE)
def new(bot_id: str) -> ResponseReturnValue:
    """What a clone gets and what it does not."""
    bot = loading.bot(bot_id)
    return _page(bot, CloneForm(data={"name": f"{bot.name[: 60 - len(COPY)]}{COPY}"}))


@bp.post("")
@requires(Permission.BOT_CREATE)
def create(bot_id: str) -> ResponseReturnValue:
    """Make it; its page opens."""
    bot, form = loading.bot(bot_id), CloneForm()
    made = form.attempt(lambda: _clone(bot, form))
    if made is None:
        return _page(bot, form), 422
    toast = f"{made.name} is created, stopped and on paper."
    return redirect_to(url_for("bots.show", bot_id=made.id), toast=toast)


def _clone(bot: Bot, form: CloneForm) -> Bot:
    return bot_clones.clone(
        bot,
        form.name.data or "",
        author=current.user(),
        by=current.actor(),
        now=current.now(),
        code_allowed=current.config().code_strategies,
        offered=current.config().compute.regions,
    )


def _page(bot: Bot, form: CloneForm) -> str:
    plan = bot_clones.plan(bot, current.config().compute.regions)
    return render_template("bots/clone.html", bot=bot, form=form, plan=plan)
