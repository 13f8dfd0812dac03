"""Invitations, seen by who holds a link: what it is good for, accepting and declining."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select

from app import tenancy
from app.domain import access, audit, factors, mail, notices, workspaces
from app.domain import invitation_book as book
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict
from app.extensions import db
from app.models import (
    Invitation,
    InvitationLink,
    InvitationState,
    Membership,
    User,
    Workspace,
)


class Standing(StrEnum):
    """Where the holder of a link stands; only ``READY`` can accept."""

    REPLACED = "replaced"
    ACCEPTED = "accepted"
    DECLINED = "declined"
    REVOKED = "revoked"
    EXPIRED = "expired"
    CLOSED = "closed"
    SUSPENDED = "suspended"
    UNCOVERED = "uncovered"
    STRANGER = "stranger"
    WRONG_ACCOUNT = "wrong_account"
    MEMBER = "member"
    UNPROVEN = "unproven"
    FACTOR = "factor"
    READY = "ready"


WORDS: dict[Standing, str] = {
    Standing.REPLACED: "This link was replaced by a newer one. Use the newest mail or link.",
    Standing.ACCEPTED: "This invitation was accepted.",
    Standing.DECLINED: "This invitation was declined. Ask for a new one if that was a mistake.",
    Standing.REVOKED: "This invitation was called off. Ask whoever invited you for a new one.",
    Standing.EXPIRED: "This invitation has run out. Ask whoever invited you for a new one.",
    Standing.CLOSED: "The workspace of this invitation is no longer there.",
    Standing.SUSPENDED: "The workspace is suspended at the moment. The invitation stays open; "
    "come back to this link later.",
    Standing.UNCOVERED: "Whoever invited you may no longer give this role. "
    "Ask an owner of the workspace for a new invitation.",
    Standing.STRANGER: "Sign in, or create an account, to accept.",
    Standing.WRONG_ACCOUNT: "This invitation is for another address than that of your account. "
    "It stays open.",
    Standing.MEMBER: "You are a member of this workspace already. Your role stays as it is.",
    Standing.UNPROVEN: "Show first that the invited mailbox is yours: open the link in the "
    "invitation mail or in the mail that asks you to confirm your address. "
    "The invitation stays open.",
    Standing.FACTOR: "Members of this workspace sign in with a second factor. Set one up under "
    "your account, then come back to this link. The invitation stays open.",
    Standing.READY: "",
}
OVER = frozenset(
    {
        Standing.REPLACED,
        Standing.ACCEPTED,
        Standing.DECLINED,
        Standing.REVOKED,
        Standing.EXPIRED,
        Standing.CLOSED,
    }
)
"""Where nothing is left to do, and nothing of the workspace is shown any more."""


def workspace_of(token: str) -> str | None:
    """The workspace that a link leads to, for its holder is no member of it yet."""
    query = select(InvitationLink.workspace_id)
    with tenancy.everywhere("a link says by itself which workspace it leads to"):
        found: str | None = db.session.scalar(
            query.where(InvitationLink.token_hash == book.digest(token))
        )
    return found


def find(token: str) -> InvitationLink | None:
    """The link a token belongs to; reads only, for mail scanners open links too."""
    query = select(InvitationLink).where(InvitationLink.token_hash == book.digest(token))
    found: InvitationLink | None = db.session.scalar(query)
    return found


def standing(link: InvitationLink, user: User | None, now: datetime) -> Standing:
    """What stands between ``user`` (``None``: nobody is signed in) and accepting."""
    return _ended(link, now) or _hindered(link.invitation) or _who(link, user, now)


def accept(link: InvitationLink, user: User, *, by: Actor, now: datetime) -> Membership:
    """Join, with everything checked again; a mailed link also proves the address.

    Raises:
        Conflict: something stands in the way; nothing is changed and the text says what.
    """
    invitation = _locked(link)
    db.session.refresh(user)
    _refuse_unless(link, user, now, (Standing.READY,))
    member = Membership(
        workspace_id=invitation.workspace_id, user_id=user.id, role=invitation.role, created_at=now
    )
    db.session.add(member)
    proven = link.mailed and not user.verified
    if proven:
        user.email_verified_at = now
    _answer(invitation, InvitationState.ACCEPTED, user, by, now)
    if proven:
        audit.record(
            "account.verify",
            by=by,
            now=now,
            account_id=user.id,
            target_id=user.id,
            target_label=user.email,
            reason="opened the invitation mailed there",
        )
    return member


def decline(link: InvitationLink, user: User | None, *, by: Actor, now: datetime) -> None:
    """Say no, for good. Without a session only the mailed link can: it shows who holds it.

    Raises:
        Conflict: it is over already, or this is not the invited person.
    """
    invitation = _locked(link)
    may = [Standing.READY, Standing.UNPROVEN, Standing.FACTOR]
    _refuse_unless(link, user, now, [*may, Standing.STRANGER] if link.mailed else may)
    _answer(invitation, InvitationState.DECLINED, user, by, now)


def masked(email: str) -> str:
    """An address that its owner recognises and a stranger cannot write to."""
    mailbox, _, domain = email.rpartition("@")
    last = mailbox[-1] if len(mailbox) > 3 else ""
    return f"{mailbox[:1]}…{last}@{domain}"


def _ended(link: InvitationLink, now: datetime) -> Standing | None:
    state = link.invitation.state_at(now)
    if state is not InvitationState.PENDING:
        return Standing(state.value)
    if link.invitation.workspace.deleted_at is not None:
        return Standing.CLOSED
    return Standing.REPLACED if link.replaced_at is not None else None


def _hindered(invitation: Invitation) -> Standing | None:
    if invitation.workspace.suspended_at is not None:
        return Standing.SUSPENDED
    inviter = _membership(invitation.workspace, invitation.invited_by)
    entitled = (
        inviter is not None
        and inviter.suspended_at is None
        and not invitation.inviter.suspended
        and access.may_invite(inviter, invitation.role)
    )
    return None if entitled else Standing.UNCOVERED


def _who(link: InvitationLink, user: User | None, now: datetime) -> Standing:
    invitation = link.invitation
    if user is None:
        return Standing.STRANGER
    if user.email_key != invitation.email_key:
        return Standing.WRONG_ACCOUNT
    if _membership(invitation.workspace, user.id) is not None:
        return Standing.MEMBER
    if not (link.mailed or user.verified):
        return Standing.UNPROVEN
    lacking = factors.lacking(invitation.workspace, user, now)
    return Standing.FACTOR if lacking else Standing.READY


def _membership(workspace: Workspace, user_id: str) -> Membership | None:
    query = select(Membership).where(
        Membership.workspace_id == workspace.id, Membership.user_id == user_id
    )
    found: Membership | None = db.session.scalar(query.execution_options(populate_existing=True))
    return found


def _locked(link: InvitationLink) -> Invitation:
    """The invitation as it is under the lock of its workspace."""
    invitation = link.invitation
    workspaces.lock(invitation.workspace)
    db.session.refresh(link)
    db.session.refresh(invitation)
    return invitation


def _refuse_unless(
    link: InvitationLink, user: User | None, now: datetime, good: Sequence[Standing]
) -> None:
    found = standing(link, user, now)
    if found not in good:
        raise Conflict(WORDS[found] or "This invitation cannot be answered here.")


def _answer(
    invitation: Invitation, state: InvitationState, user: User | None, by: Actor, now: datetime
) -> None:
    """Write the answer once and let the inviter know."""
    user_id = user.id if user is not None else None
    if not book.settle(invitation, now, state=state, answered_at=now, answered_by=user_id):
        raise Conflict("This invitation has just changed. Open the link again.")
    _tell_inviter(invitation, state, now)
    changes = book.state_change(state)
    if state is InvitationState.ACCEPTED:
        changes.append(Change("role", None, invitation.role))
    book.record(f"invitation.{_VERBS[state]}", invitation, by, now, changes)


_VERBS = {InvitationState.ACCEPTED: "accept", InvitationState.DECLINED: "decline"}


def _tell_inviter(invitation: Invitation, state: InvitationState, now: datetime) -> None:
    workspace, inviter = invitation.workspace, invitation.inviter
    notices.tell(
        [inviter.id],
        f"{invitation.email} {state} your invitation",
        key=f"{invitation.id} {state}",
        now=now,
        body=f"To {workspace.name}, as {invitation.role}.",
        path=f"/w/{workspace.id}/invitations",
        workspace_id=workspace.id,
    )
    mail.post(
        "invitation_answered",
        to=inviter.email,
        name=inviter.name,
        now=now,
        workspace_id=workspace.id,
        email=invitation.email,
        answer=state.value,
        workspace=workspace.name,
        role=invitation.role.value,
    )
