"""The second factor of one's own account: adding, confirming, renewing codes, removing."""

from flask import Blueprint, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import factors
from app.domain.errors import Conflict
from app.forms.accounts import CodeForm
from app.models import LoginSession
from app.web import identity, qr
from app.web.guards import demand_fresh, signed_in
from app.web.hypermedia import redirect_to

bp = Blueprint("account_factor", __name__, url_prefix="/account/security/app")


@bp.post("")
@signed_in
def begin() -> ResponseReturnValue:
    """Make a seed and show it."""
    demand_fresh()
    by, now = current.actor(), current.now()
    factors.begin(current.user(), locker=current.locker(), by=by, now=now)
    return redirect_to(url_for(".show"))


@bp.get("")
@signed_in
def show() -> ResponseReturnValue:
    """The seed that waits to be confirmed, to whoever has just proved who they are."""
    demand_fresh()
    return _page(CodeForm(), 200)


@bp.post("/confirm")
@signed_in
def confirm() -> ResponseReturnValue:
    """Take the app if the code is right, and show the recovery codes."""
    demand_fresh()
    form = CodeForm()
    codes = form.attempt(lambda: _confirm(form.code.data or ""))
    return _page(form, 422) if codes is None else _codes(codes)


@bp.post("/codes")
@signed_in
def renew_codes() -> ResponseReturnValue:
    """Replace the recovery codes and show the new ones."""
    demand_fresh()
    return _codes(factors.renew_codes(current.user(), by=current.actor(), now=current.now()))


@bp.post("/remove")
@signed_in
def remove() -> ResponseReturnValue:
    """Give the app up, unless a workspace asks for one."""
    demand_fresh()
    factors.remove(current.user(), keep=_here(), by=current.actor(), now=current.now())
    identity.renew()
    return redirect_to(url_for("account_security.show"), toast="Your second factor is removed.")


def _confirm(code: str) -> list[str]:
    codes = factors.confirm(
        current.user(),
        code,
        locker=current.locker(),
        keep=_here(),
        by=current.actor(),
        now=current.now(),
    )
    identity.renew()
    return codes


def _here() -> LoginSession:
    found = identity.current_session()
    if found is None:
        raise Conflict("This session has ended. Sign in again.")
    return found


def _page(form: CodeForm, status: int) -> ResponseReturnValue:
    person = current.user()
    seed = factors.waiting_seed(person, locker=current.locker())
    if seed is None:
        return redirect_to(url_for("account_security.show"))
    code = qr.seed(seed, issuer=current.config().app_name, account=person.email)
    return make_response(render_template("account/factor.html", form=form, qr=code), status)


def _codes(codes: list[str]) -> ResponseReturnValue:
    return render_template("account/codes.html", codes=codes)
