"""A forgotten password: asking for a link, and setting a new one by it."""

from flask import Blueprint, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current, tenancy
from app.domain import credentials, mailed_links
from app.domain.errors import Invalid, TooMany
from app.forms.credentials import AddressForm, NewPasswordForm
from app.models import LinkPurpose
from app.web import links, transactions
from app.web.guards import public
from app.web.hypermedia import redirect_to

bp = Blueprint("recovery", __name__)


@bp.get("/forgot")
@public
def forgot() -> ResponseReturnValue:
    """Ask for the address."""
    return render_template("recovery/forgot.html", form=AddressForm(), sent=False)


@bp.post("/forgot")
@public
def ask() -> ResponseReturnValue:
    """Mail a link if there is an account; say the same if there is none."""
    form = AddressForm()
    try:
        asked = form.accepts(lambda: _ask(form.email.data or ""))
    except TooMany as refusal:
        form.adopt(refusal)
        page = render_template("recovery/forgot.html", form=form, sent=False)
        return page, 429, {"Retry-After": str(refusal.wait)}
    page = render_template("recovery/forgot.html", form=form, sent=asked)
    return make_response(page, 200 if asked else 422)


@bp.get("/reset/<token>")
@public
def reset(token: str) -> ResponseReturnValue:
    """Offer to set a new password; reading the page uses nothing up."""
    found = mailed_links.find(token, LinkPurpose.RESET, now=current.now())
    page = render_template("recovery/reset.html", form=NewPasswordForm(), good=found is not None)
    return make_response(page, 200 if found else 410)


@bp.post("/reset/<token>")
@public
def set_password(token: str) -> ResponseReturnValue:
    """Set it; the person then signs in with it, with their second factor if they have one."""
    form = NewPasswordForm()
    if form.accepts(lambda: _reset(token, form.password.data or "")):
        return redirect_to(url_for("auth.sign_in"), toast="The new password is set. Sign in.")
    found = mailed_links.find(token, LinkPurpose.RESET, now=current.now())
    page = render_template("recovery/reset.html", form=form, good=found is not None)
    return make_response(page, 422 if found else 410)


def _ask(email: str) -> None:
    credentials.ask_for_reset(email, link_to=links.reset, by=current.actor(), now=current.now())


def _reset(token: str, password: str) -> None:
    """Hash with no transaction open."""
    now = current.now()
    with transactions.reading():
        by = current.actor()
        link = mailed_links.find(token, LinkPurpose.RESET, now=now)
        with tenancy.everywhere("no password is made of the names of one's workspaces"):
            about = credentials.about(link.user) if link else None
    if about is None:
        raise Invalid(mailed_links.OVER)
    credentials.reset(token, credentials.hashed(password, about), by=by, now=now)
