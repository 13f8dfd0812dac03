"""Founding an organisation."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import workspaces
from app.forms.workspaces import FoundingForm
from app.models import Workspace
from app.web.guards import signed_in
from app.web.hypermedia import redirect_to

bp = Blueprint("workspaces", __name__, url_prefix="/workspaces")


@bp.get("/new")
@signed_in
def new() -> ResponseReturnValue:
    """Ask for a name."""
    return render_template("workspaces/new.html", form=FoundingForm())


@bp.post("/new")
@signed_in
def create() -> ResponseReturnValue:
    """Found it, and open it."""
    form = FoundingForm()
    made = form.attempt(lambda: _create(form))
    if made is None:
        return render_template("workspaces/new.html", form=form), 422
    toast = f"{made.name} is yours. Invite the people you work with."
    return redirect_to(url_for("members.index", workspace=made.id), toast=toast)


def _create(form: FoundingForm) -> Workspace:
    made = workspaces.create_organisation(
        form.name.data or "",
        current.user(),
        slug=form.slug.data or None,
        by=current.actor(),
        now=current.now(),
    )
    workspaces.remember(current.user(), made.id)
    return made
