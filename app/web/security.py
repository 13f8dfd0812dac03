"""Headers on every answer, and a second net against requests forged by other sites."""

import hashlib
from base64 import b64encode

from flask import Flask, Response, abort, current_app, g, request
from flask_login import current_user

from app.forms.base import has_control
from app.web.addresses import taken_apart
from app.web.files import FILES
from app.web.guards import SAFE

# lightweight-charts writes this one style element for the logo its licence asks for.
CHART_LOGO_STYLE = (
    "a#tv-attr-logo{--fill:#131722;--stroke:#fff;position:absolute;left:10px;bottom:10px;"
    "height:19px;width:35px;margin:0;padding:0;border:0;z-index:3;}"
    "a#tv-attr-logo[data-dark]{--fill:#D1D4DC;--stroke:#131722;}"
)
_LOGO_HASH = b64encode(hashlib.sha256(CHART_LOGO_STYLE.encode()).digest()).decode()
CONTENT_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        f"style-src 'self' 'sha256-{_LOGO_HASH}'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "object-src 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": CONTENT_POLICY,
    "X-Content-Type-Options": "nosniff",
    # Flask-WTF wants a Referer over HTTPS, so no-referrer would break every form.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def init_app(app: Flask) -> None:
    """Install the net and the headers."""
    app.config["WTF_CSRF_TIME_LIMIT"] = None  # a dashboard stays open for days
    app.before_request(_refuse_control)
    app.before_request(_refuse_other_sites)
    app.after_request(_add_headers)


def _refuse_control() -> None:
    """No page has an address with control characters; PostgreSQL fails on a NUL in a text."""
    if has_control(request.path) or any(has_control(text) for text in request.args.values()):
        abort(404)


def _refuse_other_sites() -> None:
    """Reject what a browser says another site began; machines send neither header."""
    if request.method in SAFE or _has_own_proof():
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site not in ("same-origin", "none"):
            abort(
                403, "This form was sent from another site. Open the page here and send it again."
            )
        return
    origin = request.headers.get("Origin")
    if origin is not None and taken_apart(origin).netloc != request.host:
        abort(403, "This form was sent from another site. Open the page here and send it again.")


def _has_own_proof() -> bool:
    """Runners and webhooks carry proofs that a browser does not send by itself."""
    view = current_app.view_functions.get(request.endpoint or "")
    return getattr(view, "guard", None) in ("runner", "webhook", "api")


def _add_headers(response: Response) -> Response:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint not in FILES and _personal():
        response.headers["Cache-Control"] = "no-store"
    return response


def _personal() -> bool:
    """Whether the answer may hold what only this person should see."""
    return bool(request.method == "POST" or g.get("broken") or current_user.is_authenticated)
