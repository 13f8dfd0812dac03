"""Error pages: each says what happened, what to do, and under which number to ask about it."""

import logging

from flask import Flask, Response, flash, g, make_response, render_template, request, url_for
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, SecurityError

from app import current
from app.domain.errors import Conflict, DomainError, Invalid, NotAllowed, Refused, TooMany
from app.extensions import db
from app.web import doors, freshness
from app.web.freshness import NotFresh
from app.web.guards import FactorMissing, Forbidden
from app.web.hypermedia import redirect_to, refusal, wants_fragment

PAGES = frozenset({400, 403, 404, 405, 409, 413, 422, 429, 500, 503})
STATUS: dict[type[DomainError], int] = {
    Conflict: 409,
    Refused: 409,
    Invalid: 422,
    NotAllowed: 403,
    TooMany: 429,
}
_log = logging.getLogger(__name__)


def init_app(app: Flask) -> None:
    """Turn every refusal and failure into a page or, for htmx, into a toast."""
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(DomainError, _domain)
    app.register_error_handler(Forbidden, _forbidden)
    app.register_error_handler(FactorMissing, _factor_missing)
    app.register_error_handler(NotFresh, freshness.ask)
    app.register_error_handler(CSRFError, _forged)


def _http(error: HTTPException) -> Response:
    code = error.code or 500
    if error.response is not None and code < 400:
        return make_response(error.response)
    if isinstance(error, InternalServerError):
        db.session.rollback()
        _log.error("request %s failed", current.request_id(), exc_info=error.original_exception)
    if isinstance(error, SecurityError):
        # A host that is not ours: there is nothing to build links with.
        return make_response("This server does not answer under that name.", code)
    standard = error.description == type(error).description
    response = page(code, None if standard else error.description)
    for name, value in error.get_headers():
        if name not in ("Content-Type", "Content-Length"):
            response.headers[name] = value
    return response


def _domain(error: DomainError) -> Response:
    db.session.rollback()
    if isinstance(error, Refused | NotAllowed):
        current.refuse(str(error))
    response = page(STATUS.get(type(error), 409), str(error))
    if isinstance(error, TooMany):
        response.headers["Retry-After"] = str(error.wait)
    return response


def _forbidden(error: Forbidden) -> Response:
    return page(403, str(error))


def _factor_missing(error: FactorMissing) -> Response:
    if request.method != "GET" or wants_fragment():
        return page(403, str(error))
    flash(str(error), "bad")
    return redirect_to(url_for("account_security.show", _anchor="factor"))


def _forged(_error: CSRFError) -> Response:
    return doors.forged() or page(
        400, "This form is out of date: sign-in has changed since it was opened. Load it again."
    )


def page(code: int, message: str | None = None) -> Response:
    """The page of a status, or a toast where only a fragment was asked for."""
    if wants_fragment():
        return refusal(message or WORDS.get(code, WORDS[500]), code)
    # A page about a failure must not ask the database that may have failed.
    g.broken = code >= 500
    name = code if code in PAGES else 500 if code >= 500 else 400
    body = render_template(
        f"errors/{name}.html", message=message, code=code, request_id=current.request_id()
    )
    return make_response(body, code)


WORDS = {
    400: "The server could not read this request. Load the page again.",
    403: "You may not do this here.",
    404: "This no longer exists. Load the page again.",
    405: "This address does not take that kind of request.",
    409: "Something changed in the meantime. Load the page again.",
    413: "That is too large.",
    422: "A value does not do. Look at the form again.",
    429: "Too many tries. Wait a minute.",
    500: "Something broke on our side; nothing was changed. Try again in a minute.",
    503: "The service is busy or restarting. Try again in a minute.",
}
