"""Links that prove an address: confirming it, taking a new one, taking a change back."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, make_response, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import mailboxes, mailed_links
from app.domain.errors import Conflict
from app.models import LinkPurpose
from app.web import links
from app.web.guards import public, signed_in
from app.web.hypermedia import redirect_to

bp = Blueprint("mailbox", __name__)


@dataclass(frozen=True)
class _Page:
    """What a link is for, in words, and what following it does."""

    purpose: LinkPurpose
    title: str
    text: str
    button: str
    done: str
    act: Callable[[str], object]


@bp.post("/account/verification")
@signed_in
def ask() -> ResponseReturnValue:
    """Send the letter that asks to confirm the address, again."""
    person = current.user()
    if not person.verified:
        by, now = current.actor(), current.now()
        mailboxes.ask_to_verify(person, link_to=links.verify, by=by, now=now)
    return redirect_to(url_for("account_security.show"), toast=f"A letter went to {person.email}.")


@bp.get("/verify/<token>")
@public
def verify(token: str) -> ResponseReturnValue:
    """Ask for a press of the button: mail scanners open links too."""
    return _show(_VERIFY, token)


@bp.post("/verify/<token>")
@public
def confirm(token: str) -> ResponseReturnValue:
    """The address is theirs."""
    return _act(_VERIFY, token)


@bp.get("/email/<token>")
@public
def change(token: str) -> ResponseReturnValue:
    """Ask before the new address is taken."""
    return _show(_CHANGE, token)


@bp.post("/email/<token>")
@public
def take(token: str) -> ResponseReturnValue:
    """Take the new address."""
    return _act(_CHANGE, token)


@bp.get("/email/undo/<token>")
@public
def undo(token: str) -> ResponseReturnValue:
    """Ask before a change of address is taken back."""
    return _show(_UNDO, token)


@bp.post("/email/undo/<token>")
@public
def bring_back(token: str) -> ResponseReturnValue:
    """Take the change of address back."""
    return _act(_UNDO, token)


def _show(page: _Page, token: str) -> ResponseReturnValue:
    link = mailed_links.find(token, page.purpose, now=current.now())
    body = render_template("mailbox/link.html", page=page, link=link, refusal=mailed_links.OVER)
    return make_response(body, 200 if link else 410)


def _act(page: _Page, token: str) -> ResponseReturnValue:
    try:
        page.act(token)
    except Conflict as refusal:
        body = render_template("mailbox/link.html", page=page, link=None, refusal=str(refusal))
        return make_response(body, 410)
    return redirect_to(url_for("home.index"), toast=page.done)


def _verify(token: str) -> None:
    mailboxes.verify(token, by=current.actor(), now=current.now())


def _change(token: str) -> None:
    now = current.now()
    mailboxes.confirm_change(token, undo_to=links.undo_email, by=current.actor(), now=now)


def _undo(token: str) -> None:
    now = current.now()
    mailboxes.undo_change(token, reset_to=links.reset, by=current.actor(), now=now)


_VERIFY = _Page(
    LinkPurpose.VERIFY,
    "Confirm your address",
    "Letters about your account go to this address.",
    "Confirm it",
    "Thank you. Your address is confirmed.",
    _verify,
)
_CHANGE = _Page(
    LinkPurpose.CHANGE_EMAIL,
    "Take your new address",
    "You sign in with it from then on. The old address gets a letter that can take this back.",
    "Take it",
    "Your address is changed. Sign in with it from now on.",
    _change,
)
_UNDO = _Page(
    LinkPurpose.UNDO_EMAIL,
    "Take the change of address back",
    "All sessions of the account end, its password opens nothing any more, and a link for a new "
    "one is mailed to this address.",
    "Take it back",
    "Your old address is back. Look for the letter with the link for a new password.",
    _undo,
)
