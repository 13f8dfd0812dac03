"""What operators decide about things in the cloud that no row accounts for."""

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import finds
from app.web import fleet_rows
from app.web.guards import operator
from app.web.hypermedia import redirect_to

bp = Blueprint("console_finds", __name__, url_prefix="/operator/fleet/finds")


@bp.post("/<find_id>/keep")
@operator
def keep(find_id: str) -> ResponseReturnValue:
    """Leave it in the cloud."""
    finds.keep(fleet_rows.find(find_id), current.user(), by=current.actor(), now=current.now())
    return redirect_to(url_for("console_fleet.sweeps"), toast="It is kept.")


@bp.post("/<find_id>/delete")
@operator
def delete(find_id: str) -> ResponseReturnValue:
    """Have it deleted."""
    finds.release(fleet_rows.find(find_id), current.user(), by=current.actor(), now=current.now())
    return redirect_to(url_for("console_fleet.sweeps"), toast="It is being deleted.")
