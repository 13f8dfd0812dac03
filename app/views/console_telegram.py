"""The operator's page about Telegram: what waits, what failed, and a test ring."""

from typing import Any

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.telegram import console
from app.models import CallState
from app.web.guards import operator
from app.web.hypermedia import redirect_to
from app.web.loading import page_number

bp = Blueprint("console_telegram", __name__, url_prefix="/operator/telegram")
TONES = {
    CallState.QUEUED: "info",
    CallState.SENT: "good",
    CallState.FAILED: "bad",
    CallState.UNKNOWN: "warn",
    CallState.CANCELLED: "neutral",
}


@bp.get("")
@operator
def index() -> ResponseReturnValue:
    """Calls, newest first, of one state or of all."""
    state, number = _state(), page_number()
    found = console.recent(state, number)
    return render_template(
        "console/telegram.html",
        calls=found[: console.PAGE],
        more=len(found) > console.PAGE,
        page=(state, number),
        tabs=_tabs(state),
        tones=TONES,
        stuck=console.STUCK,
        **_about(),
    )


@bp.post("/ring")
@operator
def ring() -> ResponseReturnValue:
    """Ring the operators' chat."""
    console.ring(current.user(), by=current.actor(), now=current.now())
    return redirect_to(url_for(".index"), toast="Asked for. It rings within seconds.")


@bp.post("/<call_id>/again")
@operator
def again(call_id: str) -> ResponseReturnValue:
    """Make a call again that failed."""
    found = console.find(call_id) or abort(404)
    console.again(found, by=current.actor(), now=current.now())
    return redirect_to(url_for(".index"), toast="It is being sent again.")


def _about() -> dict[str, Any]:
    settings = current.config().telegram
    return {
        "settings": settings,
        "sight": console.sight(settings.bot_id, settings.chat_id),
        "updates": console.updates(),
        "now": current.now(),
    }


def _tabs(state: CallState | None) -> list[tuple[str, str, bool]]:
    """All calls, and those of each state with their number."""
    counts = console.counts()
    each = [
        (f"{one.capitalize()} {counts.get(one, 0)}", url_for(".index", state=one), one is state)
        for one in CallState
    ]
    return [("All", url_for(".index"), state is None), *each]


def _state() -> CallState | None:
    """The state to show alone; what is no state shows all."""
    wanted = request.args.get("state", "")
    return next((state for state in CallState if state == wanted), None)
