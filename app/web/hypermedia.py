"""How we speak to htmx. The one place that knows its request and response headers."""

import hashlib
import json
import re
from typing import Any

from flask import Response, flash, make_response, redirect, render_template, request

STOP_POLLING = 286
"""htmx 2 stops polling on this status and still swaps the body."""

VERSION_MARK = "version-of-this-fragment"
_PASSING = re.compile(r'(?<=name="csrf_token" value=")[^"]*|(?<=">)[^<]*(?=</time>)')


def wants_fragment() -> bool:
    """Whether htmx asks for a piece of a page; boosted links ask for whole pages."""
    return request.headers.get("HX-Request") == "true" and "HX-Boosted" not in request.headers


def fragment(
    template: str, *, toast: str | None = None, status: int = 200, **context: Any
) -> Response:
    """Render one ``_fragment.html``; a toast rides along out of band."""
    body = render_template(template, **context)
    if toast is not None:
        body += render_template("shared/_toasts.html", toasts=[("good", toast)], oob=True)
    return _answer(body, status)


def refusal(message: str, status: int) -> Response:
    """An error on a fragment request: nothing is swapped but the toast that says why."""
    body = render_template("shared/_toasts.html", toasts=[("bad", message)], oob=True)
    response = _answer(body, status)
    response.headers["HX-Reswap"] = "none"
    return response


def redirect_to(url: str, *, toast: str | None = None, signed_out: bool = False) -> Response:
    """Send the browser on: 303 for a page, ``HX-Redirect`` for htmx.

    A plain redirect would be followed by the XHR, and the new page would land in the fragment.
    """
    if toast is not None:
        flash(toast, "good")
    if not wants_fragment():
        return make_response(redirect(url, 303))
    response = make_response("", 401 if signed_out else 204)
    response.headers["HX-Redirect"] = url
    return response


def done(url: str, template: str, toast: str | None, **context: Any) -> Response:
    """After a verb: the changed fragment for htmx, a redirect for a plain form."""
    if wants_fragment():
        return fragment(template, toast=toast, **context)
    return redirect_to(url, toast=toast)


def live(template: str, *, settled: bool, **context: Any) -> Response:
    """Answer a poll: the fragment if it differs from what the browser has, else 204.

    The version is a hash of what is shown; running clocks and form tokens do not count. When
    ``settled``, the answer is the last one and the template leaves out its trigger.
    """
    body = render_template(template, settled=settled, version=VERSION_MARK, **context)
    version = hashlib.sha256(_PASSING.sub("", body).encode()).hexdigest()[:12]
    if settled:
        return _answer(body.replace(VERSION_MARK, version), STOP_POLLING)
    if request.args.get("v") == version:
        return unchanged()
    return _answer(body.replace(VERSION_MARK, version), 200)


def stop_polling(template: str, **context: Any) -> Response:
    """The last answer to a poll; the template leaves out its trigger."""
    return fragment(template, status=STOP_POLLING, **context)


def unchanged() -> Response:
    """Nothing new: htmx swaps nothing on 204 and goes on polling."""
    return _answer("", 204)


def signal(response: Response, name: str, **detail: Any) -> Response:
    """Fire a named event in the browser after the swap."""
    response.headers["HX-Trigger"] = json.dumps({name: detail})
    return response


def dom_id(thing: Any, part: str = "") -> str:
    """The id of an element that shows a row, e.g. ``bot_abc_state``."""
    name = str(getattr(thing, "id", thing))
    return re.sub(r"[^A-Za-z0-9_]", "_", f"{name}_{part}" if part else name)


def _answer(body: str, status: int) -> Response:
    response = make_response(body, status)
    response.headers["Vary"] = "HX-Request"
    return response
