"""When a support access is open, and who in a workspace decides about it. Changes nothing."""

from datetime import datetime, timedelta

from sqlalchemy import select

from app.domain import access
from app.domain.access import Permission, Verdict
from app.extensions import db
from app.models import Membership, Role, SupportAccess, Ticket, User

ASKED_FOR = timedelta(hours=24)
"""How long a question stands before it lapses."""

ANSWERING = (Role.OWNER, Role.ADMIN)
"""Roles that may answer for any ticket of the workspace; its owner may for their own."""


def serves(person: User) -> bool:
    """Whether somebody is an operator who may act."""
    return person.operator and person.suspended_at is None and person.deleted_at is None


def ended(found: SupportAccess, now: datetime) -> bool:
    """Whether nothing more can come of it."""
    if found.refused_at is not None or found.ended_at is not None:
        return True
    if found.granted_at is None or found.expires_at is None:
        return now >= found.asked_at + ASKED_FOR
    return now >= found.expires_at


def waits(access_id: str) -> bool:
    """Whether a question is neither answered nor closed. Only where its workspace is open."""
    found = db.session.get(SupportAccess, access_id, populate_existing=True)
    if found is None:
        return False
    return found.granted_at is None and found.refused_at is None and found.ended_at is None


def may_answer(member: Membership, found: SupportAccess, ticket: Ticket) -> Verdict:
    """Whether this member may grant, refuse or end: never whoever asked."""
    if found.workspace_id != member.workspace_id or ticket.id != found.ticket_id:
        return Verdict(allowed=False, reason="That belongs to another ticket.")
    if member.user_id == found.operator_id:
        return Verdict(allowed=False, reason="You asked for this; somebody else has to answer.")
    if not access.can(member, Permission.TICKET_OPEN):
        return access.can(member, Permission.TICKET_OPEN)
    if member.role in ANSWERING or ticket.opened_by == member.user_id:
        return Verdict(allowed=True)
    return Verdict(
        allowed=False, reason="The ticket's owner, or an owner or admin of the workspace, answers."
    )


def grantor(found: SupportAccess, ticket: Ticket, now: datetime) -> Membership | None:
    """Whoever's word opens it at this moment; ``None`` where it is not open, or their word is void.

    They may have lost their role, or the workspace may be gone, since they granted it.
    """
    if found.granted_at is None or ended(found, now) or ticket.over:
        return None
    query = select(Membership).where(
        Membership.workspace_id == found.workspace_id, Membership.user_id == found.answered_by
    )
    member = db.session.scalar(query.execution_options(populate_existing=True))
    if member is None or member.user.suspended_at is not None:
        return None
    return member if may_answer(member, found, ticket) else None
