"""The desk as a whole: its hours and promises, and how well it keeps them."""

from flask import Blueprint, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.support import clocks, office, quality
from app.forms.desk_settings import HoursForm
from app.web.guards import operator
from app.web.hypermedia import redirect_to

bp = Blueprint("console_desk", __name__, url_prefix="/operator/tickets")


@bp.get("/hours")
@operator
def hours() -> ResponseReturnValue:
    """When the desk is open and what it promises, as a form."""
    return render_template("desk/hours.html", form=HoursForm.of(office.now_open()))


@bp.post("/hours")
@operator
def save_hours() -> ResponseReturnValue:
    """Change it; what runs is counted anew from here."""
    form = HoursForm()
    if not form.accepts(lambda: _save(form)):
        return render_template("desk/hours.html", form=form), 422
    return redirect_to(url_for(".hours"), toast="Saved. Running clocks go by it from now on.")


@bp.get("/quality")
@operator
def figures() -> ResponseReturnValue:
    """Figures of the last 7, 30 or 90 days, counted from the rows."""
    asked = request.args.get("days", default=30, type=int)
    days = asked if asked in quality.SPANS else 30
    found = quality.figures(days, current.now())
    return render_template("desk/quality.html", it=found, spans=quality.SPANS)


def _save(form: HoursForm) -> None:
    before, wanted, now = office.now_open(), form.office(), current.now()
    clocks.recount(before, wanted, now)
    office.save(wanted, by=current.actor(), now=now)
