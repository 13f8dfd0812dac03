"""For operators: maintenance that every page announces."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import banners
from app.forms.fleet import BannerForm
from app.models import FleetNotice
from app.web import fleet_rows, status_pages
from app.web.guards import operator
from app.web.hypermedia import redirect_to

bp = Blueprint("console_banners", __name__, url_prefix="/operator/maintenance")


@bp.get("")
@operator
def index() -> ResponseReturnValue:
    """The form, and all there were."""
    return _page(BannerForm(formdata=None))


@bp.post("")
@operator
def announce() -> ResponseReturnValue:
    """Show one on every page."""
    form = BannerForm()
    if form.attempt(lambda: _announce(form)) is None:
        return _page(form), 422
    return redirect_to(url_for(".index"), toast="Every page shows it.")


@bp.post("/<banner_id>/withdraw")
@operator
def withdraw(banner_id: str) -> ResponseReturnValue:
    """Show it no more."""
    banners.withdraw(fleet_rows.banner(banner_id), by=current.actor(), now=current.now())
    status_pages.drop()
    return redirect_to(url_for(".index"), toast="It is shown no more.")


def _announce(form: BannerForm) -> FleetNotice:
    starts = banners.moment(form.starts.data or "", "starts")
    ends = banners.moment(form.ends.data or "", "ends")
    by, now = current.actor(), current.now()
    status_pages.drop()
    return banners.announce(
        form.text.data or "", starts, ends, operator=current.user(), by=by, now=now
    )


def _page(form: BannerForm) -> str:
    return render_template(
        "fleet/maintenance.html", form=form, announced=banners.recent(), now=current.now()
    )
