"""Owners: a workspace always has an active one, and who is fit to be one."""

from datetime import datetime

from sqlalchemy import select

from app.domain.errors import Refused
from app.extensions import db
from app.models import Membership, Role, TotpFactor, User, Workspace


def active(workspace: Workspace) -> list[User]:
    """Owners who can act: neither they nor their membership suspended, their address verified.

    What it says stays true until the commit only under ``workspaces.lock``.
    """
    query = select(User).join(Membership, Membership.user_id == User.id)
    query = query.where(
        Membership.workspace_id == workspace.id,
        Membership.role == Role.OWNER,
        Membership.suspended_at.is_(None),
        User.suspended_at.is_(None),
        User.email_verified_at.is_not(None),
    )
    return list(db.session.scalars(query.order_by(User.name, User.id)))


def keep_one(workspace: Workspace, without: User) -> None:
    """Refuse what would leave nobody who can act as owner. Call it under ``workspaces.lock``.

    Raises:
        Refused: ``without`` is the only active owner.
    """
    ids = [owner.id for owner in active(workspace)]
    if ids == [without.id]:
        raise Refused(
            f"{without.name} is the only active owner of {workspace.name}. "
            "Make somebody else an owner first, or hand the ownership over."
        )


def check_fit(member: Membership, now: datetime) -> None:
    """Whether a member may become an owner. Raises ``Refused`` with what is missing."""
    person = member.user
    db.session.refresh(person)
    if member.suspended_at is not None or person.suspended:
        raise Refused(f"{person.name} is suspended; an owner must be able to act.")
    if not person.verified:
        raise Refused(
            f"{person.name} has not confirmed their e-mail address; an owner must be reachable."
        )
    if _factor_demanded(member.workspace, now) and not _has_factor(person):
        raise Refused(
            f"{member.workspace.name} demands a second factor, and {person.name} has none yet. "
            "It is set up under Your account."
        )


def _factor_demanded(workspace: Workspace, now: datetime) -> bool:
    return workspace.factor_from is not None and workspace.factor_from <= now


def _has_factor(person: User) -> bool:
    query = select(TotpFactor.user_id).where(TotpFactor.user_id == person.id)
    return db.session.scalar(query.where(TotpFactor.confirmed_at.is_not(None))) is not None
