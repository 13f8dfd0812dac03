"""The status page, for everybody: how the platform does, incidents, a feed."""

from datetime import UTC, datetime

from flask import Blueprint, Response, abort, jsonify, make_response, render_template, request
from flask.typing import ResponseReturnValue

from app import current
from app.domain.status import components, feed, history, incidents, spreading
from app.web import status_pages
from app.web.guards import public

bp = Blueprint("status", __name__, url_prefix="/status")
_BEFORE_ALL = datetime(2026, 1, 1, tzinfo=UTC)
"""What a feed without entries says of its age; it must say something that stays."""


@bp.get("")
@public
def index() -> ResponseReturnValue:
    """Everything at a glance."""
    return status_pages.shared(make_response(status_pages.kept("index", _page)))


@bp.get("/incidents/<incident_id>")
@public
def incident(incident_id: str) -> ResponseReturnValue:
    """One incident with all that was told."""
    found = incidents.find(incident_id) or abort(404)
    body = render_template(
        "status/incident.html",
        incident=found,
        words=spreading.WORDS,
        incidents=incidents,
        now=_now(),
    )
    return status_pages.shared(make_response(body))


@bp.get("/feed.atom")
@public
def atom() -> ResponseReturnValue:
    """Incidents for feed readers; unchanged since last time, it says only that."""
    answer = Response(
        status_pages.kept("feed", _feed), content_type="application/atom+xml; charset=utf-8"
    )
    answer.add_etag()
    return status_pages.shared(answer).make_conditional(request)


@bp.get("/summary.json")
@public
def summary() -> ResponseReturnValue:
    """The same for programs: each component's condition and the open incidents."""
    return status_pages.shared(jsonify(status_pages.kept("summary", _summary)))


def _page() -> str:
    return render_template(
        "status/index.html",
        board=status_pages.board(),
        words=spreading.WORDS,
        conditions=components.WORDS,
        tones=components.TONES,
        incidents=incidents,
        days=history.DAYS,
        now=_now(),
    )


def _feed() -> bytes:
    config = current.config()
    found = incidents.recent(_now())
    title = f"{config.app_name} status"
    return feed.atom(found, title=title, base_url=config.base_url, born=_BEFORE_ALL)


def _summary() -> dict[str, object]:
    running = incidents.current()
    return feed.summary(components.standings(_now(), incidents.hits(running)), running)


def _now() -> datetime:
    return current.now()
