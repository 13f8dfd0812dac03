"""How a workspace protects itself: two persons, who may invite, from when on a second factor."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select

from app.domain import access, audit, holders, workspaces
from app.domain.access import Permission
from app.domain.audit import Actor
from app.domain.errors import Invalid, Refused
from app.extensions import db
from app.models import Membership, TotpFactor, Workspace

BOTH = (Permission.RISK_MANAGE, Permission.WORKSPACE_SECURITY)
"""What at least two people must hold before one may have to wait for another."""


@dataclass(frozen=True)
class Protection:
    """The settings. ``factor_from``: the moment from which members need a second factor, UTC."""

    two_person: bool
    managers_invite: bool
    factor_from: datetime | None


def of(workspace: Workspace) -> Protection:
    """As it is now."""
    return Protection(workspace.two_person, workspace.managers_invite, workspace.factor_from)


def loosened(before: Protection, after: Protection) -> list[str]:
    """The settings that protect less than before, by name; two persons included."""
    looser = {
        "two_person": before.two_person and not after.two_person,
        "managers_invite": after.managers_invite and not before.managers_invite,
        "factor_from": before.factor_from is not None
        and (after.factor_from is None or after.factor_from > before.factor_from),
    }
    return [name for name, holds in looser.items() if holds]


def change(member: Membership, wanted: Protection, *, by: Actor, now: datetime) -> None:
    """Set it, all but an end of the two-person rule, which is asked for (``domain/approvals.py``).

    Raises:
        Refused: only owners loosen, or the two-person rule would leave nobody to ask.
        Invalid: the date lies in the past.
    """
    workspace = member.workspace
    workspaces.lock(workspace)
    db.session.refresh(member)
    before = of(workspace)
    looser = loosened(before, wanted)
    if "two_person" in looser:
        raise Refused("Ending the two-person rule is asked for: another person must approve it.")
    if looser:
        demand_owner(member)
    if wanted.two_person and not before.two_person:
        _check_enough_people(workspace)
    soon = wanted.factor_from != before.factor_from and wanted.factor_from is not None
    if soon and wanted.factor_from is not None and wanted.factor_from <= now:
        raise Invalid("Choose a day that is still to come, so that people can prepare.", "factor")
    _write(workspace, wanted, by, now)


def end_two_person(workspace: Workspace, *, by: Actor, now: datetime) -> None:
    """Switch the rule off; that two persons want it is seen to in ``domain/approvals.py``."""
    workspaces.lock(workspace)
    before = of(workspace)
    _write(workspace, Protection(False, before.managers_invite, before.factor_from), by, now)


def demand_owner(member: Membership) -> None:
    """Raises ``Refused`` unless the member may loosen what protects the workspace."""
    verdict = access.may_loosen(member)
    if not verdict:
        raise Refused(verdict.reason)


def without_factor(workspace: Workspace) -> Sequence[Membership]:
    """Active members who have no second factor yet, by name."""
    query = select(TotpFactor.user_id).where(TotpFactor.confirmed_at.is_not(None))
    enrolled = set(db.session.scalars(query))
    return [member for member in holders.active(workspace) if member.user_id not in enrolled]


def _check_enough_people(workspace: Workspace) -> None:
    for permission in BOTH:
        if len(holders.of(workspace, permission)) < 2:
            roles = ", ".join(access.roles_with(permission))
            raise Refused(
                f"The two-person rule needs two people who hold {permission} (roles: {roles}), or "
                "nobody could ever approve. Invite another one first."
            )


def _write(workspace: Workspace, wanted: Protection, by: Actor, now: datetime) -> None:
    changes = audit.changes_between(vars(of(workspace)), vars(wanted))
    if not changes:
        return
    workspace.two_person = wanted.two_person
    workspace.managers_invite = wanted.managers_invite
    workspace.factor_from = wanted.factor_from
    audit.record(
        "workspace.security",
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=workspace.id,
        target_label=workspace.name,
        changes=changes,
    )
