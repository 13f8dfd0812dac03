"""The one question after a ticket: did it help? Looking changes nothing; answering works once."""

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from app import current
from app.domain.support import ratings
from app.web.guards import public

bp = Blueprint("rating", __name__, url_prefix="/rate")


@bp.get("/<token>")
@public
def show(token: str) -> ResponseReturnValue:
    """The question, if it still waits."""
    waits = ratings.open_question(token, current.now())
    return render_template("rating/show.html", token=token, state="open" if waits else "over")


@bp.post("/<token>")
@public
def rate(token: str) -> ResponseReturnValue:
    """Answer it; what is neither yes nor no asks again."""
    said = request.form.get("good")
    if said not in ("yes", "no"):
        return show(token)
    ratings.rate(token, good=said == "yes", now=current.now())
    return render_template("rating/show.html", token=token, state="thanks")
