"""The kill switch: one page, one button. It asks for no password and for nobody else."""

from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import limit_breaches, panic, panic_progress
from app.domain.access import Permission
from app.domain.panic import Resumed
from app.forms.panic import ACT_DETAILS, ACTS, REASONS, PanicForm
from app.models import Kill
from app.models.base import new_id
from app.web.formatting import count
from app.web.guards import requires
from app.web.hypermedia import live, redirect_to

bp = Blueprint("panic", __name__, url_prefix="/w/<workspace>/panic")


@bp.get("")
@requires(Permission.POSITION_PANIC_CLOSE)
def ask() -> ResponseReturnValue:
    """What will happen, and to which bots; the press of this page is one, however often sent."""
    form = _form()
    form.press.data = new_id("prs").removeprefix("prs_")
    return _page(form)


@bp.post("")
@requires(Permission.POSITION_PANIC_CLOSE)
def close() -> ResponseReturnValue:
    """Do it."""
    form = _form()
    kill = form.attempt(lambda: _press(form))
    if kill is None:
        return _page(form), 422
    return redirect_to(url_for(".show", kill_id=kill.id))


@bp.get("/<kill_id>")
@requires(Permission.POSITION_PANIC_CLOSE)
def show(kill_id: str) -> ResponseReturnValue:
    """How far it has come."""
    return render_template("panic/kill.html", version="", **_progress(_kill(kill_id)))


@bp.get("/<kill_id>/progress")
@requires(Permission.POSITION_PANIC_CLOSE)
def progress(kill_id: str) -> ResponseReturnValue:
    """The part that changes by itself, polled."""
    return live("panic/_progress.html", **_progress(_kill(kill_id)))


@bp.post("/<kill_id>/resume")
@requires(Permission.BOT_START)
def resume(kill_id: str) -> ResponseReturnValue:
    """Let the bots that it paused enter again."""
    outcome = panic.resume(_kill(kill_id), by=current.actor(), now=current.now())
    return redirect_to(url_for(".show", kill_id=kill_id), toast=_said(outcome))


def _form() -> PanicForm:
    form = PanicForm()
    found = panic.candidates(current.workspace())
    form.offer([(bot.id, bot.name) for bot in found], request.args.get("bot"))
    return form


def _page(form: PanicForm) -> str:
    earlier = panic.recent(current.workspace())
    return render_template(
        "panic/show.html",
        form=form,
        details=ACT_DETAILS,
        reasons=REASONS,
        earlier=earlier,
        acts=dict(ACTS),
        now=current.now(),
    )


def _press(form: PanicForm) -> Kill:
    return panic.press(
        current.workspace(),
        form.order,
        author=current.user(),
        by=current.actor(),
        now=current.now(),
    )


def _kill(kill_id: str) -> Kill:
    return panic.find(current.workspace(), kill_id) or abort(404)


def _progress(kill: Kill) -> dict[str, Any]:
    found = panic_progress.of(kill, current.now())
    resumable = panic.to_resume(kill)
    limited = limit_breaches.bots_held(current.workspace(), current.now())
    return {
        "kill": kill,
        "progress": found,
        "presser": panic.presser(kill),
        "resumable": resumable,
        "passed": [bot for bot in resumable if bot.id in limited],
        "settled": found.over,
        "now": current.now(),
    }


def _said(outcome: Resumed) -> str:
    done = f"{count(len(outcome.bots), 'bot')} may enter again."
    return " ".join([done, *(f"{bot.name}: {why}" for bot, why in outcome.refused)])
