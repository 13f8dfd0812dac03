"""Confirming who it is, where no form of its own asks for it."""

from flask import Blueprint, make_response, request, url_for
from flask.typing import ResponseReturnValue

from app.web import freshness
from app.web.addresses import safe_next
from app.web.guards import signed_in
from app.web.hypermedia import redirect_to

bp = Blueprint("confirmation", __name__, url_prefix="/account/confirm")


@bp.get("")
@signed_in
def show() -> ResponseReturnValue:
    """Ask for the password."""
    if freshness.is_fresh():
        return redirect_to(_onward())
    return make_response(freshness.page(request.full_path, _onward()), 200)


@bp.post("")
@signed_in
def confirm() -> ResponseReturnValue:
    """Check it and go on to the page that wanted to know."""
    freshness.demand()
    return redirect_to(_onward(), toast="Thank you. Go on.")


def _onward() -> str:
    return safe_next(request.args.get("next")) or url_for("home.index")
