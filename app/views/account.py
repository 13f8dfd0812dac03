"""A person's own settings, and which workspace is open."""

from flask import Blueprint, abort, render_template, request, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import accounts, workspaces
from app.forms.accounts import ProfileForm
from app.web.guards import own_memberships, signed_in
from app.web.hypermedia import redirect_to

bp = Blueprint("account", __name__, url_prefix="/account")


@bp.get("")
@signed_in
def show() -> ResponseReturnValue:
    """Name and theme."""
    return _page(ProfileForm(obj=current.user()))


@bp.post("")
@signed_in
def update() -> ResponseReturnValue:
    """Change name and theme."""
    form = ProfileForm()
    saved = form.accepts(
        lambda: accounts.update_profile(
            current.user(),
            name=form.name.data or "",
            theme=form.theme.data,
            by=current.actor(),
            now=current.now(),
        )
    )
    return redirect_to(url_for(".show"), toast="Saved.") if saved else (_page(form), 422)


@bp.post("/workspace")
@signed_in
def switch() -> ResponseReturnValue:
    """Open another workspace within the same login session."""
    wanted = request.form.get("workspace", "")
    if all(item.workspace_id != wanted for item in own_memberships()):
        abort(404)
    workspaces.remember(current.user(), wanted)
    return redirect_to(url_for("dashboard.show", workspace=wanted))


def _page(form: ProfileForm) -> str:
    return render_template("account/show.html", form=form)
