"""For operators: a rolling upgrade of runners, begun, watched, paused, ended."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import upgrades
from app.forms.fleet import POLICY_DETAILS, UpgradeForm
from app.models import FleetUpgrade, Renewal
from app.web import fleet_pages, fleet_rows
from app.web.guards import operator
from app.web.hypermedia import live, redirect_to

bp = Blueprint("console_upgrades", __name__, url_prefix="/operator/fleet/upgrades")


@bp.get("")
@operator
def index() -> ResponseReturnValue:
    """The one under way or the form for one, and those before."""
    return _page(UpgradeForm(formdata=None))


@bp.get("/live")
@operator
def progress() -> ResponseReturnValue:
    """How far it is, polled."""
    return live("fleet/_upgrade.html", **fleet_pages.upgrade_parts())


@bp.post("")
@operator
def start() -> ResponseReturnValue:
    """Begin one."""
    form = UpgradeForm()
    if form.attempt(lambda: _start(form)) is None:
        return _page(form), 422
    return redirect_to(url_for(".index"), toast="The upgrade is under way.")


@bp.post("/<upgrade_id>/pause")
@operator
def pause(upgrade_id: str) -> ResponseReturnValue:
    """Take no further machine."""
    upgrades.pause(fleet_rows.upgrade(upgrade_id), by=current.actor(), now=current.now())
    return redirect_to(url_for(".index"), toast="It takes no further machine.")


@bp.post("/<upgrade_id>/resume")
@operator
def resume(upgrade_id: str) -> ResponseReturnValue:
    """Go on."""
    upgrades.resume(fleet_rows.upgrade(upgrade_id), by=current.actor(), now=current.now())
    return redirect_to(url_for(".index"), toast="It goes on.")


@bp.post("/<upgrade_id>/cancel")
@operator
def cancel(upgrade_id: str) -> ResponseReturnValue:
    """End it."""
    upgrades.cancel(fleet_rows.upgrade(upgrade_id), by=current.actor(), now=current.now())
    return redirect_to(url_for(".index"), toast="It is ended; what has not gone stays.")


def _start(form: UpgradeForm) -> FleetUpgrade:
    policy, by, now = Renewal(form.policy.data), current.actor(), current.now()
    return upgrades.start(policy, form.at_once.data, operator=current.user(), by=by, now=now)


def _page(form: UpgradeForm) -> str:
    parts = fleet_pages.upgrade_parts()
    return render_template(
        "fleet/upgrades.html", form=form, details=POLICY_DETAILS, version="", **parts
    )
