"""Members: who is in a workspace, and how they change roles, are suspended, removed, or leave."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, select, update

from app.domain import access, audit, departures, owners, tidings, workspaces
from app.domain.access import Permission, Verdict
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, NotAllowed, Refused
from app.extensions import change, db
from app.models import Membership, Role, User, Workspace

PERSONAL = (
    "This is a personal workspace: it has one member for ever. "
    "To work with others, create an organisation."
)


@dataclass(frozen=True)
class Entry:
    """One member as another one may see them; ``email`` only for those who invite and remove."""

    member: Membership
    name: str
    email: str | None


def listing(reader: Membership) -> list[Entry]:
    """All members of the reader's workspace, highest role first, then by name."""
    query = select(Membership).where(Membership.workspace_id == reader.workspace_id)
    found = list(db.session.scalars(query.options(db.joinedload(Membership.user))))
    ranks = list(Role)
    found.sort(key=lambda it: (-ranks.index(it.role), it.user.name.casefold(), it.id))
    return [_entry(member, reader) for member in found]


def find(reader: Membership, member_id: str) -> Entry | None:
    """One member of the reader's workspace."""
    query = select(Membership).where(
        Membership.workspace_id == reader.workspace_id, Membership.id == member_id
    )
    found = db.session.scalar(query.options(db.joinedload(Membership.user)))
    return _entry(found, reader) if found else None


def may(acting: Membership, permission: Permission, member: Membership) -> Verdict:
    """Whether ``acting`` may use ``permission`` on this member: held, and the role in reach."""
    verdict = access.can(acting, permission)
    return access.may_hand_out(acting, member.role) if verdict else verdict


def change_role(
    member: Membership,
    role: Role,
    *,
    acting: Membership,
    by: Actor,
    now: datetime,
    page: str = "",
) -> None:
    """Give a member another role; it counts from their next request on.

    Nobody changes their own role, except an owner who steps down while another one remains.

    Raises:
        NotAllowed: the member's role, or the wanted one, is not below that of ``acting``.
        Refused: it would leave no active owner, or the member is not fit to be one.
    """
    _enter(member, acting, Permission.MEMBER_CHANGE_ROLE)
    workspace, person, before = member.workspace, member.user, member.role
    if role is before:
        return
    _demand(access.may_hand_out(acting, role))
    if role is Role.OWNER:
        owners.check_fit(member, now)
    owners.keep_one(workspace, without=person)
    _claim(member, Membership.role == before, role=role)
    changes = [Change("role", before, role)]
    if Role.OWNER in (before, role):
        changes += departures.void_offers(workspace, person, now)
    if member.id != acting.id:
        told = {"page": page, "before": before, "role": role}
        _tell(person, workspace, "member_role", f"You are {role} of", now, **told)
    _record("member.change_role", workspace, person, by, now, changes)


def suspend(member: Membership, *, acting: Membership, by: Actor, now: datetime) -> None:
    """Shut a member out without forgetting them. Raises as ``remove``."""
    _enter_other(member, acting)
    workspace, person = member.workspace, member.user
    owners.keep_one(workspace, without=person)
    _claim(member, Membership.suspended_at.is_(None), suspended_at=now)
    _tell(person, workspace, "member_access", "You are suspended in", now, open=False)
    changes = [Change("suspended", False, True)]
    _record("member.suspend", workspace, person, by, now, changes)


def restore(
    member: Membership, *, acting: Membership, by: Actor, now: datetime, page: str = ""
) -> None:
    """Let a suspended member in again, in the role they had. Raises as ``remove``."""
    _enter_other(member, acting)
    workspace, person = member.workspace, member.user
    _claim(member, Membership.suspended_at.is_not(None), suspended_at=None)
    _tell(person, workspace, "member_access", "You are back in", now, page=page, open=True)
    changes = [Change("suspended", True, False)]
    _record("member.restore", workspace, person, by, now, changes)


def remove(member: Membership, *, acting: Membership, by: Actor, now: datetime) -> None:
    """Take a member out. Their account, other workspaces and this one's bots stay as they are.

    Raises:
        NotAllowed: the member's role is not below that of ``acting``.
        Refused: it is oneself, the only active owner, or a personal workspace.
    """
    _enter_other(member, acting)
    workspace, person = member.workspace, member.user
    changes = _end(member, now)
    _tell(person, workspace, "member_removed", "You were removed from", now, leaving=True)
    _record("member.remove", workspace, person, by, now, changes)


def leave(member: Membership, *, by: Actor, now: datetime, page: str = "") -> None:
    """Go. Raises ``Refused`` for the only active owner, and in a personal workspace."""
    _hold(member)
    workspace, person = member.workspace, member.user
    changes = _end(member, now)
    for owner in owners.active(workspace):
        tidings.tell(
            owner,
            "member_left",
            f"{person.name} has left {workspace.name}",
            workspace=workspace,
            key=f"left {member.id}",
            now=now,
            page=page,
            who=person.name,
        )
    _record("member.leave", workspace, person, by, now, changes)


def _end(member: Membership, now: datetime) -> list[Change]:
    workspace, person, role = member.workspace, member.user, member.role
    owners.keep_one(workspace, without=person)
    changes = [Change("role", role, None), *departures.void_pending(workspace, person, now)]
    if change(delete(Membership).where(Membership.id == member.id)) != 1:
        raise Conflict(f"{person.name} is no member any more.")
    if person.last_workspace_id == workspace.id:
        person.last_workspace_id = None
    return changes


def _enter_other(member: Membership, acting: Membership) -> None:
    if member.id == acting.id:
        raise Refused("This is yourself. To go, leave the workspace.")
    _enter(member, acting, Permission.MEMBER_REMOVE)


def _enter(member: Membership, acting: Membership, permission: Permission) -> None:
    """What held when the page was asked for is checked again under the workspace's lock."""
    _hold(member)
    _reread(acting)
    _demand(may(acting, permission, member))


def _hold(member: Membership) -> None:
    workspaces.lock(member.workspace)
    _reread(member)
    if member.workspace.personal:
        raise Refused(PERSONAL)


def _reread(member: Membership) -> None:
    """Another transaction may have changed or deleted the row while this one waited."""
    if db.session.get(Membership, member.id, populate_existing=True) is None:
        raise Conflict("One of you is no member any more; look at the list again.")


def _demand(verdict: Verdict) -> None:
    if not verdict:
        raise NotAllowed(verdict.reason)


def _claim(member: Membership, held: Any, **values: Any) -> None:
    mine = update(Membership).where(Membership.id == member.id, held)
    if change(mine.values(**values)) != 1:
        raise Conflict("Somebody else was first; look at the list again.")


def _tell(
    person: User, workspace: Workspace, letter: str, title: str, now: datetime, **values: Any
) -> None:
    tidings.tell(
        person,
        letter,
        f"{title} {workspace.name}",
        workspace=workspace,
        key=f"{letter} {workspace.id} {now.isoformat()}",
        now=now,
        **values,
    )


def _entry(member: Membership, reader: Membership) -> Entry:
    shown = member.id == reader.id or access.can(reader, Permission.INVITATION_MANAGE)
    return Entry(member, member.user.name, member.user.email if shown else None)


def _record(
    action: str, workspace: Workspace, person: User, by: Actor, now: datetime, changes: list[Change]
) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=person.id,
        target_label=person.name,
        changes=changes,
    )
