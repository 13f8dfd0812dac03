"""Exchanges, for everybody: what is proven of each, who vouches for it, how to prove more."""

from flask import Blueprint, Response, make_response, render_template
from flask.typing import ResponseReturnValue

from app.web import certification_pages, downloads, exchange_pages, status_pages
from app.web.guards import public

bp = Blueprint("exchanges", __name__, url_prefix="/exchanges")


@bp.get("")
@public
def index() -> ResponseReturnValue:
    """Every check of every environment of every exchange."""
    return status_pages.shared(make_response(status_pages.kept("exchanges", _matrix)))


@bp.get("/<exchange>")
@public
def show(exchange: str) -> ResponseReturnValue:
    """One of them, its reports, and how to help to prove it."""
    body = render_template("exchanges/show.html", **exchange_pages.one(exchange))
    return status_pages.shared(make_response(body))


@bp.get("/reports/<certification_id>")
@public
def report(certification_id: str) -> ResponseReturnValue:
    """A report to read."""
    shown = certification_pages.public(exchange_pages.report(certification_id))
    return status_pages.shared(make_response(render_template("exchanges/report.html", **shown)))


@bp.get("/reports/<certification_id>/report.json")
@public
def download(certification_id: str) -> ResponseReturnValue:
    """The same exactly as it came, to be verified anew."""
    found = exchange_pages.report(certification_id)
    response = Response(found.row.content, mimetype="application/json")
    name = f"certification-{found.row.exchange}-{found.row.id}.json"
    response.headers["Content-Disposition"] = downloads.disposition(name)
    return status_pages.shared(response)


def _matrix() -> str:
    return render_template("exchanges/index.html", **exchange_pages.everything())
