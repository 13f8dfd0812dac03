"""Strategies: named, versioned configurations. A version, once written, never changes."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import selectinload

from app import tenancy
from app.domain import access, audit, code_rules, factors, strategy_changes, strategy_tags
from app.domain.access import Permission
from app.domain.audit import Actor
from app.domain.errors import Invalid, NotAllowed, Overtaken, Refused
from app.extensions import db
from app.models import Bot, Membership, Strategy, StrategyTag, StrategyVersion, User, Workspace
from runner import strategy as components

_SEARCHED = (Strategy.name, Strategy.summary)


class InvalidRules(Invalid):
    """Rules that cannot be traded; ``faults`` maps ``exits[0].params.percent`` to words."""

    def __init__(self, faults: dict[str, str]) -> None:
        super().__init__("; ".join(faults.values()))
        self.faults = faults


def in_workspace(
    workspace: Workspace, *, text: str = "", tag: str = "", archived: bool = False
) -> list[Strategy]:
    """The library, or its archive, by name.

    With ``text``, those whose name or summary has it; with ``tag``, those that have exactly it.
    """
    shelved = Strategy.archived_at.is_not(None) if archived else Strategy.archived_at.is_(None)
    query = select(Strategy).where(Strategy.workspace_id == workspace.id, shelved)
    query = query.options(selectinload(Strategy.tags))
    if text:
        wanted = [column.icontains(text, autoescape=True) for column in _SEARCHED]
        query = query.where(or_(*wanted))
    if tag:
        query = query.where(Strategy.tags.any(StrategyTag.name == tag))
    return list(db.session.scalars(query.order_by(Strategy.name, Strategy.id)))


def find(workspace: Workspace, strategy_id: str) -> Strategy | None:
    """One strategy of this workspace."""
    query = select(Strategy).where(
        Strategy.workspace_id == workspace.id, Strategy.id == strategy_id
    )
    return db.session.scalar(query)


def find_version(workspace: Workspace, version_id: str) -> StrategyVersion | None:
    """One version of a strategy of this workspace."""
    query = select(StrategyVersion).where(
        StrategyVersion.workspace_id == workspace.id, StrategyVersion.id == version_id
    )
    return db.session.scalar(query)


def template(key: str) -> components.Template:
    """A template of the library. Raises ``Invalid`` for an unknown key."""
    for item in components.TEMPLATES:
        if item.key == key:
            return item
    raise Invalid("Choose one of the templates.", "template")


def create(
    workspace: Workspace,
    *,
    name: str,
    rules: dict[str, Any],
    author: User | None,
    by: Actor,
    now: datetime,
    summary: str = "",
    template_key: str | None = None,
    tags: Sequence[str] = (),
) -> Strategy:
    """Create a strategy with its first version. Raises ``InvalidRules``."""
    code_rules.check_proven(workspace.id, rules)
    strategy = Strategy(workspace_id=workspace.id, name=name, summary=summary)
    strategy.template = template_key
    _begin(strategy, rules, author, now, tags)
    _record("strategy.create", strategy, by, now)
    return strategy


def copy(
    version: StrategyVersion,
    *,
    name: str,
    source: Membership,
    target: Membership,
    by: Actor,
    now: datetime,
) -> Strategy:
    """Take one version into another workspace of the same person, as a strategy of its own.

    Each workspace's log gets one event. The copy tells where it is from in names alone: ids of
    the workspace it left mean nothing in the other one.

    Raises:
        NotAllowed: no right to look at it here, or to make strategies there; or no second factor
            where that workspace demands one.
        Invalid: it is the same workspace, or the name does not do.
    """
    _demand(source, Permission.STRATEGY_VIEW, version.workspace_id)
    _demand(target, Permission.STRATEGY_MANAGE, target.workspace_id)
    if target.user_id != source.user_id:
        raise NotAllowed("Into a workspace of somebody else nothing is copied.")
    if factors.lacking(target.workspace, target.user, now):
        raise NotAllowed(f"{target.workspace.name} asks its members for a second factor; add one.")
    if target.workspace_id == source.workspace_id:
        raise Invalid("Choose another workspace; here it is already.", "workspace")
    origin = version.strategy
    made = Strategy(workspace_id=target.workspace_id, name=name, summary=origin.summary)
    made.template = origin.template
    made.copied_from = {
        "workspace": source.workspace.name,
        "strategy": origin.name,
        "version": version.number,
        "at": now.isoformat(),
        "by": target.user.name,
    }
    taken = audit.Change("copied to", None, target.workspace.name)
    brought = audit.Change("copied from", None, f"{version.label} of {source.workspace.name}")
    events = [("strategy.copy_out", origin, [taken]), ("strategy.copy_in", made, [brought])]
    with tenancy.everywhere("a strategy is taken into another workspace of the same person"):
        _begin(made, version.rules, target.user, now, origin.tag_names)
        # Two heads are locked: always in the same order, whichever way the copy goes.
        for action, strategy, changes in sorted(events, key=lambda event: event[1].workspace_id):
            _record(action, strategy, by, now, changes)
    return made


def publish(
    strategy: Strategy,
    *,
    rules: dict[str, Any],
    base: int,
    note: str,
    author: User | None,
    by: Actor,
    now: datetime,
) -> StrategyVersion:
    """Write the next version. Bots keep the one they pin until they are given another.

    Args:
        strategy: the strategy to go on with.
        rules: all rules of the version, as in the protocol.
        base: number of the newest version their author has seen.
        note: what changed, in words.
        author: who wrote it.
        by: who acts, for the audit log.
        now: the moment, UTC.

    Raises:
        InvalidRules: a runner could not trade them.
        Overtaken: ``base`` is no longer the newest version.
        Refused: nothing differs from the newest version.
    """
    check(rules)
    code_rules.check_kind(strategy.latest.rules, rules)
    code_rules.check_proven(strategy.workspace_id, rules)
    db.session.execute(select(Strategy.id).where(Strategy.id == strategy.id).with_for_update())
    db.session.refresh(strategy, ["versions"])
    newest = strategy.latest
    if newest.number != base:
        words = f"Version {newest.number} was published after you opened this on version {base}."
        raise Overtaken(f"{words} What it changed stands below.")
    if rules == newest.rules:
        raise Refused(f"Nothing differs from version {newest.number}; change something first.")
    version = _add_version(strategy, newest.number + 1, rules, note, author, now)
    before, after = (
        strategy_changes.flatten(code_rules.without_source(it)) for it in (newest.rules, rules)
    )
    changes = audit.changes_between(before, after)
    _record("strategy.publish", strategy, by, now, changes)
    return version


def archive(strategy: Strategy, *, by: Actor, now: datetime) -> None:
    """Take a strategy out of the library. Raises ``Refused`` while a bot uses it."""
    user_of_it = db.session.scalar(
        select(Bot.name)
        .join(StrategyVersion, StrategyVersion.id == Bot.strategy_version_id)
        .where(StrategyVersion.strategy_id == strategy.id, Bot.deleted_at.is_(None))
        .limit(1)
    )
    if user_of_it is not None:
        raise Refused(f"The bot {user_of_it} uses it; give that bot another strategy first.")
    strategy.archived_at = now
    _record("strategy.archive", strategy, by, now)


def restore(strategy: Strategy, *, by: Actor, now: datetime) -> None:
    """Put an archived strategy back. Raises ``Refused`` for one that is in the library."""
    if strategy.archived_at is None:
        raise Refused(f"{strategy.name} is in the library already.")
    strategy.archived_at = None
    _record("strategy.restore", strategy, by, now)


def duplicate(
    version: StrategyVersion, *, author: User | None, by: Actor, now: datetime
) -> Strategy:
    """Begin a strategy of its own from one version, in the same workspace."""
    origin = version.strategy
    made = Strategy(workspace_id=version.workspace_id, summary=origin.summary)
    made.name = f"Copy of {origin.name}"[:80]
    made.template = origin.template
    _begin(made, version.rules, author, now, origin.tag_names)
    change = audit.Change("duplicated from", None, version.label)
    _record("strategy.create", made, by, now, [change])
    return made


def _begin(
    strategy: Strategy,
    rules: dict[str, Any],
    author: User | None,
    now: datetime,
    tags: Sequence[str] = (),
) -> None:
    """Write a new strategy, its first version and its tags."""
    check(rules)
    strategy.name, strategy.summary = strategy.name.strip(), strategy.summary[:300]
    strategy.created_at = now
    db.session.add(strategy)
    db.session.flush()
    _add_version(strategy, 1, rules, "", author, now)
    if tags:
        strategy_tags.lay(strategy, tags)


def _demand(member: Membership, permission: Permission, workspace_id: str) -> None:
    verdict = access.can(member, permission)
    if not verdict or member.workspace_id != workspace_id:
        raise NotAllowed(verdict.reason or "This strategy is not there.")


def check(rules: dict[str, Any]) -> None:
    """Raise ``InvalidRules`` where a runner could not trade them."""
    found = faults(rules)
    if found:
        raise InvalidRules(found)


def faults(rules: dict[str, Any]) -> dict[str, str]:
    """What keeps rules from being traded: path to words."""
    return {fault.path: fault.message for fault in components.validate(rules)}


def _add_version(
    strategy: Strategy,
    number: int,
    rules: dict[str, Any],
    note: str,
    author: User | None,
    now: datetime,
) -> StrategyVersion:
    version = StrategyVersion(
        workspace_id=strategy.workspace_id,
        strategy_id=strategy.id,
        number=number,
        rules=rules,
        note=note[:300],
        created_by=author.id if author else None,
        created_at=now,
    )
    db.session.add(version)
    db.session.flush()
    db.session.refresh(strategy, ["versions"])
    return version


def _record(
    action: str,
    strategy: Strategy,
    by: Actor,
    now: datetime,
    changes: list[audit.Change] | None = None,
) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        workspace_id=strategy.workspace_id,
        target_id=strategy.id,
        target_label=strategy.name,
        changes=changes or (),
    )
