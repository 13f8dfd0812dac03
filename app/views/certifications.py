"""Certifying an exchange with a connection's key: asked once, watched, ended, read."""

from flask import Blueprint, Response, abort, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain.access import Permission
from app.domain.certification import runs
from app.domain.venues import known
from app.forms.certifications import CertifyForm
from app.models import CertificationRun, Connection
from app.web import certification_pages, downloads, loading
from app.web.guards import requires
from app.web.hypermedia import live, redirect_to

bp = Blueprint("certifications", __name__, url_prefix="/w/<workspace>/connections")


@bp.get("/<connection_id>/certify")
@requires(Permission.CONNECTION_MANAGE_TESTNET)
def ask(connection_id: str) -> ResponseReturnValue:
    """Say what it needs and does; nothing has been asked of the venue yet."""
    connection = loading.connection(connection_id)
    return _asking(connection, _form(connection))


@bp.post("/<connection_id>/certify")
@requires(Permission.CONNECTION_MANAGE_TESTNET)
def start(connection_id: str) -> ResponseReturnValue:
    """Begin it."""
    connection = loading.connection(connection_id)
    form = _form(connection)
    made = form.attempt(lambda: _start(connection, form))
    if made is None:
        return _asking(connection, form), 422
    return redirect_to(url_for(".show", run_id=made.id))


@bp.get("/certifications/<run_id>")
@requires(Permission.CONNECTION_VIEW)
def show(run_id: str) -> ResponseReturnValue:
    """How far it is, or what was seen."""
    shown = certification_pages.told(loading.certification(run_id))
    return render_template("certifications/show.html", **shown)


@bp.get("/certifications/<run_id>/progress")
@requires(Permission.CONNECTION_VIEW)
def progress(run_id: str) -> ResponseReturnValue:
    """Step by step, polled until it is over; then the whole page is due."""
    run = loading.certification(run_id)
    if run.over:
        return redirect_to(url_for(".show", run_id=run.id))
    return live("certifications/_progress.html", **certification_pages.told(run))


@bp.post("/certifications/<run_id>/cancel")
@requires(Permission.CONNECTION_MANAGE_TESTNET)
def cancel(run_id: str) -> ResponseReturnValue:
    """End it; it takes back its orders first."""
    run = loading.certification(run_id)
    runs.cancel(run, by=current.actor(), now=current.now())
    there = url_for(".show", run_id=run.id)
    return redirect_to(there, toast="It takes back its orders and ends.")


@bp.get("/certifications/<run_id>/report.json")
@requires(Permission.CONNECTION_VIEW)
def report(run_id: str) -> ResponseReturnValue:
    """The signed report, for whoever is to import it."""
    run = loading.certification(run_id)
    content = run.report or abort(404)
    response = Response(content, mimetype="application/json")
    name = f"certification-{run.connection.exchange}-{run.id}.json"
    response.headers["Content-Disposition"] = downloads.disposition(name)
    return response


def _form(connection: Connection) -> CertifyForm:
    return CertifyForm().offer(known(connection.exchange))


def _start(connection: Connection, form: CertifyForm) -> CertificationRun:
    symbol, by = form.symbol.data or "", current.actor()
    return runs.request(connection, symbol=symbol, author=current.user(), by=by, now=current.now())


def _asking(connection: Connection, form: CertifyForm) -> str:
    return render_template(
        "certifications/ask.html", **certification_pages.asking(connection, form)
    )
