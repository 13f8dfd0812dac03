"""Requests for a second person as they are kept, and what each member can make of them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.domain import access, holders
from app.domain.approval_subjects import RIGHTS, Subject, digest
from app.extensions import db
from app.models import Approval, ApprovalKind, ApprovalState, Membership, Workspace

SHOWN = 50


@dataclass(frozen=True)
class Standing:
    """One request as a member finds it now. ``hindrance`` says why they may not decide it."""

    state: ApprovalState
    own: bool
    stale: bool
    hindrance: str

    @property
    def open(self) -> bool:
        """Whether anybody can still answer."""
        return self.state is ApprovalState.PENDING


def in_workspace(workspace: Workspace) -> list[Approval]:
    """Requests of a workspace, newest first."""
    query = select(Approval).where(Approval.workspace_id == workspace.id)
    people = (db.joinedload(Approval.requester), db.joinedload(Approval.decider))
    query = query.options(*people, db.joinedload(Approval.bot))
    newest = query.order_by(Approval.created_at.desc(), Approval.id).limit(SHOWN)
    return list(db.session.scalars(newest))


def find(workspace: Workspace, approval_id: str) -> Approval | None:
    """One request of this workspace."""
    query = select(Approval).where(
        Approval.workspace_id == workspace.id, Approval.id == approval_id
    )
    return db.session.scalar(query)


def pending_for(
    workspace: Workspace, kind: ApprovalKind, bot_id: str | None, now: datetime
) -> Approval | None:
    """The open request of this kind about a bot, or about the workspace."""
    query = select(Approval).where(
        Approval.workspace_id == workspace.id,
        Approval.kind == kind,
        Approval.bot_id == bot_id,
        Approval.state == ApprovalState.PENDING,
        Approval.expires_at > now,
    )
    return db.session.scalar(query.limit(1))


def standing(approval: Approval, member: Membership, now: datetime) -> Standing:
    """What a member can make of a request now."""
    pending = approval.state is ApprovalState.PENDING
    late = pending and now >= approval.expires_at
    return Standing(
        state=ApprovalState.EXPIRED if late else approval.state,
        own=member.user_id == approval.requested_by,
        stale=pending and digest(subject_of(approval)) != approval.digest,
        hindrance=hindrance(approval, member),
    )


def subject_of(approval: Approval) -> Subject:
    """What a kept request is about."""
    workspace = db.session.get_one(Workspace, approval.workspace_id)
    return Subject(approval.kind, workspace, approval.bot, approval.wanted)


def judges(subject: Subject, asker_id: str) -> list[Membership]:
    """Who may answer: everybody entitled but who asks."""
    entitled = holders.of(subject.workspace, RIGHTS[subject.kind])
    return [member for member in entitled if member.user_id != asker_id]


def hindrance(approval: Approval, member: Membership | None) -> str:
    """Why a member may not answer a request; empty if they may."""
    if member is not None and member.user_id == approval.requested_by:
        return "You asked for this yourself; another person has to answer."
    verdict = access.can(member, RIGHTS[approval.kind])
    return "" if verdict else verdict.reason or "You are no longer an active member."
