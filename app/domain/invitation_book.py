"""Rows of invitations: finding them, how each ends, and what is written down of it."""

import hashlib
from datetime import datetime
from typing import Any

from sqlalchemy import case, select, update

from app.domain import audit, workspaces
from app.domain.audit import Actor, Change
from app.extensions import change, db
from app.models import Invitation, InvitationState, Workspace

SCHEDULER = Actor("scheduler", "invitations", source="worker")

SHOWN = 200


def find(workspace: Workspace, invitation_id: str) -> Invitation | None:
    """An invitation of this workspace."""
    found: Invitation | None = db.session.scalar(
        select(Invitation).where(
            Invitation.workspace_id == workspace.id, Invitation.id == invitation_id
        )
    )
    return found


def in_workspace(workspace: Workspace) -> list[Invitation]:
    """The open ones first, then those that ended, newest first; ``SHOWN`` of them."""
    query = (
        select(Invitation)
        .where(Invitation.workspace_id == workspace.id)
        .options(db.joinedload(Invitation.inviter))
        .order_by(
            case((Invitation.state == InvitationState.PENDING, 0), else_=1),
            Invitation.created_at.desc(),
        )
    )
    return list(db.session.scalars(query.limit(SHOWN)))


def due(now: datetime, limit: int = 200) -> list[str]:
    """Ids of the invitations that ran out and do not say so yet."""
    query = select(Invitation.id).where(
        Invitation.state == InvitationState.PENDING, Invitation.expires_at <= now
    )
    return list(db.session.scalars(query.order_by(Invitation.expires_at).limit(limit)))


def expire(invitation_id: str, now: datetime) -> bool:
    """Write down that an invitation ran out; ``False`` if it did not, or somebody was first."""
    invitation: Invitation | None = db.session.get(Invitation, invitation_id)
    if invitation is None:
        return False
    workspaces.lock(invitation.workspace)
    return run_out(invitation, now)


def settle(invitation: Invitation, now: datetime, **values: Any) -> bool:
    """Write to a pending invitation; ``False`` where it is pending no longer."""
    statement = update(Invitation).where(
        Invitation.workspace_id == invitation.workspace_id,
        Invitation.id == invitation.id,
        Invitation.state == InvitationState.PENDING,
        Invitation.expires_at > now,
    )
    won = change(statement.values(**values)) == 1
    db.session.refresh(invitation)
    return won


def run_out(invitation: Invitation, now: datetime) -> bool:
    """End one whose time is over, under the lock; ``False`` if it is not, or has ended."""
    statement = update(Invitation).where(
        Invitation.workspace_id == invitation.workspace_id,
        Invitation.id == invitation.id,
        Invitation.state == InvitationState.PENDING,
        Invitation.expires_at <= now,
    )
    if change(statement.values(state=InvitationState.EXPIRED, answered_at=now)) != 1:
        return False
    db.session.refresh(invitation)
    record("invitation.expire", invitation, SCHEDULER, now, state_change(InvitationState.EXPIRED))
    return True


def state_change(after: InvitationState) -> list[Change]:
    """How the audit log says that a pending invitation ended."""
    return [Change("state", InvitationState.PENDING, after)]


def digest(token: str) -> str:
    """What is kept of a token: SHA-256, which is enough for 256 random bits."""
    return hashlib.sha256(token.encode()).hexdigest()


def record(
    action: str, invitation: Invitation, by: Actor, now: datetime, changes: list[Change]
) -> None:
    """One event in the chain of the workspace. Call it last."""
    audit.record(
        action,
        by=by,
        now=now,
        workspace_id=invitation.workspace_id,
        target_id=invitation.id,
        target_label=invitation.email,
        changes=changes,
    )
