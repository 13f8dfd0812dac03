"""A workspace's settings, and its end."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import closures, workspaces
from app.domain.access import Permission
from app.forms.workspaces import DeleteForm, SettingsForm
from app.web.guards import requires
from app.web.hypermedia import redirect_to

bp = Blueprint("workspace_settings", __name__, url_prefix="/w/<workspace>/settings")


@bp.get("")
@requires(Permission.WORKSPACE_UPDATE)
def show() -> ResponseReturnValue:
    """Name, slug, zone."""
    return _page(SettingsForm(obj=current.workspace()))


@bp.post("")
@requires(Permission.WORKSPACE_UPDATE)
def update() -> ResponseReturnValue:
    """Change them."""
    form = SettingsForm()
    if not form.accepts(lambda: _update(form)):
        return _page(form), 422
    return redirect_to(url_for(".show"), toast="Saved.")


@bp.get("/delete")
@requires(Permission.WORKSPACE_DELETE)
def ask() -> ResponseReturnValue:
    """What deleting means, and what stands in its way."""
    return _ending(DeleteForm())


@bp.post("/delete")
@requires(Permission.WORKSPACE_DELETE)
def delete() -> ResponseReturnValue:
    """Delete it; the personal workspace opens."""
    form, workspace = DeleteForm(), current.workspace()
    name = workspace.name
    if not form.accepts(lambda: _delete(form.name.data or "")):
        return _ending(form), 422
    return redirect_to(url_for("home.index"), toast=f"{name} is deleted.")


def _update(form: SettingsForm) -> None:
    workspaces.update_profile(
        current.workspace(),
        name=form.name.data or "",
        slug=form.slug.data or "",
        zone=form.zone.data or "",
        by=current.actor(),
        now=current.now(),
    )


def _delete(typed_name: str) -> None:
    closures.delete(
        current.workspace(),
        typed_name=typed_name,
        acting=current.member(),
        by=current.actor(),
        now=current.now(),
    )


def _page(form: SettingsForm) -> str:
    return render_template(
        "workspaces/settings.html", form=form, workspace=current.workspace(), tab="general"
    )


def _ending(form: DeleteForm) -> str:
    workspace = current.workspace()
    busy = closures.obstacles(workspace, current.now())
    return render_template("workspaces/delete.html", form=form, workspace=workspace, busy=busy)
