"""The links in letters about costs: an address confirms, or takes itself off."""

from flask import Blueprint, Response, make_response, render_template
from flask.typing import ResponseReturnValue

from app import current
from app.domain import billing_contacts
from app.domain.errors import Conflict
from app.extensions import csrf
from app.web.guards import public

bp = Blueprint("billing_letters", __name__, url_prefix="/billing")


@bp.after_request
def keep_nowhere(response: Response) -> Response:
    """Neither caches nor search engines keep what a link shows."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@bp.get("/contact/<token>")
@public
def confirm(token: str) -> ResponseReturnValue:
    """Ask for a press of the button: mail scanners open links too."""
    return _link("confirm", billing_contacts.waiting(token, current.now()))


@bp.post("/contact/<token>")
@public
def begin(token: str) -> ResponseReturnValue:
    """They want to be told."""
    found = billing_contacts.waiting(token, current.now())
    try:
        billing_contacts.confirm(token, by=current.actor(), now=current.now())
    except Conflict:
        return _link("confirm", None)
    return _link("confirmed", found)


@bp.get("/leave/<token>")
@public
def leave(token: str) -> ResponseReturnValue:
    """Ask for a press of the button here too."""
    return _link("leave", billing_contacts.leaver(token))


@bp.post("/leave/<token>")
@public
def end(token: str) -> ResponseReturnValue:
    """End it. Mail programs press this too (RFC 8058), so the link itself is the proof."""
    found = billing_contacts.leaver(token)
    try:
        billing_contacts.leave(token, by=current.actor(), now=current.now())
    except Conflict:
        return _link("leave", None)
    return _link("left", found)


csrf.exempt(end)


def _link(what: str, found: tuple[str, str] | None) -> Response:
    email, workspace = found or ("", "")
    body = render_template(
        "billing/link.html", what=what, good=bool(found), email=email, workspace=workspace
    )
    return make_response(body, 200 if found else 410)
