"""Own and vendored files: style sheets joined into one, urls that carry a hash of the content."""

import hashlib
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, request, url_for

from app.web.guards import public

STYLES = (
    "css/layers.css",
    "css/tokens.css",
    "css/reset.css",
    "css/base.css",
    "css/layout.css",
    "css/navigation.css",
    "css/buttons.css",
    "css/forms.css",
    "css/tables.css",
    "css/badges.css",
    "css/cards.css",
    "css/feedback.css",
    "css/timeline.css",
    "css/charts.css",
    "css/bots.css",
    "css/schedule.css",
    "css/strategies.css",
    "css/account.css",
    "css/inbox.css",
    "css/tickets.css",
    "css/support.css",
    "css/invitations.css",
    "css/desk.css",
    "css/status.css",
    "css/exchanges.css",
    "css/fleet.css",
    "css/safety.css",
    "css/billing.css",
    "css/analytics.css",
    "css/utilities.css",
)
SCRIPTS = ("vendor/htmx-2.0.11.min.js", "js/app.js")
DESK_SCRIPTS = ("js/desk.js",)
CHART_SCRIPTS = ("vendor/lightweight-charts-5.2.1.min.js", "js/charts.js")
YEAR = 31_536_000
SHEET = "/static/css/plutarc.css"
"""Where the joined sheet is: beside its parts, so that what they point at is still found."""


def init_app(app: Flask) -> None:
    """Join the style sheets, give templates the addresses, and let browsers keep them."""
    folder = Path(app.static_folder or "")
    sheet = b"\n".join((folder / name).read_bytes() for name in STYLES)
    version = hashlib.sha256(sheet).hexdigest()[:12]

    @public
    def styles() -> Response:
        answer = Response(sheet, content_type="text/css; charset=utf-8")
        return _cached(answer, hashed=request.args.get("v") == version)

    app.add_url_rule(SHEET, "styles", styles)
    app.jinja_env.globals.update(
        asset=asset,
        stylesheet=f"{SHEET}?v={version}",
        scripts=SCRIPTS,
        chart_scripts=CHART_SCRIPTS,
        desk_scripts=DESK_SCRIPTS,
    )
    app.after_request(_keep)


def asset(name: str) -> str:
    """The url of a static file; another content has another url."""
    return url_for("static", filename=name, v=_hash_of(name))


def _hash_of(name: str) -> str:
    path = Path(current_app.static_folder or "") / name
    return _digest(path, path.stat().st_mtime_ns)


@lru_cache(maxsize=256)
def _digest(path: Path, _changed: int) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _keep(response: Response) -> Response:
    if request.endpoint == "static" and response.status_code in (200, 304):
        name = str((request.view_args or {})["filename"])
        return _cached(response, hashed=request.args.get("v") == _hash_of(name))
    return response


def _cached(response: Response, *, hashed: bool) -> Response:
    response.headers["Cache-Control"] = (
        f"public, max-age={YEAR}, immutable" if hashed else "no-cache"
    )
    return response
