"""For operators: no bot of the whole installation enters, until it is lifted."""

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import holds
from app.domain.errors import Conflict
from app.forms.holds import HoldForm
from app.models import Hold
from app.web import status_pages
from app.web.guards import operator
from app.web.hypermedia import redirect_to

bp = Blueprint("console_holds", __name__, url_prefix="/operator/holds")


@bp.get("")
@operator
def index() -> ResponseReturnValue:
    """The form, and all there were."""
    return _page(HoldForm(formdata=None))


@bp.post("")
@operator
def impose() -> ResponseReturnValue:
    """Let no bot enter."""
    form = HoldForm()
    if form.attempt(lambda: _impose(form)) is None:
        return _page(form), 422
    return redirect_to(url_for(".index"), toast="No bot enters until you lift it.")


@bp.post("/<hold_id>/lift")
@operator
def lift(hold_id: str) -> ResponseReturnValue:
    """Let them enter again."""
    found = holds.find(hold_id) or abort(404)
    if found.lifted_at or not holds.lift(current.now(), by=current.actor()):
        raise Conflict("It was lifted already; look again.")
    status_pages.drop()
    return redirect_to(url_for(".index"), toast="Bots may enter again.")


def _impose(form: HoldForm) -> Hold:
    status_pages.drop()
    text, now = form.text.data or "", current.now()
    return holds.impose(text, now, by=current.actor(), author=current.user())


def _page(form: HoldForm) -> str:
    found = holds.latest()
    standing = next((it for it in found if it.lifted_at is None), None)
    return render_template(
        "console/holds.html",
        form=form,
        found=found,
        imposers=holds.imposers(found),
        standing=standing,
    )
