"""Subscribing to incidents by mail: asked, confirmed by a mailed link, ended with one press."""

from flask import Blueprint, Response, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.errors import Conflict
from app.domain.status import subscribers
from app.extensions import csrf
from app.forms.status import SubscribeForm
from app.web import links, mailed_forms
from app.web.guards import public

bp = Blueprint("status_letters", __name__, url_prefix="/status")


@bp.after_request
def keep_nowhere(response: Response) -> Response:
    """Neither caches nor search engines keep what a link shows."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@bp.get("/subscribe")
@public
def subscribe() -> ResponseReturnValue:
    """Ask for the address."""
    return _form(SubscribeForm(formdata=None))


@bp.post("/subscribe")
@public
def ask() -> ResponseReturnValue:
    """Send the letter that asks whether they mean it; the answer is the same for every address."""
    form = SubscribeForm()
    return mailed_forms.take(form, lambda: _ask(form), lambda: _form(form), url_for(".asked"))


@bp.get("/subscribe/asked")
@public
def asked() -> ResponseReturnValue:
    """What happens next."""
    return render_template("status/asked.html")


@bp.get("/subscribe/<token>")
@public
def confirm(token: str) -> ResponseReturnValue:
    """Ask for a press of the button: mail scanners open links too."""
    found = subscribers.waiting(token, current.now())
    return _link("confirm", 200 if found else 410, found.email if found else "")


@bp.post("/subscribe/<token>")
@public
def begin(token: str) -> ResponseReturnValue:
    """They mean it."""
    try:
        subscribers.confirm(token, current.now())
    except Conflict:
        return _link("confirm", 410)
    return _link("confirmed", 200)


@bp.get("/unsubscribe/<token>")
@public
def leave(token: str) -> ResponseReturnValue:
    """Ask for a press of the button here too."""
    found = subscribers.leaver(token)
    return _link("leave", 200 if found else 410, found.email if found else "")


@bp.post("/unsubscribe/<token>")
@public
def end(token: str) -> ResponseReturnValue:
    """End it. Mail programs press this too (RFC 8058), so the link itself is the proof."""
    try:
        subscribers.leave(token, current.now())
    except Conflict:
        return _link("leave", 410)
    return _link("left", 200)


csrf.exempt(end)


def _ask(form: SubscribeForm) -> None:
    if form.website.data:
        return
    by, now = current.actor(), current.now()
    subscribers.ask(form.email.data or "", link_to=links.subscribe, by=by, now=now)


def _form(form: SubscribeForm) -> str:
    return render_template("status/subscribe.html", form=form)


def _link(what: str, status: int, email: str = "") -> Response:
    body = render_template("status/link.html", what=what, good=status == 200, email=email)
    return make_response(body, status)
