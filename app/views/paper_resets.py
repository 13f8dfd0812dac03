"""Starting the paper account of a bot afresh."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import paper_resets, records, runs
from app.domain.access import Permission
from app.forms.paper_resets import ResetForm
from app.models import Bot
from app.web import loading
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("paper_resets", __name__, url_prefix="/w/<workspace>/bots/<bot_id>/paper-reset")


@bp.get("")
@requires(Permission.BOT_CONFIGURE)
def new(bot_id: str) -> ResponseReturnValue:
    """What a reset ends and what stays."""
    bot = loading.bot(bot_id)
    return _page(bot, ResetForm(data={"starting_balance": format(bot.starting_balance, "f")}))


@bp.post("")
@requires(Permission.BOT_CONFIGURE)
def create(bot_id: str) -> ResponseReturnValue:
    """End the run and begin another one."""
    bot, form = loading.bot(bot_id), ResetForm()
    by, now = current.actor(), current.now()
    if form.accepts(lambda: paper_resets.reset(bot, form.balance, by=by, now=now)):
        toast = f"{bot.name} begins anew with {bot.starting_balance:,f} USDT."
        return redirect_to(url_for("bots.show", bot_id=bot.id), toast=toast)
    return _page(bot, form), 422


def _page(bot: Bot, form: ResetForm) -> str:
    run = records.run_of(bot)
    newest = records.equity(run, 1)
    return render_template(
        "bots/paper_reset.html",
        bot=bot,
        form=form,
        flat=runs.is_flat(bot, current.now()),
        run=run,
        equity=newest[-1] if newest else None,
    )
