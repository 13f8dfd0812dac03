"""What is kept of a person: taking it out, and leaving."""

import json

from flask import Blueprint, Response, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import account_data, leaving
from app.forms.accounts import LeavingForm
from app.web import identity
from app.web.guards import demand_fresh, signed_in
from app.web.hypermedia import redirect_to

bp = Blueprint("account_data", __name__, url_prefix="/account")


@bp.get("/data")
@signed_in
def show() -> ResponseReturnValue:
    """What the file holds, and the way to the end of the account."""
    return render_template("account/data.html")


@bp.post("/data")
@signed_in
def download() -> ResponseReturnValue:
    """All of it as one file; that it was taken out becomes an event."""
    demand_fresh()
    found = account_data.taken_out(current.user(), by=current.actor(), now=current.now())
    answer = Response(json.dumps(found, indent=1), mimetype="application/json")
    answer.headers["Content-Disposition"] = f'attachment; filename="{current.user().id}.json"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/delete")
@signed_in
def ask() -> ResponseReturnValue:
    """What deleting means, and what stands in its way."""
    return _ending(LeavingForm())


@bp.post("/delete")
@signed_in
def delete() -> ResponseReturnValue:
    """Delete the account; nobody is signed in any more."""
    demand_fresh()
    form = LeavingForm()
    if not form.accepts(lambda: _delete(form.email.data or "")):
        return _ending(form), 422
    identity.forget()
    return redirect_to(url_for("auth.sign_in"), toast="Your account is deleted. Farewell.")


def _delete(typed: str) -> None:
    leaving.delete(current.user(), typed=typed, by=current.actor(), now=current.now())


def _ending(form: LeavingForm) -> str:
    busy = leaving.obstacles(current.user(), current.now())
    return render_template("account/delete.html", form=form, busy=busy)
