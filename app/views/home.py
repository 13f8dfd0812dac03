"""The front door: on to the workspace used last."""

from flask import Blueprint, url_for
from werkzeug import Response

from app.web import frame
from app.web.guards import signed_in
from app.web.hypermedia import redirect_to

bp = Blueprint("home", __name__)


@bp.get("/")
@signed_in
def index() -> Response:
    """Everybody has at least a personal workspace."""
    member = frame.last_membership()
    if member is None:
        return redirect_to(url_for("account.show"))
    return redirect_to(url_for("dashboard.show", workspace=member.workspace_id))
