"""One account and symbol belong to one bot, whichever keys and workspaces it is reached through."""

import hashlib
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select

from app import tenancy
from app.domain import machines, runs
from app.domain.errors import Invalid
from app.extensions import db
from app.models import Bot, Connection, Run, Wish
from runner.protocol import Mode


def account_of(connection: Connection, told: str) -> str:
    """What stands for an account as the venue names it; not reversible, other per environment."""
    text = f"{connection.exchange}|{connection.environment}|{told}"
    return hashlib.sha256(text.encode()).hexdigest()


def check(bot: Bot, connection: Connection) -> None:
    """Raises ``Invalid`` where another bot has one of the symbols on this account."""
    found = find(bot, connection)
    if found is not None:
        raise Invalid(in_words(bot, found), "connection")


def find(bot: Bot, connection: Connection) -> Bot | None:
    """Another bot with one of these symbols on this account, in whichever workspace it is."""
    with tenancy.everywhere("an account may be connected in several workspaces"):
        return next(iter((*_all(bot, connection), *_leaving(bot, connection))), None)


def find_in_the_way(bot: Bot, connection: Connection, now: datetime) -> Bot | None:
    """One of them that enters, or may still hold something there."""
    with tenancy.everywhere("an account may be connected in several workspaces"):
        found = [it for it in _all(bot, connection) if _enters(it) or not runs.is_flat(it, now)]
        return next(iter((*found, *_leaving(bot, connection))), None)


def in_words(bot: Bot, other: Bot) -> str:
    """Who it is, as far as this workspace may know."""
    who = other.name if other.workspace_id == bot.workspace_id else "A bot elsewhere"
    return (
        f"{who} trades the same symbol on this account already; one account and symbol belong "
        "to one bot."
    )


def _enters(bot: Bot) -> bool:
    return bot.wish is Wish.FOLLOW and not bot.paused


def _all(bot: Bot, connection: Connection) -> list[Bot]:
    """Those whose account it is by their present mode."""
    used = or_(
        and_(Bot.mode == Mode.TESTNET, Connection.id == Bot.testnet_connection_id),
        and_(Bot.mode == Mode.LIVE, Connection.id == Bot.live_connection_id),
    )
    query = (
        select(Bot)
        .join(Connection, used)
        .where(_same_account(connection), Bot.id != bot.id, Bot.deleted_at.is_(None))
    )
    others = db.session.scalars(query.order_by(Bot.created_at, Bot.id))
    return [other for other in others if set(other.symbols) & set(bot.symbols)]


def _leaving(bot: Bot, connection: Connection) -> list[Bot]:
    """Those that were given another mode or account, and whose machine goes on with the old run."""
    query = (
        select(Bot, Run)
        .join(Run, Run.bot_id == Bot.id)
        .join(Connection, Connection.id == Run.connection_id)
        .where(_same_account(connection), Bot.id != bot.id, Run.ended_at.is_(None))
    )
    found = db.session.execute(query.order_by(Bot.created_at, Bot.id))
    return [
        other
        for other, run in found
        if set(run.symbols) & set(bot.symbols)
        and (other.connection is None or other.connection.id != run.connection_id)
        and (machines.current_machine(other.id) is not None or machines.stranded(other.id))
    ]


def _same_account(connection: Connection) -> ColumnElement[bool]:
    """Keys of the same account, by the key itself or by what the venue calls the account."""
    same = [Connection.account_digest == connection.account_digest]
    if connection.venue_account is not None:
        same.append(Connection.venue_account == connection.venue_account)
    place = Connection.exchange == connection.exchange
    return and_(or_(*same), place, Connection.environment == connection.environment)
