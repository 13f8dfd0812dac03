"""Cloning a bot: a new one that is set up the same, and has done nothing yet."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.domain import bots, code_rules, regions, revisions, rivals
from app.domain.audit import Actor
from app.domain.schedule import from_plain
from app.models import Bot, Connection, User
from runner.protocol import Limits, Mode
from runner.protocol import from_plain as read


@dataclass(frozen=True)
class Clone:
    """What would be taken along. ``left``: why the testnet key is not; empty where it is."""

    connection: Connection | None
    left: str
    region: str


def plan(bot: Bot, offered: Sequence[str] = (regions.LOCAL,)) -> Clone:
    """What a clone of ``bot`` would get; ``offered`` are the regions of this installation."""
    connection = bot.testnet_connection
    left = _taken(bot, connection)
    region = bot.region if bot.region in offered else offered[0]
    return Clone(None if left else connection, left, region)


def clone(
    bot: Bot,
    name: str,
    *,
    author: User | None,
    by: Actor,
    now: datetime,
    code_allowed: bool,
    offered: Sequence[str] = (regions.LOCAL,),
) -> Bot:
    """A bot like this one: stopped, on paper, with an address of its own.

    Raises:
        Invalid: the name does not do.
        Refused: the workspace's ceilings or its quota leave no room, or its version is code and
            ``code_allowed`` says that none may run here.
    """
    code_rules.check_allowed(bot.version.rules, allowed=code_allowed)
    found = plan(bot, offered)
    blueprint = bots.Blueprint(
        name=name,
        exchange=bot.exchange,
        symbols=tuple(bot.symbols),
        version=bot.version,
        mode=Mode.PAPER,
        schedule=from_plain(bot.schedule),
        starting_balance=bot.starting_balance,
        limits=read(Limits, bot.limits),
        connection=found.connection,
        region=found.region,
    )
    why = f"a clone of {bot.name}"
    made = bots.create(
        bot.workspace, blueprint, author=author, by=by, now=now, offered=offered, reason=why
    )
    revisions.take(made, revisions.safety_of(bot))
    return made


def _taken(bot: Bot, connection: Connection | None) -> str:
    """Why a clone cannot have the testnet key: one account and symbol belong to one bot."""
    if connection is None:
        return "It has none."
    if connection.inactive_at is not None or connection.deleted_at is not None:
        return f"{connection.label} is switched off."
    holder = bot if bot.mode is Mode.TESTNET else rivals.find(bot, connection)
    return rivals.in_words(bot, holder) if holder is not None else ""
