"""Panic: one page, one button, everything flat. It asks for no password and for nobody else."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import panic
from app.domain.access import Permission
from app.domain.panic import Outcome
from app.forms.base import offered
from app.forms.bots import PanicForm
from app.web.formatting import count
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("panic", __name__, url_prefix="/w/<workspace>/panic")


@bp.get("")
@requires(Permission.POSITION_PANIC_CLOSE)
def ask() -> ResponseReturnValue:
    """What will happen, and to which bots."""
    form = _form()
    form.bots.data = [choice.value for choice in form.bots.choices]
    return render_template("panic/show.html", form=form)


@bp.post("")
@requires(Permission.POSITION_PANIC_CLOSE)
def close() -> ResponseReturnValue:
    """Do it."""
    form = _form()
    outcome = form.attempt(lambda: _close(form))
    if outcome is None:
        return render_template("panic/show.html", form=form), 422
    return redirect_to(url_for("dashboard.show"), toast=_said(outcome))


def _form() -> PanicForm:
    form = PanicForm()
    found = panic.candidates(current.workspace())
    form.bots.choices = offered((bot.id, bot.name) for bot in found)
    return form


def _close(form: PanicForm) -> Outcome:
    wanted = set(form.bots.data or ())
    chosen = [bot for bot in panic.candidates(current.workspace()) if bot.id in wanted]
    return panic.close(current.workspace(), chosen, by=current.actor(), now=current.now())


def _said(outcome: Outcome) -> str:
    closing = count(len(outcome.flattening), "bot")
    return f"{closing} told to cancel entries and close at market; all stay paused until resumed."
