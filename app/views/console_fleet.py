"""For operators: every bot's compute, one bot's and one machine's story, sweeps and finds."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from app import current
from app.web import fleet_pages, fleet_rows
from app.web.guards import operator
from app.web.hypermedia import live

bp = Blueprint("console_fleet", __name__, url_prefix="/operator/fleet")


@bp.get("")
@operator
def index() -> ResponseReturnValue:
    """Alarms, regions, and the list by its filters."""
    return render_template("fleet/index.html", version="", **fleet_pages.everything())


@bp.get("/rows")
@operator
def rows() -> ResponseReturnValue:
    """What of it changes by itself, polled."""
    return live("fleet/_rows.html", **fleet_pages.rows())


@bp.get("/bots/<bot_id>")
@operator
def bot(bot_id: str) -> ResponseReturnValue:
    """Where one bot lives, and what became of its machines."""
    return fleet_pages.bot_page(fleet_rows.bot(bot_id))


@bp.get("/bots/<bot_id>/live")
@operator
def story(bot_id: str) -> ResponseReturnValue:
    """What of it changes by itself, polled."""
    return live("fleet/_story.html", **fleet_pages.bot_parts(fleet_rows.bot(bot_id).id))


@bp.get("/machines/<machine_id>")
@operator
def machine(machine_id: str) -> ResponseReturnValue:
    """One generation from first to last, with what it wrote while starting."""
    return fleet_pages.machine_page(machine_id)


@bp.get("/sweeps")
@operator
def sweeps() -> ResponseReturnValue:
    """The latest looks at everything, and what no row accounts for."""
    return render_template("fleet/sweeps.html", now=current.now(), **fleet_pages.sweep_parts())
