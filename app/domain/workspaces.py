"""Workspaces: what owns things, and who is in them."""

from datetime import datetime
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.exc import IntegrityError

from app import tenancy
from app.domain import audit, slugs, tidings
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict, Invalid, Refused
from app.extensions import change, db, prepared
from app.models import Membership, Role, User, Workspace, WorkspaceKind

MAX_NAME = 80


def create_personal(user: User, *, by: Actor, now: datetime) -> Workspace:
    """The workspace that comes with every account; its one member owns it."""
    name = f"{user.name.split()[0] if user.name.split() else 'My'}'s workspace"
    return _create(WorkspaceKind.PERSONAL, name, None, user, by, now)


def create_organisation(
    name: str, owner: User, *, by: Actor, now: datetime, slug: str | None = None
) -> Workspace:
    """A workspace for many; without a slug it gets one made from its name.

    Raises:
        Refused: the owner's address is not verified, or the owner is suspended.
        Invalid: name or slug do not do, or the slug is taken; then it suggests a free one.
    """
    # The row is held until the commit: nobody is suspended while they become an owner.
    row = select(User).where(User.id == owner.id).with_for_update()
    alive = db.session.scalar(row.execution_options(populate_existing=True))
    if alive is None or alive.suspended or not alive.verified:
        raise Refused(
            "Confirm your e-mail address first: an organisation needs an owner who can be reached."
        )
    chosen = slugs.checked(slug) if slug is not None else None
    return _create(WorkspaceKind.ORGANISATION, clean_name(name), chosen, owner, by, now)


def update_profile(
    workspace: Workspace, *, name: str, slug: str, zone: str, by: Actor, now: datetime
) -> None:
    """Change name, slug and time zone. Raises ``Invalid`` naming the field."""
    lock(workspace)
    cleaned, chosen = clean_name(name), slugs.checked(slug, of=workspace)
    if zone not in available_timezones():
        raise Invalid("Choose one of the time zones.", "zone")
    before = _profile(workspace)
    after = {"name": cleaned, "slug": chosen, "zone": zone}
    changes = audit.changes_between(before, after)
    if not changes:
        return
    try:
        with db.session.begin_nested():
            workspace.name, workspace.slug, workspace.zone = cleaned, chosen, zone
    except IntegrityError as error:
        raise slugs.taken(chosen) from error
    _record("workspace.update", workspace, by, now, changes=changes)


def suspend(workspace: Workspace, *, reason: str, by: Actor, now: datetime) -> None:
    """Take a workspace out of use but for looking, stopping and paying. Its owners are told why.

    Raises:
        Invalid: no reason is given.
        Conflict: it is suspended or deleted already.
    """
    if workspace.kind is WorkspaceKind.FRONT_DESK:
        raise Conflict("The front desk cannot be suspended.")
    cleaned = " ".join(reason.split())
    if not 1 <= len(cleaned) <= 300:
        raise Invalid("Say why, in 1 to 300 characters; its owners will read it.", "reason")
    alive = Workspace.suspended_at.is_(None), Workspace.deleted_at.is_(None)
    _claim(workspace, now, *alive)
    _tell_owners(workspace, "was suspended", now, reason=cleaned)
    _record("workspace.suspend", workspace, by, now, reason=cleaned)


def resume(workspace: Workspace, *, by: Actor, now: datetime) -> None:
    """Give a suspended workspace back. Raises ``Conflict`` if it is not suspended."""
    _claim(workspace, None, Workspace.suspended_at.is_not(None), Workspace.deleted_at.is_(None))
    _tell_owners(workspace, "is in use again", now)
    _record("workspace.resume", workspace, by, now)


def add_member(
    workspace: Workspace, user: User, role: Role, *, by: Actor, now: datetime
) -> Membership:
    """Put a person into a workspace. Raises ``Refused`` for the front desk, which has none."""
    if workspace.kind is WorkspaceKind.FRONT_DESK:
        raise Refused("The front desk has no members.")
    member = Membership(workspace_id=workspace.id, user_id=user.id, role=role, created_at=now)
    db.session.add(member)
    db.session.flush()
    audit.record(
        "member.add",
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=user.id,
        target_label=user.name,
        changes=[Change("role", None, role)],
    )
    return member


def lock(workspace: Workspace) -> None:
    """Hold the workspace's row until the commit, and read it anew.

    Whoever changes what must stay true of a workspace as a whole (its owners, its ceilings, its
    approvals) comes through here before any other row is locked. Rows that merely point at the
    workspace can still be written by others: a gate that holds a bot's row and stores what a
    runner tells would otherwise wait in a circle with us. Raises ``Conflict`` if it was deleted
    meanwhile.
    """
    row = select(Workspace.id).where(Workspace.id == workspace.id)
    db.session.execute(row.with_for_update(key_share=True))
    db.session.refresh(workspace)
    if workspace.deleted_at is not None:
        raise Conflict(f"{workspace.name} was deleted.")


def remember(user: User, workspace_id: str) -> None:
    """Note where this person works, as the place to open after the next sign-in."""
    user.last_workspace_id = workspace_id


def memberships(user: User) -> list[Membership]:
    """All memberships of a person, personal workspace first, then by name; none of the deleted."""
    return list(db.session.scalars(_memberships(), {"person": user.id}))


@prepared
def _memberships() -> Select[Membership]:
    return (
        select(Membership)
        .join(Workspace, Workspace.id == Membership.workspace_id)
        .where(Membership.user_id == bindparam("person"), Workspace.deleted_at.is_(None))
        .options(db.contains_eager(Membership.workspace))
        .order_by(Workspace.kind.desc(), Workspace.name)
    )


def clean_name(name: str) -> str:
    """A name without blanks around it. Raises ``Invalid``."""
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= MAX_NAME:
        raise Invalid(f"Give it a name of 1 to {MAX_NAME} characters.", "name")
    return cleaned


def _create(
    kind: WorkspaceKind, name: str, slug: str | None, owner: User, by: Actor, now: datetime
) -> Workspace:
    with tenancy.everywhere("a workspace that begins is nobody's yet"):
        return _begun(kind, name, slug, owner, by, now)


def _begun(
    kind: WorkspaceKind, name: str, slug: str | None, owner: User, by: Actor, now: datetime
) -> Workspace:
    workspace = _added(Workspace(kind=kind, name=name, slug=slug or slugs.free(name)), now)
    if workspace is None and slug is None:
        workspace = _added(Workspace(kind=kind, name=name, slug=slugs.own(name)), now)
    if workspace is None:
        raise slugs.taken(slug or "This slug")
    db.session.add(
        Membership(workspace_id=workspace.id, user_id=owner.id, role=Role.OWNER, created_at=now)
    )
    db.session.flush()
    _record("workspace.create", workspace, by, now)
    return workspace


def _added(workspace: Workspace, now: datetime) -> Workspace | None:
    """The row, unless somebody took its slug in this very moment."""
    workspace.created_at = now
    try:
        with db.session.begin_nested():
            db.session.add(workspace)
    except IntegrityError:
        return None
    return workspace


def _claim(workspace: Workspace, suspended_at: datetime | None, *held: Any) -> None:
    """Whoever was first has done it; the second is told, and nothing is done twice."""
    lock(workspace)
    mine = update(Workspace).where(Workspace.id == workspace.id, *held)
    if change(mine.values(suspended_at=suspended_at)) != 1:
        raise Conflict("Somebody else was first; look at the list again.")


def _tell_owners(workspace: Workspace, happened: str, now: datetime, reason: str = "") -> None:
    owners = select(User).join(Membership, Membership.user_id == User.id)
    owners = owners.where(Membership.workspace_id == workspace.id, Membership.role == Role.OWNER)
    for owner in db.session.scalars(owners):
        tidings.tell(
            owner,
            "workspace_suspension",
            f"{workspace.name} {happened}",
            workspace=workspace,
            key=f"suspension {workspace.id} {now.isoformat()}",
            now=now,
            body=reason,
            happened=happened,
            reason=reason,
        )


def _profile(workspace: Workspace) -> dict[str, Any]:
    return {"name": workspace.name, "slug": workspace.slug, "zone": workspace.zone}


def _record(
    action: str,
    workspace: Workspace,
    by: Actor,
    now: datetime,
    changes: list[Change] | None = None,
    reason: str = "",
) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=workspace.id,
        target_label=workspace.name,
        changes=changes or (),
        reason=reason,
    )
