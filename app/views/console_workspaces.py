"""For the operator: which workspaces there are, and taking one out of use."""

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import estate, workspaces
from app.forms.workspaces import SuspendForm
from app.models import Workspace
from app.web.guards import operator
from app.web.hypermedia import redirect_to

bp = Blueprint("console_workspaces", __name__, url_prefix="/operator/workspaces")


@bp.get("")
@operator
def index() -> ResponseReturnValue:
    """The newest, or those found; names and numbers alone, nothing of what is inside."""
    wanted = request.args.get("find", "").strip()[:80]
    found = estate.listing(wanted)
    return render_template(
        "console/workspaces.html",
        workspaces=found,
        people=estate.head_counts(found),
        wanted=wanted,
        most=estate.SHOWN,
        now=current.now(),
    )


@bp.get("/<workspace_id>")
@operator
def show(workspace_id: str) -> ResponseReturnValue:
    """One, with the form to suspend it or the button to give it back."""
    return _page(_found(workspace_id), SuspendForm())


@bp.post("/<workspace_id>/suspend")
@operator
def suspend(workspace_id: str) -> ResponseReturnValue:
    """Leave only looking, stopping and paying."""
    found, form = _found(workspace_id), SuspendForm()
    reason, by, now = form.reason.data or "", current.actor(), current.now()
    if not form.accepts(lambda: workspaces.suspend(found, reason=reason, by=by, now=now)):
        return _page(found, form), 422
    return redirect_to(url_for(".show", workspace_id=found.id), toast=f"{found.name} is suspended.")


@bp.post("/<workspace_id>/resume")
@operator
def resume(workspace_id: str) -> ResponseReturnValue:
    """Give it back."""
    found = _found(workspace_id)
    workspaces.resume(found, by=current.actor(), now=current.now())
    return redirect_to(
        url_for(".show", workspace_id=found.id), toast=f"{found.name} is in use again."
    )


def _found(workspace_id: str) -> Workspace:
    return estate.find(workspace_id) or abort(404)


def _page(found: Workspace, form: SuspendForm) -> str:
    return render_template(
        "console/workspace.html",
        workspace=found,
        form=form,
        owners=estate.owner_addresses(found),
        people=estate.head_counts([found]),
        now=current.now(),
    )
