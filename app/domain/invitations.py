"""Invitations, seen from the workspace: ask in, send again, call off."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import select, update

from app import tenancy
from app.domain import access, accounts, mail, workspaces
from app.domain import invitation_book as book
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid, Refused, TooMany
from app.extensions import db
from app.models import (
    Invitation,
    InvitationLink,
    InvitationState,
    Membership,
    Role,
    User,
    Workspace,
)

LIFE = timedelta(days=7)
MOST_A_DAY = 20
MOST_AGAIN = 5
_DAY = timedelta(days=1)

LinkTo = Callable[[str], str]
"""Makes the absolute address of the page that a token opens."""


@dataclass(frozen=True)
class Sent:
    """An invitation on its way; ``link`` is for handing over and cannot be read again later."""

    invitation: Invitation
    link: str = field(repr=False)


def create(
    workspace: Workspace,
    *,
    email: str,
    role: Role,
    inviter: Membership,
    link_to: LinkTo,
    by: Actor,
    now: datetime,
) -> Sent:
    """Ask an address in. Whether it has an account makes no difference to what the inviter sees.

    Raises:
        Invalid: no address, or of somebody who is a member already; nothing was sent.
        Refused: a personal workspace, or the inviter may not give this role.
        Conflict: the address has an open invitation.
        TooMany: the inviter asked 20 in within a day.
    """
    key = accounts.email_key(email)
    workspaces.lock(workspace)
    if workspace.personal:
        raise Refused("A personal workspace has one member for ever. Create an organisation.")
    _insist(inviter, role)
    _refuse_member(workspace, key)
    _make_room(workspace, key, now)
    _throttle(inviter.user_id, now)
    invitation = Invitation(
        workspace_id=workspace.id,
        email=email.strip(),
        email_key=key,
        role=role,
        invited_by=inviter.user_id,
        created_at=now,
        expires_at=now + LIFE,
    )
    db.session.add(invitation)
    db.session.flush()
    sent = Sent(invitation, _send(invitation, link_to, now))
    book.record("invitation.create", invitation, by, now, [Change("role", None, role)])
    return sent


def resend(
    invitation: Invitation, *, sender: Membership, link_to: LinkTo, by: Actor, now: datetime
) -> Sent:
    """Send new links that live from now; the old ones say that they were replaced.

    Who sends again answers for the invitation from then on.

    Raises:
        Refused: the sender may not give this role, or it was sent six times.
        Conflict: it is no longer pending.
    """
    workspaces.lock(invitation.workspace)
    db.session.refresh(invitation)
    _insist(sender, invitation.role)
    _pending_or_conflict(invitation, now)
    if invitation.sent > MOST_AGAIN:
        raise Refused(
            f"It was sent {invitation.sent} times; more would be a nuisance. "
            "Ask whether the address is right, or revoke it and invite again."
        )
    changes = [
        Change("sent", invitation.sent, invitation.sent + 1),
        Change("expires_at", invitation.expires_at, now + LIFE),
    ]
    _settle(
        invitation,
        now,
        sent=invitation.sent + 1,
        expires_at=now + LIFE,
        invited_by=sender.user_id,
    )
    sent = Sent(invitation, _send(invitation, link_to, now))
    book.record("invitation.resend", invitation, by, now, changes)
    return sent


def revoke(invitation: Invitation, *, member: Membership, by: Actor, now: datetime) -> None:
    """Call it off for good.

    Raises:
        Refused: the member decides about lower roles only.
        Conflict: it is no longer pending.
    """
    workspaces.lock(invitation.workspace)
    db.session.refresh(invitation)
    verdict = access.may_hand_out(_again(member), invitation.role)
    if not verdict:
        raise Refused(verdict.reason)
    _pending_or_conflict(invitation, now)
    _settle(
        invitation, now, state=InvitationState.REVOKED, answered_at=now, answered_by=member.user_id
    )
    book.record(
        "invitation.revoke", invitation, by, now, book.state_change(InvitationState.REVOKED)
    )


def _insist(member: Membership, role: Role) -> None:
    verdict = access.may_invite(_again(member), role)
    if not verdict:
        raise Refused(verdict.reason)


def _again(member: Membership) -> Membership:
    """The membership as it is under the lock; it may have changed since the request began."""
    query = select(Membership).where(Membership.id == member.id)
    found = db.session.scalar(query.execution_options(populate_existing=True))
    if found is None:
        raise Refused("You are no longer a member of this workspace.")
    return found


def _refuse_member(workspace: Workspace, key: str) -> None:
    query = (
        select(User.name)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.workspace_id == workspace.id, User.email_key == key)
    )
    name = db.session.scalar(query)
    if name is not None:
        raise Invalid(
            f"{name} is a member already. Nothing was sent; roles are changed under Members.",
            "email",
        )


def _make_room(workspace: Workspace, key: str, now: datetime) -> None:
    """One open invitation for each address; one that ran out makes room."""
    query = select(Invitation).where(
        Invitation.workspace_id == workspace.id,
        Invitation.email_key == key,
        Invitation.state == InvitationState.PENDING,
    )
    open_one = db.session.scalar(query.execution_options(populate_existing=True))
    if open_one is not None and not book.run_out(open_one, now):
        raise Conflict(
            f"{open_one.email} has an open invitation as {open_one.role}. "
            "Send it again from the list, or revoke it first."
        )


def _throttle(user_id: str, now: datetime) -> None:
    query = (
        select(Invitation.created_at)
        .where(Invitation.invited_by == user_id, Invitation.created_at > now - _DAY)
        .order_by(Invitation.created_at.desc())
        .limit(MOST_A_DAY)
    )
    with tenancy.everywhere("a person's invitations count together, wherever they lead"):
        lately = list(db.session.scalars(query))
    if len(lately) == MOST_A_DAY:
        raise TooMany(
            f"You invited {MOST_A_DAY} people within a day. Go on tomorrow, "
            "or ask somebody else here to invite.",
            max(1, ceil((lately[-1] + _DAY - now).total_seconds())),
        )


def _send(invitation: Invitation, link_to: LinkTo, now: datetime) -> str:
    """Make both links, post the one, and return the other."""
    db.session.execute(
        update(InvitationLink)
        .where(
            InvitationLink.workspace_id == invitation.workspace_id,
            InvitationLink.invitation_id == invitation.id,
            InvitationLink.replaced_at.is_(None),
        )
        .values(replaced_at=now)
    )
    posted, handed = (_link(invitation, now, mailed=mailed) for mailed in (True, False))
    mail.post(
        "invitation",
        to=invitation.email,
        now=now,
        workspace_id=invitation.workspace_id,
        link=link_to(posted),
        workspace=invitation.workspace.name,
        inviter=invitation.inviter.name,
        role=invitation.role.value,
        days=LIFE.days,
    )
    return link_to(handed)


def _link(invitation: Invitation, now: datetime, *, mailed: bool) -> str:
    token = secrets.token_urlsafe(32)
    db.session.add(
        InvitationLink(
            token_hash=book.digest(token),
            workspace_id=invitation.workspace_id,
            invitation_id=invitation.id,
            created_at=now,
            mailed=mailed,
        )
    )
    return token


def _pending_or_conflict(invitation: Invitation, now: datetime) -> None:
    state = invitation.state_at(now)
    if state is not InvitationState.PENDING:
        raise Conflict(f"The invitation of {invitation.email} is {state}; nothing was changed.")


def _settle(invitation: Invitation, now: datetime, **values: Any) -> None:
    if not book.settle(invitation, now, **values):
        raise Conflict(f"The invitation of {invitation.email} has just changed. Look again.")
