"""The operator's console: how the platform does, and the letters it sends."""

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import mail_console
from app.models import Mail, MailState
from app.web.guards import operator
from app.web.hypermedia import redirect_to
from app.web.loading import page_number

bp = Blueprint("console", __name__, url_prefix="/operator")
TONES = {
    MailState.QUEUED: "info",
    MailState.SENT: "good",
    MailState.FAILED: "bad",
    MailState.UNSENT: "warn",
    MailState.UNKNOWN: "warn",
    MailState.CANCELLED: "neutral",
}


@bp.get("")
@operator
def index() -> ResponseReturnValue:
    """What needs the operator."""
    return render_template(
        "console/index.html",
        counts=mail_console.counts(),
        states=MailState,
        config=current.config(),
    )


@bp.get("/mail")
@operator
def letters() -> ResponseReturnValue:
    """Letters, newest first, of one state or of all."""
    state, number = _state(), page_number()
    found = mail_console.recent(state, number)
    return render_template(
        "console/letters.html",
        letters=found[: mail_console.PAGE],
        more=len(found) > mail_console.PAGE,
        number=number,
        state=state,
        tabs=_tabs(state),
        tones=TONES,
        config=current.config(),
        now=current.now(),
    )


@bp.post("/mail/check")
@operator
def check() -> ResponseReturnValue:
    """Send the operator a letter."""
    console = current.config().base_url + url_for(".letters")
    letter = mail_console.check(
        current.user(), console=console, by=current.actor(), now=current.now()
    )
    return redirect_to(url_for(".letter", mail_id=letter.id), toast="Asked for. Look again soon.")


@bp.get("/mail/<mail_id>")
@operator
def letter(mail_id: str) -> ResponseReturnValue:
    """One letter as it reads."""
    config = current.config()
    found = _letter(mail_id)
    said = mail_console.read(found, current.house())
    return render_template(
        "console/letter.html",
        letter=found,
        said=said,
        states=MailState,
        tones=TONES,
        config=config,
    )


@bp.post("/mail/<mail_id>/again")
@operator
def again(mail_id: str) -> ResponseReturnValue:
    """Send a letter again that failed or was never sent."""
    mail_console.send_again(_letter(mail_id), by=current.actor(), now=current.now())
    return redirect_to(url_for(".letter", mail_id=mail_id), toast="It is being sent again.")


def _tabs(state: MailState | None) -> list[tuple[str, str, bool]]:
    """All letters, and those of each state with their number."""
    counts = mail_console.counts()
    each = [
        (f"{one.capitalize()} {counts.get(one, 0)}", url_for(".letters", state=one), one is state)
        for one in MailState
    ]
    return [("All", url_for(".letters"), state is None), *each]


def _letter(mail_id: str) -> Mail:
    return mail_console.find(mail_id) or abort(404)


def _state() -> MailState | None:
    """The state to show alone; what is no state shows all."""
    wanted = request.args.get("state", "")
    return next((state for state in MailState if state == wanted), None)
