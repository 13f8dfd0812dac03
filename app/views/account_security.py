"""What proves who somebody is: password, address, second factor."""

from flask import Blueprint, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import credentials, factors, mailboxes
from app.domain.errors import Conflict
from app.forms.credentials import AddressForm, NewPasswordForm
from app.web import identity, links, transactions
from app.web.guards import demand_fresh, signed_in
from app.web.hypermedia import redirect_to

bp = Blueprint("account_security", __name__, url_prefix="/account/security")


@bp.get("")
@signed_in
def show() -> ResponseReturnValue:
    """Password, address, second factor."""
    person, now = current.user(), current.now()
    return render_template(
        "account/security.html",
        factor=factors.confirmed(person),
        codes_left=factors.codes_left(person),
        codes=factors.CODES,
        few=factors.FEW,
        demanding=factors.required_by(person, now),
        now=now,
    )


@bp.get("/password")
@signed_in
def password() -> ResponseReturnValue:
    """Ask for a new password, and first who it is: a secret is not carried through the question."""
    demand_fresh()
    return render_template("account/password.html", form=NewPasswordForm())


@bp.post("/password")
@signed_in
def change_password() -> ResponseReturnValue:
    """Set it; all other sessions end."""
    demand_fresh()
    form = NewPasswordForm()
    if not form.accepts(lambda: _change_password(form.password.data or "")):
        return make_response(render_template("account/password.html", form=form), 422)
    toast = "Your password is changed; all other sessions have ended."
    return redirect_to(url_for(".show"), toast=toast)


@bp.get("/email")
@signed_in
def email() -> ResponseReturnValue:
    """Ask for a new address."""
    return render_template("account/email.html", form=AddressForm())


@bp.post("/email")
@signed_in
def change_email() -> ResponseReturnValue:
    """Mail a link there; nothing changes until it is followed."""
    demand_fresh()
    form = AddressForm()
    if not form.accepts(lambda: _change_email(form.email.data or "")):
        return make_response(render_template("account/email.html", form=form), 422)
    toast = f"Open the letter at {form.email.data} to take that address."
    return redirect_to(url_for(".show"), toast=toast)


def _change_password(text: str) -> None:
    """Hash with no transaction open."""
    with transactions.reading():
        by, now = current.actor(), current.now()
        about = credentials.about(current.user())
    done = credentials.hashed(text, about)
    here = identity.current_session()
    if here is None:
        raise Conflict("This session has ended. Sign in again.")
    credentials.change(current.user(), done, keep=here, by=by, now=now)
    identity.renew()


def _change_email(address: str) -> None:
    mailboxes.ask_to_change(
        current.user(),
        address,
        link_to=links.change_email,
        by=current.actor(),
        now=current.now(),
    )
