"""Where somebody is signed in, and ending it."""

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import accounts
from app.web import identity
from app.web.guards import demand_fresh, signed_in
from app.web.hypermedia import redirect_to

bp = Blueprint("account_sessions", __name__, url_prefix="/account/sessions")


@bp.get("")
@signed_in
def index() -> ResponseReturnValue:
    """All live sessions, this one marked."""
    return render_template(
        "account/sessions.html",
        sessions=accounts.live_sessions(current.user(), current.now()),
        here=identity.current_session(),
        now=current.now(),
    )


@bp.post("/<session_id>/revoke")
@signed_in
def revoke(session_id: str) -> ResponseReturnValue:
    """End one session, on its next request."""
    demand_fresh()
    person, by = current.user(), current.actor()
    if not accounts.revoke(person, session_id, by=by, now=current.now()):
        abort(404)
    return redirect_to(url_for(".index"), toast="That session has ended.")


@bp.post("/others/revoke")
@signed_in
def revoke_others() -> ResponseReturnValue:
    """End all sessions but this one."""
    demand_fresh()
    here = identity.current_session() or abort(404)
    ended = accounts.revoke_others(here, by=current.actor(), now=current.now())
    return redirect_to(url_for(".index"), toast=f"Ended: {ended}. You stay signed in here.")
