"""What an operator sees under an access that was granted: pages to read, and no other route."""

from flask import Blueprint
from flask.typing import ResponseReturnValue

from app.web import looking
from app.web.guards import operator

bp = Blueprint("look", __name__, url_prefix="/operator/look/<access_id>")


@bp.get("")
@operator
def index(access_id: str) -> ResponseReturnValue:
    """The bots of the workspace."""
    return looking.bots(looking.begin(access_id))


@bp.get("/bots/<bot_id>")
@operator
def bot(access_id: str, bot_id: str) -> ResponseReturnValue:
    """One bot: its state, position, trades and configuration."""
    return looking.tab(looking.begin(access_id), bot_id, "overview")


@bp.get("/bots/<bot_id>/orders")
@operator
def orders(access_id: str, bot_id: str) -> ResponseReturnValue:
    """Its orders, fills and trades."""
    return looking.tab(looking.begin(access_id), bot_id, "orders")


@bp.get("/bots/<bot_id>/decisions")
@operator
def decisions(access_id: str, bot_id: str) -> ResponseReturnValue:
    """Its decision log, where whoever granted the access may see it."""
    return looking.tab(looking.begin(access_id), bot_id, "decisions")


@bp.get("/bots/<bot_id>/machines")
@operator
def machines(access_id: str, bot_id: str) -> ResponseReturnValue:
    """The generations of its machine."""
    return looking.tab(looking.begin(access_id), bot_id, "machines")
