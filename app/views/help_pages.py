"""How it works, in the product's own words."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app.domain import access, access_guide, paper_guide
from app.domain.support import desk_sight
from app.web.guards import signed_in

bp = Blueprint("help", __name__, url_prefix="/help")


@bp.get("")
@signed_in
def index() -> ResponseReturnValue:
    """States, modes, sleep and wake."""
    return render_template("help/index.html")


@bp.get("/permissions")
@signed_in
def permissions() -> ResponseReturnValue:
    """Who may do what: the registry that every route is guarded by."""
    return render_template("help/permissions.html", access=access, guide=access_guide)


@bp.get("/paper")
@signed_in
def paper() -> ResponseReturnValue:
    """What a fill on paper leaves out, and what it takes into account."""
    return render_template("help/paper.html", guide=paper_guide)


@bp.get("/support")
@signed_in
def support() -> ResponseReturnValue:
    """How the desk works, what it sees, and what somebody decides about it."""
    return render_template("help/support.html", promise=desk_sight.PROMISE)
