"""Invitations of a workspace: who was asked in, asking, sending again, calling off."""

from flask import Blueprint, render_template, url_for
from flask.typing import ResponseReturnValue

from app import current
from app.domain import access, invitation_book, invitations
from app.domain.access import Permission
from app.domain.errors import TooMany
from app.domain.invitations import Sent
from app.forms.base import offered
from app.forms.invitations import InvitationForm
from app.forms.members import DETAILS
from app.models import Role
from app.web import links, loading
from app.web.guards import demand_fresh, insist, requires
from app.web.hypermedia import redirect_to

bp = Blueprint("member_invitations", __name__, url_prefix="/w/<workspace>/invitations")


@bp.get("")
@requires(Permission.INVITATION_MANAGE)
def index() -> ResponseReturnValue:
    """All that were sent, and the form for the next."""
    return _page(_form())


@bp.post("")
@requires(Permission.INVITATION_MANAGE)
def create() -> ResponseReturnValue:
    """Ask somebody in. The answer is the only page that ever shows the link to hand over."""
    form = _form()
    if form.role.data in set(Role):
        _ask_again(Role(form.role.data))
    try:
        sent = form.attempt(lambda: _create(form))
    except TooMany as refusal:
        form.adopt(refusal)
        return _page(form), 429, {"Retry-After": str(refusal.wait)}
    return _sent(sent) if sent is not None else (_page(form), 422)


@bp.post("/<invitation_id>/resend")
@requires(Permission.INVITATION_MANAGE)
def resend(invitation_id: str) -> ResponseReturnValue:
    """New links; the old ones say so."""
    found, sender = loading.invitation(invitation_id), current.member()
    insist(access.may_invite(sender, found.role), "a role not below their own")
    _ask_again(found.role)
    by, now = current.actor(), current.now()
    return _sent(invitations.resend(found, sender=sender, link_to=links.invitation, by=by, now=now))


@bp.post("/<invitation_id>/revoke")
@requires(Permission.INVITATION_MANAGE)
def revoke(invitation_id: str) -> ResponseReturnValue:
    """Call it off."""
    found, member = loading.invitation(invitation_id), current.member()
    insist(access.may_hand_out(member, found.role), "a role not below their own")
    invitations.revoke(found, member=member, by=current.actor(), now=current.now())
    return redirect_to(url_for(".index"), toast=f"The invitation of {found.email} is called off.")


def _ask_again(role: Role) -> None:
    """Who could then hand out roles is asked in like one is given: with a fresh confirmation."""
    if access.needs_proof(role):
        demand_fresh()


def _form() -> InvitationForm:
    form = InvitationForm()
    form.role.choices = offered((role.value, role.title()) for role in _offered())
    if form.role.data is None and form.role.choices:
        form.role.data = form.role.choices[0].value
    return form


def _offered() -> list[Role]:
    """The roles this member may invite to; none in a personal workspace."""
    if current.workspace().personal:
        return []
    return [role for role in Role if access.may_invite(current.member(), role)]


def _create(form: InvitationForm) -> Sent:
    return invitations.create(
        current.workspace(),
        email=form.email.data or "",
        role=Role(form.role.data),
        inviter=current.member(),
        link_to=links.invitation,
        by=current.actor(),
        now=current.now(),
    )


def _page(form: InvitationForm) -> str:
    member = current.member()
    return render_template(
        "invitations/index.html",
        form=form,
        invitations=invitation_book.in_workspace(current.workspace()),
        may_revoke=lambda item: bool(access.may_hand_out(member, item.role)),
        may_resend=lambda item: bool(access.may_invite(member, item.role)),
        most=invitation_book.SHOWN,
        details=DETAILS,
        closed=access.may_invite(member, Role.VIEWER).reason,
        now=current.now(),
    )


def _sent(sent: Sent) -> str:
    return render_template("invitations/sent.html", sent=sent)
