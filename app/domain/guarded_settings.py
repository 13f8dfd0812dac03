"""Settings whose loosening may need a second person, and whose tightening never does."""

from dataclasses import replace
from datetime import datetime

from app.domain import approvals, ceilings, protection, workspaces
from app.domain.approval_subjects import end_two_person, raise_ceilings
from app.domain.audit import Actor
from app.domain.ceilings import Ceilings
from app.domain.protection import Protection
from app.models import Approval, Membership


def set_ceilings(
    member: Membership,
    wanted: Ceilings,
    *,
    reason: str,
    link_to: approvals.Link,
    by: Actor,
    now: datetime,
) -> Approval | None:
    """Lower a workspace's ceilings, or raise them, or ask for that. Raises as ``act`` does."""
    workspace = member.workspace
    workspaces.lock(workspace)
    subject = raise_ceilings(workspace, wanted)
    if ceilings.raised(ceilings.of(workspace), wanted):
        return approvals.act(subject, member, reason=reason, link_to=link_to, by=by, now=now)
    ceilings.change(workspace, wanted, by=by, now=now)
    return None


def set_protection(
    member: Membership,
    wanted: Protection,
    *,
    reason: str,
    link_to: approvals.Link,
    by: Actor,
    now: datetime,
) -> Approval | None:
    """Change what protects a workspace; the end of the two-person rule is asked for.

    Raises as ``protection.change`` and ``act`` do.
    """
    workspace = member.workspace
    workspaces.lock(workspace)
    ends = workspace.two_person and not wanted.two_person
    kept = replace(wanted, two_person=True) if ends else wanted
    protection.change(member, kept, by=by, now=now)
    if not ends:
        return None
    subject = end_two_person(workspace)
    return approvals.act(subject, member, reason=reason, link_to=link_to, by=by, now=now)
