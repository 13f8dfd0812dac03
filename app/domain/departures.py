"""What a member leaves behind when they go: nothing that still waits in their name."""

from datetime import datetime
from typing import Any

from sqlalchemy import or_, update

from app.domain.audit import Change
from app.extensions import change
from app.models import (
    Approval,
    ApprovalState,
    Invitation,
    InvitationState,
    OfferState,
    OwnershipOffer,
    User,
    Workspace,
)


def void_pending(workspace: Workspace, person: User | None, now: datetime) -> list[Change]:
    """End what is pending in a workspace by one person, or by anybody; say how much it was.

    Invitations sent are revoked, offers of ownership from or to them and approvals they asked
    for are cancelled. Bots keep running: they belong to the workspace.
    """
    invitations = _invitations(workspace, person, now)
    offers = void_offers(workspace, person, now)
    approvals = _approvals(workspace, person, now)
    return [
        *_counted("pending invitations", invitations),
        *offers,
        *_counted("pending approvals", approvals),
    ]


def void_offers(workspace: Workspace, person: User | None, now: datetime) -> list[Change]:
    """Cancel what ownership is on offer from or to one person, or to anybody."""
    return _counted("pending offers of ownership", _offers(workspace, person, now))


def _invitations(workspace: Workspace, person: User | None, now: datetime) -> int:
    mine: list[Any] = [Invitation.workspace_id == workspace.id]
    mine += [Invitation.invited_by == person.id] if person else []
    open_ones = update(Invitation).where(*mine, Invitation.state == InvitationState.PENDING)
    return change(open_ones.values(state=InvitationState.REVOKED, answered_at=now))


def _offers(workspace: Workspace, person: User | None, now: datetime) -> int:
    mine: list[Any] = [OwnershipOffer.workspace_id == workspace.id]
    if person is not None:
        mine.append(or_(OwnershipOffer.from_id == person.id, OwnershipOffer.to_id == person.id))
    open_ones = update(OwnershipOffer).where(*mine, OwnershipOffer.state == OfferState.PENDING)
    return change(open_ones.values(state=OfferState.CANCELLED, answered_at=now))


def _approvals(workspace: Workspace, person: User | None, now: datetime) -> int:
    mine: list[Any] = [Approval.workspace_id == workspace.id]
    mine += [Approval.requested_by == person.id] if person else []
    open_ones = update(Approval).where(*mine, Approval.state == ApprovalState.PENDING)
    return change(open_ones.values(state=ApprovalState.CANCELLED, decided_at=now))


def _counted(what: str, count: int) -> list[Change]:
    return [Change(what, count, 0)] if count else []
