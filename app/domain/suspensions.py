"""Shutting a person out of the whole installation, by its operator."""

from datetime import datetime

from sqlalchemy import select, update

from app.domain import accounts, owners, workspaces
from app.domain.account_events import record
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid
from app.extensions import change, db
from app.models import LoginSession, Membership, User, Workspace, WorkspaceKind


def find(email: str) -> User:
    """The person with this address. Raises ``Invalid``."""
    user: User | None = db.session.scalar(
        select(User).where(User.email_key == accounts.email_key(email))
    )
    if user is None:
        raise Invalid(f"No account has the address {email.strip()}.", "email")
    return user


def suspend_user(user: User, *, by: Actor, now: datetime, reason: str = "") -> None:
    """End all sessions of a person and let them sign in no more. Their bots keep running.

    Raises:
        Refused: they are the only active owner of an organisation.
        Conflict: they are suspended already, or founded an organisation in this moment.
    """
    places = _organisations(user)
    for workspace in places:
        workspaces.lock(workspace)
        owners.keep_one(workspace, without=user)
    mine = update(User).where(User.id == user.id, User.suspended_at.is_(None))
    if change(mine.values(suspended_at=now)) != 1:
        raise Conflict(f"{user.email} is suspended already.")
    # From here on the person's row is held, so nothing is founded in their name any more.
    if {it.id for it in _organisations(user)} - {it.id for it in places}:
        raise Conflict(f"{user.email} has joined another organisation in this moment; try again.")
    db.session.execute(
        update(LoginSession)
        .where(LoginSession.user_id == user.id, LoginSession.revoked_at.is_(None))
        .values(revoked_at=now)
    )
    record(
        user, "account.suspend", by, now, changes=[Change("suspended", False, True)], reason=reason
    )


def resume_user(user: User, *, by: Actor, now: datetime) -> None:
    """Let a suspended person sign in again. Raises ``Conflict`` if they are not suspended."""
    mine = update(User).where(User.id == user.id, User.suspended_at.is_not(None))
    if change(mine.values(suspended_at=None)) != 1:
        raise Conflict(f"{user.email} is not suspended.")
    record(user, "account.resume", by, now, changes=[Change("suspended", True, False)])


def _organisations(user: User) -> list[Workspace]:
    """All a person is in, in the one order in which workspaces are ever locked together."""
    query = select(Workspace).join(Membership, Membership.workspace_id == Workspace.id)
    query = query.where(
        Membership.user_id == user.id,
        Workspace.kind == WorkspaceKind.ORGANISATION,
        Workspace.deleted_at.is_(None),
    )
    return list(db.session.scalars(query.order_by(Workspace.id)))
