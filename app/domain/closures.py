"""The end of a workspace: refused while anything in it may still trade."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update

from app.domain import (
    access,
    audit,
    billing_contacts,
    bots,
    departures,
    machines,
    runs,
    tidings,
    workspaces,
)
from app.domain.access import Permission
from app.domain.audit import Actor, Change
from app.domain.errors import Invalid, NotAllowed, Refused
from app.extensions import change, db
from app.models import Bot, Connection, Membership, User, Wish, Workspace
from runner.protocol import Mode


@dataclass(frozen=True)
class Obstacle:
    """A bot that stands in the way, and what to do about it."""

    bot: Bot
    cure: str


def obstacles(workspace: Workspace, now: datetime) -> list[Obstacle]:
    """Every bot that is not known to be done, by name."""
    found = [(bot, _cure(bot, now)) for bot in bots.in_workspace(workspace)]
    return [Obstacle(bot, cure) for bot, cure in found if cure]


def delete(
    workspace: Workspace, *, typed_name: str, acting: Membership, by: Actor, now: datetime
) -> None:
    """Delete an organisation with its bots, keys and links. Its audit log is kept.

    The bots go the way of every deleted bot: their addresses are released by the planner.

    Raises:
        NotAllowed: ``acting`` may not.
        Refused: it is personal, or a bot is live, started, has a machine, or may hold a position.
        Invalid: the name was not typed as it is.
    """
    workspaces.lock(workspace)
    db.session.refresh(acting)
    verdict = access.can(acting, Permission.WORKSPACE_DELETE)
    if not verdict:
        raise NotAllowed(verdict.reason)
    if workspace.personal:
        raise Refused("This is a personal workspace; it goes with its account alone.")
    busy = obstacles(workspace, now)
    if busy:
        raise Refused(" ".join(f"{it.bot.name}: {it.cure}." for it in busy[:5]))
    if typed_name.strip() != workspace.name:
        raise Invalid(f"Type {workspace.name} exactly as it stands.", "name")
    changes = [*_end_bots(workspace, by, now), *_forget_keys(workspace, now)]
    changes += departures.void_pending(workspace, None, now)
    changes += billing_contacts.forget_all(workspace)
    _tell_members(workspace, by, now)
    # The name may be given again; the rows and the audit log stay under the workspace's id.
    workspace.deleted_at, workspace.slug = now, workspace.id.replace("_", "-")
    audit.record(
        "workspace.delete",
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=workspace.id,
        target_label=workspace.name,
        changes=changes,
    )


def end_personal(workspace: Workspace, *, by: Actor, now: datetime) -> None:
    """End a personal workspace with the account it came with. Its name told who it was of.

    Raises:
        Refused: a bot in it is not known to be done.
    """
    workspaces.lock(workspace)
    if busy := obstacles(workspace, now):
        raise Refused(" ".join(f"{it.bot.name}: {it.cure}." for it in busy[:5]))
    changes = [*_end_bots(workspace, by, now), *_forget_keys(workspace, now)]
    changes += departures.void_pending(workspace, None, now)
    changes += billing_contacts.forget_all(workspace)
    workspace.name = "Personal workspace"
    workspace.deleted_at, workspace.slug = now, workspace.id.replace("_", "-")
    audit.record(
        "workspace.delete",
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=workspace.id,
        target_label=workspace.name,
        changes=changes,
        reason="its owner has left",
    )


def _cure(bot: Bot, now: datetime) -> str:
    if bot.mode is Mode.LIVE:
        return "it is live, so switch it to paper first"
    if bot.wish is Wish.FOLLOW:
        return "it is started, so stop it first"
    if machines.current_machine(bot.id) is not None:
        return "its machine still runs, so wait until it has finished"
    return "" if runs.is_flat(bot, now) else "it may hold a position, so start it and flatten it"


def _end_bots(workspace: Workspace, by: Actor, now: datetime) -> list[Change]:
    found = [bot for bot in bots.in_workspace(workspace) if bot.wish is not Wish.GONE]
    for bot in found:
        bots.delete(bot, typed_name=bot.name, by=by, now=now)
    return [Change("bots", len(found), 0)] if found else []


def _forget_keys(workspace: Workspace, now: datetime) -> list[Change]:
    kept = update(Connection).where(
        Connection.workspace_id == workspace.id, Connection.deleted_at.is_(None)
    )
    count = change(kept.values(sealed=b"", deleted_at=now))
    return [Change("connections", count, 0)] if count else []


def _tell_members(workspace: Workspace, by: Actor, now: datetime) -> None:
    people = select(User).join(Membership, Membership.user_id == User.id)
    for person in db.session.scalars(people.where(Membership.workspace_id == workspace.id)):
        tidings.tell(
            person,
            "workspace_deleted",
            f"{workspace.name} was deleted",
            workspace=workspace,
            key=f"deleted {workspace.id}",
            now=now,
            leaving=True,
            mine=person.id == by.id,
        )
