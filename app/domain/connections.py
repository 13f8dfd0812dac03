"""Connections: credentials at an exchange. Sealed on arrival, readable by nobody afterwards."""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import or_, select, update

from app.domain import (
    audit,
    bot_rules,
    commands,
    connection_keys,
    connection_letters,
    machines,
    runs,
    workspaces,
)
from app.domain.audit import Actor
from app.domain.errors import Conflict, Invalid, Refused
from app.domain.venues import PRACTICE
from app.extensions import change, db
from app.gateways.vault import Opener, Sealer
from app.models import Bot, Connection, Environment, Run, User, Wish, Workspace
from app.models.base import new_id
from app.practice.keys import new_key
from runner.protocol import CommandKind, Mode


def in_workspace(workspace: Workspace) -> list[Connection]:
    """All connections of a workspace, by label."""
    query = select(Connection).where(
        Connection.workspace_id == workspace.id, Connection.deleted_at.is_(None)
    )
    return list(db.session.scalars(query.order_by(Connection.label, Connection.id)))


def find(workspace: Workspace, connection_id: str) -> Connection | None:
    """One connection of this workspace."""
    query = select(Connection).where(
        Connection.workspace_id == workspace.id,
        Connection.id == connection_id,
        Connection.deleted_at.is_(None),
    )
    return db.session.scalar(query)


def create(
    workspace: Workspace,
    *,
    exchange: str,
    environment: Environment,
    label: str,
    fields: dict[str, str],
    sealer: Sealer,
    author: User | None,
    by: Actor,
    now: datetime,
) -> Connection:
    """Seal and keep a key. Owners hear of a live one by mail.

    Raises:
        Invalid: unknown exchange, an environment it has not, a field that does not do, or a key
            this workspace has already.
    """
    venue = bot_rules.venue_named(exchange)
    bot_rules.check_offered(venue, Mode(environment.value), "environment")
    workspaces.lock(workspace)
    connection = Connection(
        id=new_id("con"),
        workspace_id=workspace.id,
        exchange=exchange,
        environment=environment,
        label=_clean_label(label),
        created_by=author.id if author else None,
        created_at=now,
    )
    _take_key(workspace, connection, connection_keys.checked(venue, fields), sealer)
    db.session.add(connection)
    db.session.flush()
    connection_letters.tell_owners(connection, "added", by, now)
    _record("connection.create", connection, by, now)
    return connection


def open_practice_account(
    workspace: Workspace, *, sealer: Sealer, author: User | None, by: Actor, now: datetime
) -> Connection:
    """Make a key for the built-in practice market, which opens an account at its first use."""
    key, secret = new_key()
    return create(
        workspace,
        exchange=PRACTICE.id,
        environment=Environment.TESTNET,
        label=f"Practice account {key[-4:]}",
        fields={"api_key": key, "secret": secret},
        sealer=sealer,
        author=author,
        by=by,
        now=now,
    )


def edit(
    connection: Connection,
    *,
    label: str,
    fields: dict[str, str],
    sealer: Sealer,
    by: Actor,
    now: datetime,
) -> bool:
    """Give it another label and, where any of its fields is filled in, another key.

    Machines that use it load the new key. Returns whether the key was replaced.

    Raises:
        Invalid: a value does not do.
        Refused: a bot may hold a position with the old key, which the new one might not reach.
    """
    workspace = hold(connection)
    rotating = any(text.strip() for text in fields.values())
    before = {"label": connection.label, "key": f"…{connection.key_hint}"}
    if rotating:
        holders = [bot for bot in users_of(connection) if not runs.is_flat(bot, now)]
        if holders:
            raise Refused(f"{_names(holders)} may hold a position with this key; flatten it first.")
        venue = bot_rules.venue_of(connection)
        _take_key(workspace, connection, connection_keys.checked(venue, fields), sealer)
        connection.rotated_at, connection.checked_at, connection.findings = now, None, {}
        connection.venue_account = None
    connection.label = _clean_label(label)
    after = {"label": connection.label, "key": f"…{connection.key_hint}"}
    changes = audit.changes_between(before, after)
    if rotating:
        for bot in users_of(connection):
            commands.send(bot, CommandKind.RELOAD, now)
        connection_letters.tell_owners(connection, "given another key", by, now)
        _record("connection.rotate", connection, by, now, changes)
    elif changes:
        _record("connection.update", connection, by, now, changes)
    return rotating


def switch(connection: Connection, *, active: bool, by: Actor, now: datetime) -> None:
    """Switch a key on or off; one that is off is given to no runner.

    Raises ``Refused`` while a bot that is not stopped and asleep trades with it. One that is only
    to go live with it does not: what was stolen is to be switched off at once.
    """
    hold(connection)
    if active == (connection.inactive_at is None):
        return
    if not active:
        require_idle(connection)
    connection.inactive_at = None if active else now
    flip = audit.Change("active", not active, active)
    _record("connection.switch", connection, by, now, [flip])


def require_idle(connection: Connection) -> None:
    """Raises ``Refused`` while a bot that is not stopped and asleep trades with it."""
    busy = [it for it in users_of(connection) if _trades_with(it, connection) and not _sleeps(it)]
    if busy:
        raise Refused(f"Stop {_names(busy)} and wait until it sleeps; it uses this key.")


def delete(connection: Connection, *, by: Actor, now: datetime) -> None:
    """Forget a key for good. Raises ``Refused`` while a bot holds it."""
    hold(connection)
    found = users_of(connection)
    if found:
        raise Refused(f"{_names(found)} uses it; give that bot another connection first.")
    connection.sealed = b""
    connection.deleted_at = now
    connection_letters.tell_owners(connection, "deleted", by, now)
    _record("connection.delete", connection, by, now)


def reseal(
    connection: Connection, *, opener: Opener, sealer: Sealer, by: Actor, now: datetime
) -> bool:
    """Seal it anew for the key of ``sealer``. ``False`` if it is so already or another was first.

    Raises ``VaultError`` if it does not open; then nothing is changed.
    """
    before = connection.sealed
    fields = opener.open(before, connection.seal_context)
    if sealer.made(before):
        return False
    after = sealer.seal(fields, connection.seal_context)
    mine = (Connection.id == connection.id, Connection.sealed == before)
    if change(update(Connection).where(*mine).values(sealed=after)) == 0:
        return False
    _record("connection.reseal", connection, by, now)
    return True


def account_digest(exchange: str, key: str) -> str:
    """What tells that two connections are one account, in whichever workspaces; not reversible."""
    return hashlib.sha256(f"{exchange}|{key}".encode()).hexdigest()


def users_of(connection: Connection) -> list[Bot]:
    """Bots that hold this connection, or are still finishing a run on it, by name."""
    finishing = select(Run.bot_id).where(Run.connection_id == connection.id, Run.ended_at.is_(None))
    held = (Bot.testnet_connection_id, Bot.live_connection_id)
    uses = or_(*(column == connection.id for column in held), Bot.id.in_(finishing))
    query = select(Bot).where(uses, Bot.deleted_at.is_(None)).order_by(Bot.name, Bot.id)
    return list(db.session.scalars(query))


def author_of(connection: Connection) -> User | None:
    """Who saved it, if the person still has an account."""
    return db.session.get(User, connection.created_by) if connection.created_by else None


def hold(connection: Connection) -> Workspace:
    """Lock the workspace, so that no bot begins to use it meanwhile, and read it anew.

    Raises ``Conflict`` if it is deleted.
    """
    workspace = db.session.get_one(Workspace, connection.workspace_id)
    workspaces.lock(workspace)
    db.session.refresh(connection)
    if connection.deleted_at is not None:
        raise Conflict("This connection is deleted.")
    return workspace


def _take_key(
    workspace: Workspace, connection: Connection, fields: dict[str, str], sealer: Sealer
) -> None:
    """Seal the fields, once it is clear that no connection of the workspace has this key."""
    key = fields["api_key"]
    digest = account_digest(connection.exchange, key)
    if any(other.account_digest == digest for other in in_workspace(workspace)):
        raise Invalid("This key is connected already.", "api_key")
    connection.key_hint, connection.account_digest = key[-4:], digest
    connection.sealed = sealer.seal(fields, connection.seal_context)


def _trades_with(bot: Bot, connection: Connection) -> bool:
    """Whether it is the key of what the bot is now, or of the run that it still finishes."""
    run = runs.current(bot.id)
    mine = bot.connection is not None and bot.connection.id == connection.id
    return mine or (run is not None and run.connection_id == connection.id)


def _sleeps(bot: Bot) -> bool:
    """Stopped, and no machine is or may be left with a position."""
    gone = machines.current_machine(bot.id) is None and not machines.stranded(bot.id)
    return bot.wish is not Wish.FOLLOW and gone


def _names(bots: list[Bot]) -> str:
    return " and ".join(bot.name for bot in bots)


def _clean_label(label: str) -> str:
    cleaned = " ".join(label.split())
    if not 1 <= len(cleaned) <= 60:
        raise Invalid("Give it a label of 1 to 60 characters.", "label")
    return cleaned


def _record(
    action: str,
    connection: Connection,
    by: Actor,
    now: datetime,
    changes: Iterable[audit.Change] = (),
) -> None:
    audit.record(
        action,
        by=by,
        now=now,
        workspace_id=connection.workspace_id,
        target_id=connection.id,
        target_label=f"{connection.label} ({connection.exchange} {connection.environment})",
        changes=changes,
    )
