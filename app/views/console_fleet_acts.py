"""What operators do about the fleet: retry, renew, shut a region, take an alarm."""

from flask import Blueprint, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import breakers, fleet_alarms, renewals, retries
from app.domain.errors import Conflict
from app.forms.fleet import RenewForm, ShutForm
from app.models import Renewal
from app.web import fleet_pages, fleet_rows
from app.web.guards import operator
from app.web.hypermedia import redirect_to

bp = Blueprint("console_fleet_acts", __name__, url_prefix="/operator/fleet")


@bp.post("/bots/<bot_id>/retry")
@operator
def retry(bot_id: str) -> ResponseReturnValue:
    """Look at once."""
    retries.now_for(fleet_rows.bot(bot_id), by=current.actor(), now=current.now())
    return redirect_to(_bot(bot_id), toast="It is tried again now.")


@bp.post("/bots/<bot_id>/renew")
@operator
def renew(bot_id: str) -> ResponseReturnValue:
    """Give it another machine."""
    found, form = fleet_rows.bot(bot_id), RenewForm()
    by, now, why = current.actor(), current.now(), form.why.data or ""
    if not form.accepts(
        lambda: renewals.ask(found, Renewal(form.policy.data), why, by=by, now=now)
    ):
        return fleet_pages.bot_page(found, form), 422
    return redirect_to(_bot(bot_id), toast="Its machine is to be renewed.")


@bp.post("/bots/<bot_id>/renew/off")
@operator
def keep_machine(bot_id: str) -> ResponseReturnValue:
    """Leave its machine where it is."""
    renewals.call_off(fleet_rows.bot(bot_id), by=current.actor(), now=current.now())
    return redirect_to(_bot(bot_id), toast="Its machine stays.")


@bp.get("/regions/<region>/shut")
@operator
def ask_shut(region: str) -> ResponseReturnValue:
    """What shutting a region means, and for how long."""
    return fleet_pages.shut_page(fleet_rows.region(region), ShutForm(formdata=None))


@bp.post("/regions/<region>/shut")
@operator
def shut(region: str) -> ResponseReturnValue:
    """Start nothing there for a while."""
    name, form = fleet_rows.region(region), ShutForm()
    hours, why, by, now = form.hours.data or 0, form.why.data or "", current.actor(), current.now()
    if not form.accepts(lambda: breakers.shut(name, hours, why, by=by, now=now)):
        return fleet_pages.shut_page(name, form), 422
    return redirect_to(url_for("console_fleet.index"), toast=f"Nothing is started in {name}.")


@bp.post("/regions/<region>/open")
@operator
def open_up(region: str) -> ResponseReturnValue:
    """Start machines there again."""
    name = fleet_rows.region(region)
    breakers.open_up(name, by=current.actor(), now=current.now())
    return redirect_to(url_for("console_fleet.index"), toast=f"{name} is open again.")


@bp.post("/alarms/<alarm_id>/take")
@operator
def take(alarm_id: str) -> ResponseReturnValue:
    """Say that one looks after it."""
    alarm = fleet_rows.alarm(alarm_id)
    if not fleet_alarms.take(alarm, current.user(), by=current.actor(), now=current.now()):
        raise Conflict("It is over, or yours already; look again.")
    return redirect_to(url_for("console_fleet.index"), toast="It is yours.")


def _bot(bot_id: str) -> str:
    return url_for("console_fleet.bot", bot_id=bot_id)
