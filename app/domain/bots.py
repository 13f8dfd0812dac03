"""Bots: create, configure, start, stop, pause, resume, flatten, switch mode, delete."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from sqlalchemy import Select, bindparam, select, update
from sqlalchemy.orm.attributes import set_committed_value

from app.domain import (
    audit,
    bot_events,
    bot_rules,
    ceilings,
    commands,
    fleet,
    machines,
    pauses,
    quotas,
    regions,
    revisions,
    workspaces,
)
from app.domain import limits as bot_limits
from app.domain.audit import Actor
from app.domain.errors import Conflict, Invalid, Refused
from app.domain.schedule import Schedule, from_plain
from app.domain.schedule_text import describe
from app.extensions import change, db, prepared
from app.models import (
    Bot,
    BotCommand,
    Connection,
    PauseRule,
    StrategyVersion,
    User,
    Wish,
    Workspace,
)
from app.models.base import new_id
from runner.protocol import CommandKind, Limits, Mode, to_plain
from runner.protocol import from_plain as read


@dataclass(frozen=True)
class Blueprint:
    """Everything a new bot is made of. Balance in quote currency, limits as in the protocol.

    ``region``: where it lives for good; the first of those there are, unless one is named.
    """

    name: str
    exchange: str
    symbols: tuple[str, ...]
    version: StrategyVersion
    mode: Mode
    schedule: Schedule
    starting_balance: Decimal
    limits: Limits
    connection: Connection | None = None
    region: str | None = None


def in_workspace(workspace: Workspace) -> list[Bot]:
    """All bots that are not gone, by name."""
    ours = (Bot.workspace_id == workspace.id, Bot.deleted_at.is_(None))
    bots = list(db.session.scalars(select(Bot).where(*ours).order_by(Bot.name, Bot.id)))
    # Many bots share a version; joined, its rules would be read once for each bot.
    own = StrategyVersion.workspace_id == workspace.id
    used = StrategyVersion.id.in_(select(Bot.strategy_version_id).where(*ours))
    query = select(StrategyVersion).options(db.joinedload(StrategyVersion.strategy))
    versions = {found.id: found for found in db.session.scalars(query.where(own, used))}
    for bot in bots:
        set_committed_value(bot, "version", versions[bot.strategy_version_id])
    return bots


def find(workspace: Workspace, bot_id: str) -> Bot | None:
    """One bot of this workspace that is not gone."""
    return db.session.scalar(_one(), {"workspace": workspace.id, "bot": bot_id})


@prepared
def _one() -> Select[Bot]:
    query = select(Bot).where(
        Bot.workspace_id == bindparam("workspace"),
        Bot.id == bindparam("bot"),
        Bot.deleted_at.is_(None),
    )
    return query.options(db.joinedload(Bot.version).joinedload(StrategyVersion.strategy))


def create(
    workspace: Workspace,
    plan: Blueprint,
    *,
    author: User | None,
    by: Actor,
    now: datetime,
    offered: Sequence[str] = (regions.LOCAL,),
    reason: str = "",
) -> Bot:
    """Create a bot, stopped. Its address is reserved at once and kept until it is deleted.

    ``offered``: the regions of this installation. ``reason`` stands in the audit log.

    Raises:
        Invalid: a field does not do; ``field`` says which.
        Refused: live mode, or the workspace's ceilings or its quota leave no room.
    """
    workspaces.lock(workspace)
    quotas.check_bot(workspace, now)
    venue = bot_rules.venue_named(plan.exchange)
    bot = Bot(
        id=new_id("bot"),
        workspace_id=workspace.id,
        name=bot_rules.clean_name(plan.name),
        exchange=venue.id,
        region=regions.choose(plan.region, offered),
        mode=plan.mode,
        wish=Wish.REST,
        symbols=bot_rules.symbols_at(plan.symbols, venue, plan.version),
        strategy_version_id=plan.version.id,
        testnet_connection_id=plan.connection.id if plan.connection else None,
        limits=to_plain(plan.limits),
        schedule=plan.schedule.to_plain(),
        starting_balance=bot_rules.clean_balance(plan.starting_balance),
        created_by=author.id if author else None,
        created_at=now,
    )
    bot_rules.check_born(plan.mode)
    bot_rules.check_mode(bot, plan.mode, plan.connection)
    db.session.add(bot)
    db.session.flush()
    ceilings.enforce(bot, now)
    machines.expect(bot, now)
    born = audit.changes_between({}, {"mode": bot.mode, "region": bot.region})
    bot_events.record("bot.create", bot, by, now, born, reason)
    return bot


def configure(
    bot: Bot,
    *,
    name: str,
    version: StrategyVersion,
    symbols: tuple[str, ...],
    limits: Limits,
    by: Actor,
    now: datetime,
) -> None:
    """Change what a bot trades. Another version or symbol needs a flat bot and begins a new run.

    Raises:
        Invalid: a field does not do.
        Refused: a position may be open, a ceiling is in the way, or a limit would be raised, which
            is ``set_limits``.
    """
    _hold(bot)
    chosen = bot_rules.symbols_at(symbols, bot_rules.venue_of(bot), version)
    before = bot_events.configuration(bot)
    up = bot_limits.raised(read(Limits, bot.limits), limits)
    if up:
        raise Refused(f"Raising {', '.join(bot_limits.TITLES[name] for name in up)} is asked for.")
    if version.id != bot.strategy_version_id or chosen != bot.symbols:
        bot_rules.require_not_live(bot)
        bot_rules.require_flat(bot, "Changing the strategy or the symbols", now)
    bot.name, bot.symbols, bot.limits = bot_rules.clean_name(name), chosen, to_plain(limits)
    bot.strategy_version_id = version.id
    db.session.flush()
    db.session.refresh(bot, ["version"])
    bot_rules.check_mode(bot, bot.mode, bot.connection)
    ceilings.enforce(bot, now)
    bot_events.reconfigured(
        "bot.configure", bot, by, now, audit.changes_between(before, bot_events.configuration(bot))
    )


def reschedule(bot: Bot, plan: Schedule, *, by: Actor, now: datetime) -> None:
    """Give a bot another schedule. It counts at once; going to sleep still finishes first."""
    before, after = from_plain(bot.schedule), plan
    if before == after:
        return
    bot.schedule = plan.to_plain()
    change = audit.Change("schedule", describe(before), describe(after))
    bot_events.changed("bot.schedule", bot, by, now, [change])


def start(bot: Bot, *, by: Actor, now: datetime) -> None:
    """Follow the schedule from now on, and try at once, also where its region is shut.

    Raises:
        Refused: the ceilings leave no room, or it is live and not what was approved.
        Invalid: its key is switched off, or its account is traded by another bot.
    """
    _hold(bot)
    bot_rules.check_start(bot)
    ceilings.enforce(bot, now, joining=True)
    _wish(bot, Wish.FOLLOW, "bot.start", by, now)
    fleet.retry(bot, now)


def stop(bot: Bot, *, by: Actor, now: datetime, reason: str = "") -> None:
    """Finish, then sleep until started again. The address stays. ``reason``: a rule's."""
    _wish(bot, Wish.REST, "bot.stop", by, now, reason)


def pause(
    bot: Bot, *, by: Actor, now: datetime, rule: PauseRule = PauseRule.PERSON, reason: str = ""
) -> None:
    """No new entries until resumed; exits are managed. Survives sleep."""
    pauses.set_(bot, rule, by=by, now=now, reason=reason)


def resume(bot: Bot, *, by: Actor, now: datetime) -> None:
    """Allow entries again. Raises ``Refused`` or ``Invalid`` as ``start`` does."""
    _hold(bot)
    follows = bot.wish is Wish.FOLLOW
    (bot_rules.check_start if follows else revisions.check)(bot)
    ceilings.enforce(bot, now, joining=follows)
    pauses.lift(bot, by=by, now=now)


def flatten(bot: Bot, *, by: Actor, now: datetime) -> None:
    """Close what is open, at market; by its next machine where the last one may have left it open.

    Raises ``Conflict`` when it sleeps and is proven flat, ``Refused`` if no machine can get there.
    """
    machine = machines.current_machine(bot.id)
    if machine is None:
        if not machines.stranded(bot.id):
            raise Conflict("It is asleep and holds no position: there is nothing to flatten.")
        bot_rules.venue_of(bot)
    run_id = machine.run_id if machine is not None else None
    close_position(bot, by=replace(by, correlation_id=by.correlation_id or run_id), now=now)


def close_position(bot: Bot, *, by: Actor, now: datetime, reason: str = "") -> BotCommand:
    """The same, kept for the next machine where none is there now; the order that does it."""
    order = commands.send(bot, CommandKind.FLATTEN, now)
    bot_events.record("position.close", bot, by, now, reason=reason)
    return order


def switch_mode(
    bot: Bot, mode: Mode, connection: Connection | None, *, by: Actor, now: datetime
) -> None:
    """Go from paper to testnet or back; strategy, symbols, limits and schedule stay as they are.

    Raises:
        Refused: live mode (that is ``go_live``), a position may be open, or a ceiling forbids.
        Invalid: testnet without a fitting connection.
    """
    _hold(bot)
    if mode is Mode.LIVE:
        raise Refused("Going live is asked for, not switched to.")
    account = connection.id if connection is not None else bot.testnet_connection_id
    if mode is not bot.mode or (mode is Mode.TESTNET and account != bot.testnet_connection_id):
        bot_rules.require_flat(bot, "Switching the mode or the account", now)
    bot_rules.check_mode(bot, mode, connection)
    before = {"mode": bot.mode, "connection": bot.testnet_connection_id}
    bot.mode, bot.approved_revision = mode, None
    if mode is Mode.TESTNET and connection is not None:
        bot.testnet_connection_id = connection.id
    ceilings.enforce(bot, now)
    after = {"mode": bot.mode, "connection": bot.testnet_connection_id}
    bot_events.reconfigured("bot.mode", bot, by, now, audit.changes_between(before, after))


def delete(bot: Bot, *, typed_name: str, by: Actor, now: datetime) -> None:
    """Delete a bot: it finishes first, then its machine and its address go.

    Raises:
        Invalid: the name was not typed as it is.
        Refused: a position may be open.
    """
    if typed_name.strip() != bot.name:
        raise Invalid(f"Type {bot.name} exactly as it stands.", "name")
    bot_rules.require_flat(bot, "Deleting a bot", now)
    _wish(bot, Wish.GONE, "bot.delete", by, now)


def _hold(bot: Bot) -> None:
    """Lock the workspace, then read the bot anew: others may have changed it since it was read."""
    workspaces.lock(bot.workspace)
    db.session.refresh(bot)


def _wish(bot: Bot, wish: Wish, action: str, by: Actor, now: datetime, reason: str = "") -> None:
    """Claimed by a conditional update: whoever loaded the row earlier must not undo a deletion."""
    before = bot.wish
    if before is Wish.GONE:
        raise Conflict("This bot is being deleted.")
    if before is wish:
        return
    mine = Bot.id == bot.id, Bot.wish == before
    if change(update(Bot).where(*mine).values(wish=wish, stop_reason=reason[: pauses.REASON])) != 1:
        raise Conflict("Somebody else was first; look again.")
    bot_events.changed(action, bot, by, now, [audit.Change("wish", before, wish)], reason)
