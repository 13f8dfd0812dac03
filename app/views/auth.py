"""Signing up, in and out."""

from flask import Blueprint, Response, abort, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import current
from app.domain import factors, mailboxes, passwords, totp
from app.domain.errors import Invalid, TooMany
from app.forms.accounts import CodeForm, SignInForm, SignUpForm
from app.models import User
from app.web import doors, identity, links, signing_up, transactions
from app.web.guards import public, signed_in
from app.web.hypermedia import redirect_to

bp = Blueprint("auth", __name__)
NO_MATCH = "No account has this e-mail with this password."


@bp.get("/login")
@public
def sign_in() -> ResponseReturnValue:
    """Ask who it is."""
    if current_user.is_authenticated:
        return redirect_to(_onward())
    return doors.page(SignInForm(), 200, text=doors.brought(), following=doors.following())


@bp.post("/login")
@public
def open_session() -> ResponseReturnValue:
    """Check the password and begin a session."""
    form = SignInForm()
    try:
        user = form.attempt(lambda: _authenticate(form))
    except TooMany as refusal:
        form.adopt(refusal)
        answer = _again(form, 429)
        answer.headers["Retry-After"] = str(refusal.wait)
        return answer
    if user is None:
        return _not_signed_in(form)
    return doors.admit(user, doors.brought())


@bp.get("/login/code")
@public
def code() -> ResponseReturnValue:
    """Ask for the second factor."""
    if identity.awaited() is None:
        return redirect_to(url_for(".sign_in", next=doors.following()))
    return doors.code_page(CodeForm(), 200, doors.brought())


@bp.post("/login/code")
@public
def check_code() -> ResponseReturnValue:
    """Check the second factor and begin a session."""
    person = identity.awaited()
    if person is None:
        flash("That took too long. Give your password again.", "bad")
        return _again(SignInForm(formdata=None), 422)
    form, text = CodeForm(), doors.brought()
    try:
        method = form.attempt(lambda: _method(person, form.code.data or ""))
    except TooMany as refusal:
        return _wait(form, refusal, text)
    return _with_code(person, form, method, text)


@bp.get("/signup")
@public
def sign_up() -> ResponseReturnValue:
    """Offer an account."""
    _check_open()
    if current_user.is_authenticated:
        return redirect_to(_onward())
    return render_template("auth/sign_up.html", form=SignUpForm())


@bp.post("/signup")
@public
def create_account() -> ResponseReturnValue:
    """Create the account with its personal workspace and begin a session."""
    _check_open()
    form = SignUpForm()
    try:
        user = form.attempt(lambda: signing_up.create_account(form, form.email.data or ""))
    except TooMany as refusal:
        form.adopt(refusal)
        page = render_template("auth/sign_up.html", form=form)
        return page, 429, {"Retry-After": str(refusal.wait)}
    if user is None:
        return render_template("auth/sign_up.html", form=form), 422
    by, now = current.actor_for(user), current.now()
    mailboxes.ask_to_verify(user, link_to=links.verify, by=by, now=now)
    identity.begin(user)
    return redirect_to(url_for("home.index"), toast="Welcome. This is your personal workspace.")


@bp.post("/logout")
@signed_in
def sign_out() -> ResponseReturnValue:
    """End the session on both sides."""
    identity.end()
    answer = redirect_to(url_for("auth.sign_in"), toast="You are signed out.")
    answer.headers["Clear-Site-Data"] = '"cache", "storage"'
    return answer


def _authenticate(form: SignInForm) -> User | None:
    """Hash between two transactions, so that nobody waits for it but who is signing in."""
    with transactions.reading():
        by, now = current.actor(), current.now()
        attempt = passwords.begin(email=form.email.data or "", by=by, now=now)
    proof = passwords.verify(attempt, form.password.data or "")
    return passwords.finish(proof, by=by, now=now)


def _not_signed_in(form: SignInForm) -> ResponseReturnValue:
    """Say only that it does not match; the attempt itself is kept."""
    if not form.errors:
        form.form_errors.append(NO_MATCH)
        current.keep()
    return _again(form, 422)


def _again(form: SignInForm, status: int) -> Response:
    return doors.page(form, status, text=doors.brought(), following=doors.following())


def _method(person: User, code: str) -> str:
    """How the code proves who it is; empty if it does not."""
    by, now = current.actor_for(person), current.now()
    if len("".join(code.split())) <= totp.DIGITS:
        good = factors.check(person, code, locker=current.locker(), by=by, now=now)
        return "password+app" if good else ""
    good = factors.use_recovery_code(person, code, by=by, now=now)
    return "password+recovery code" if good else ""


def _with_code(person: User, form: CodeForm, method: str | None, text: str | None) -> Response:
    if method:
        identity.begin(person, method)
        return doors.onward(person, text)
    if not form.errors:
        form.adopt(Invalid("That code does not fit, or was used already.", "code"))
        current.keep()
    return doors.code_page(form, 422, text)


def _wait(form: CodeForm, refusal: TooMany, text: str | None) -> Response:
    form.adopt(refusal)
    answer = doors.code_page(form, 429, text)
    answer.headers["Retry-After"] = str(refusal.wait)
    return answer


def _check_open() -> None:
    refusal = signing_up.refusal(invited=False)
    if refusal:
        abort(403, refusal)


def _onward() -> str:
    return doors.following() or url_for("home.index")
