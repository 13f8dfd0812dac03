"""For operators: whose reports are believed, and taking them in."""

from flask import Blueprint, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.certification import reports, testers
from app.forms.certifications import PinForm, ReportForm
from app.models import Certification, Tester
from app.web import certification_pages, status_pages
from app.web.guards import operator
from app.web.hypermedia import redirect_to
from app.web.uploads import takes_files
from runner.certify.envelope import fingerprint

bp = Blueprint("console_certifications", __name__, url_prefix="/operator/certifications")


@bp.get("")
@operator
def index() -> ResponseReturnValue:
    """Testers with their keys, and the reports there are."""
    return _page(PinForm(formdata=None), ReportForm(formdata=None))


@bp.post("/testers")
@operator
def pin() -> ResponseReturnValue:
    """Believe what a key signs."""
    form = PinForm()
    made = form.attempt(lambda: _pin(form))
    if made is None:
        return _page(form, ReportForm(formdata=None)), 422
    return redirect_to(url_for(".index"), toast=f"Reports of {made.name} are believed from now on.")


@bp.post("/testers/<tester_id>/revoke")
@operator
def revoke(tester_id: str) -> ResponseReturnValue:
    """Believe nothing of it any more."""
    found = testers.find(tester_id) or abort(404)
    testers.revoke(found, by=current.actor(), now=current.now())
    status_pages.drop()
    return redirect_to(url_for(".index"), toast=f"Nothing of {found.name} vouches any more.")


@bp.post("/reports")
@operator
@takes_files
def take() -> ResponseReturnValue:
    """Take in a report."""
    form = ReportForm()
    made = form.attempt(lambda: _take(form))
    if made is None:
        return _page(PinForm(formdata=None), form), 422
    found, new = made
    said = "The report is taken in." if new else "This report is here already."
    there = url_for("exchanges.report", certification_id=found.id)
    return redirect_to(there if new else url_for(".index"), toast=said)


def _pin(form: PinForm) -> Tester:
    by, now = current.actor(), current.now()
    name, key, note = form["name"].data or "", form.public_key.data or "", form.note.data or ""
    return testers.pin(name, key, note, author=current.user(), by=by, now=now)


def _take(form: ReportForm) -> tuple[Certification, bool]:
    status_pages.drop()
    by, now = current.actor(), current.now()
    return reports.accept(form.sent(), author=current.user(), by=by, now=now)


def _page(pinning: PinForm, taking: ReportForm) -> str:
    return render_template(
        "console/certifications.html",
        pinning=pinning,
        taking=taking,
        form=pinning if pinning.fault_list() else taking,
        testers=testers.everybody(),
        fingerprint=fingerprint,
        found=certification_pages.listed(reports.newest()),
    )
