"""Asking who it is: the sign-in page, and the way on from it with what was typed before."""

from flask import Flask, Response, flash, make_response, render_template, request, session, url_for
from flask_login import current_user

from app.domain import factors
from app.forms.accounts import CodeForm, SignInForm
from app.models import User
from app.web import carried, held, identity
from app.web.addresses import safe_next, taken_apart
from app.web.held import HeldForm
from app.web.hypermedia import redirect_to, wants_fragment

_FITS_COOKIE = 2_000
_HELD = "held"


def init_app(_app: Flask) -> None:
    """Answer for all routes that find nobody signed in."""
    identity.ask_with(ask)


def ask() -> Response:
    """Send a reader to the sign-in page; give a sender the page at once, their form with it."""
    if request.method == "GET" and not wants_fragment():
        return redirect_to(_door(request.full_path.rstrip("?")), signed_out=True)
    back = identity.page_behind(request.referrer)
    if request.method == "GET":
        return redirect_to(_door(back), signed_out=True)
    text = held.hold(identity.owner_of_cookie(), back)
    if not wants_fragment():
        return page(SignInForm(formdata=None), 401, text=text, following=back, lost=text is None)
    if text is not None and len(text) <= _FITS_COOKIE:
        session[_HELD] = text
    return redirect_to(_door(back), signed_out=True)


def page(
    form: SignInForm, status: int, *, text: str | None, following: str | None, lost: bool = False
) -> Response:
    """The sign-in page; ``text`` is a held form, ``following`` where to go then."""
    action = _door(safe_next(following))
    body = render_template("auth/sign_in.html", form=form, held=text, action=action, lost=lost)
    return make_response(body, status)


def brought() -> str | None:
    """The held form that came with this request."""
    return request.form.get(_HELD) or session.get(_HELD)


def onward(person: User, text: str | None) -> Response:
    """Where to go after signing in: to what was about to be sent, or to the page wanted."""
    form = held.take(text, person) if text else None
    if form is not None:
        return review(form, 200)
    if text:
        flash("What was typed before is gone: it was not yours, or it was too old.", "bad")
    return redirect_to(following() or url_for("home.index"))


def admit(person: User, text: str | None) -> Response:
    """The password is right: open a session, or ask for the second factor first."""
    if factors.confirmed(person) is None:
        identity.begin(person)
        return onward(person, text)
    identity.await_code(person)
    return code_page(CodeForm(formdata=None), 200, text)


def code_page(form: CodeForm, status: int, text: str | None) -> Response:
    """Ask for a code of the second factor."""
    action = url_for("auth.check_code", next=following())
    body = render_template("auth/code.html", form=form, held=text, action=action)
    return make_response(body, status)


def following() -> str | None:
    """The page of this site that the address of this request names as the next."""
    return safe_next(request.args.get("next"))


def review(form: HeldForm, status: int) -> Response:
    """Show what was about to be sent; a press sends it, with a form token of the new session."""
    back = safe_next(form.back) or url_for("home.index")
    return make_response(render_template("auth/go_on.html", form=form, back=back), status)


def forged() -> Response | None:
    """For a form without a good token: hand it back if a page of ours surely sent it."""
    if wants_fragment() or not _from_here():
        return None
    if not current_user.is_authenticated:
        return ask()
    back = identity.page_behind(request.referrer)
    target = request.full_path.rstrip("?")
    return review(HeldForm(target, carried.typed(), back, carried.left_out()), 400)


def _from_here() -> bool:
    """What a browser says by itself; a form of another site must never come back as ours."""
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    return taken_apart(request.headers.get("Origin")).netloc == request.host


def _door(following: str | None) -> str:
    return url_for("auth.sign_in", next=following) if following else url_for("auth.sign_in")
