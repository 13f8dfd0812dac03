"""The page behind an invitation link: accept, decline, sign in or up, switch the account."""

from flask import Blueprint, Response, abort, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from app import current
from app.domain import invited, roles, workspaces
from app.domain.errors import Conflict, TooMany
from app.domain.invited import Standing
from app.extensions import db
from app.forms.accounts import InvitedForm
from app.models import InvitationLink, Membership, User
from app.web import identity, loading, signing_up
from app.web.guards import public, signed_in
from app.web.hypermedia import redirect_to

bp = Blueprint("invited", __name__, url_prefix="/invitations/<token>")


@bp.after_request
def keep_nowhere(response: Response) -> Response:
    """Neither caches nor search engines keep what a link shows."""
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


@bp.get("")
@public
def show(token: str) -> ResponseReturnValue:
    """Who invites to what. Changes nothing: mail scanners open links."""
    return _page(token)


@bp.post("/accept")
@signed_in
def accept(token: str) -> ResponseReturnValue:
    """Join."""
    try:
        return _joined(_accept(loading.invitation_link(token), current.user()))
    except Conflict:
        return _look_again(token)


@bp.post("/decline")
@public
def decline(token: str) -> ResponseReturnValue:
    """Say no."""
    try:
        invited.decline(
            loading.invitation_link(token), _user(), by=current.actor(), now=current.now()
        )
    except Conflict:
        return _look_again(token)
    return redirect_to(url_for(".show", token=token), toast="Declined. Whoever invited you knows.")


@bp.post("/sign-up")
@public
def sign_up(token: str) -> ResponseReturnValue:
    """Make the account of the invited address; who holds the mailed link is in at once."""
    _check_stranger(token)
    form, link = InvitedForm(), loading.invitation_link(token)
    make = _join if link.mailed else _wait_for_the_mailbox
    try:
        answer = form.attempt(lambda: make(token, form, link.invitation.email))
    except TooMany as refusal:
        form.adopt(refusal)
        return _page(token, form), 429, {"Retry-After": str(refusal.wait)}
    return (_page(token, form), 422) if answer is None else answer


@bp.post("/switch")
@signed_in
def switch(token: str) -> ResponseReturnValue:
    """Sign out, and come back here as somebody else."""
    identity.end()
    return redirect_to(url_for("auth.sign_in", next=url_for(".show", token=token)))


def _user() -> User | None:
    return current.user() if current_user.is_authenticated else None


def _accept(link: InvitationLink, user: User) -> Membership:
    by = current.actor_for(user)
    member = invited.accept(link, user, by=by, now=current.now())
    workspaces.remember(user, member.workspace_id)
    return member


def _joined(member: Membership) -> ResponseReturnValue:
    name, role = member.workspace.name, member.role
    return redirect_to(
        url_for("dashboard.show", workspace=member.workspace_id),
        toast=f"You are in {name} now, as {role}.",
    )


def _look_again(token: str) -> ResponseReturnValue:
    """Something stands in the way: the page says what, and nothing was changed."""
    db.session.rollback()
    return _page(token), 409


def _check_stranger(token: str) -> None:
    refusal = signing_up.refusal(invited=True)
    if refusal:
        abort(403, refusal)
    if (
        invited.standing(loading.invitation_link(token), _user(), current.now())
        is not Standing.STRANGER
    ):
        raise Conflict("This invitation cannot be taken up by a new account any more.")


def _join(token: str, form: InvitedForm, email: str) -> ResponseReturnValue:
    user = signing_up.create_account(form, email, invited=True)
    link = loading.invitation_link(token)
    ready = invited.standing(link, user, current.now()) is Standing.READY
    answer = _joined(_accept(link, user)) if ready else redirect_to(url_for(".show", token=token))
    identity.begin(user)
    return answer


def _wait_for_the_mailbox(token: str, form: InvitedForm, email: str) -> ResponseReturnValue:
    signing_up.create_quietly(form, email)
    return redirect_to(url_for(".show", token=token, asked="yes"))


def _page(token: str, form: InvitedForm | None = None) -> str:
    link, user = loading.invitation_link(token), _user()
    invitation = link.invitation
    standing = invited.standing(link, user, current.now())
    return render_template(
        "invited/show.html",
        link=link,
        token=token,
        invitation=invitation,
        standing=standing,
        over=standing in invited.OVER,
        words=invited.WORDS[standing],
        joined=user is not None and invitation.answered_by == user.id,
        theirs=invited.masked(invitation.email),
        mine=invited.masked(user.email) if user else "",
        abilities=roles.summary(invitation.role),
        form=form or InvitedForm(formdata=None),
        refusal=signing_up.refusal(invited=True),
        now=current.now(),
    )
