"""Before a ticket is sent: what may be wrong, what would be sent along, and whether it helped."""

from flask import Blueprint, abort, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.access import Permission
from app.domain.support import hints
from app.web import ticket_help
from app.web.guards import requires
from app.web.hypermedia import fragment, redirect_to

bp = Blueprint("ticket_hints", __name__, url_prefix="/w/<workspace>/tickets")


@bp.get("/new/about")
@requires(Permission.TICKET_OPEN)
def about() -> ResponseReturnValue:
    """The part of the form that depends on what was chosen."""
    return fragment("tickets/_about.html", **ticket_help.of_request())


@bp.post("/hints")
@requires(Permission.TICKET_OPEN)
def helped() -> ResponseReturnValue:
    """A hint solved it: no ticket is needed."""
    key = request.form.get("hint", "")
    if key not in hints.KNOWN:
        abort(400, "That is none of the hints.")
    hints.note([key], current.now(), helped=True)
    toast = "Good. We count that it helped; nothing was sent."
    return redirect_to(url_for("tickets.index"), toast=toast)
