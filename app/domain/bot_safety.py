"""Preparing a bot for real money: the live key to be looked at, and what guards it when alone."""

from datetime import datetime

from app.domain import audit, bot_events, bot_rules, commands, revisions, workspaces
from app.domain.audit import Actor
from app.domain.errors import Invalid, Refused
from app.domain.revisions import Safety
from app.extensions import db
from app.models import Bot, Connection
from runner.protocol import CommandKind, Mode


def prepare(
    bot: Bot, connection: Connection | None, safety: Safety, *, by: Actor, now: datetime
) -> None:
    """Save them. The bot's machine looks at the key at its next wake, or as soon as it is flat.

    Raises:
        Refused: the bot is live; what guards it there is approved, not saved.
        Invalid: the connection does not fit.
    """
    workspaces.lock(bot.workspace)
    db.session.refresh(bot)
    if bot.mode is Mode.LIVE:
        raise Refused("What guards a live bot is asked for: it needs a new approval.")
    if connection is not None:
        _check_fits(bot, connection)
    before = bot.live_connection_id
    changes = revisions.differences(bot, safety)
    bot.live_connection_id = connection.id if connection is not None else None
    if before != bot.live_connection_id:
        changes.append(audit.Change("live_connection", before, bot.live_connection_id))
    revisions.take(bot, safety)
    bot_events.reconfigured("bot.safety", bot, by, now, changes)


def look_again(bot: Bot, *, by: Actor, now: datetime) -> None:
    """Have the machine claim anew: it looks at the key by that, live or not.

    Raises ``Refused`` without a live key.
    """
    if bot.live_connection_id is None:
        raise Refused("It has no live key that could be looked at. Choose one first.")
    commands.send(bot, CommandKind.RELOAD, now)
    bot_events.record("bot.check_key", bot, by, now)


def _check_fits(bot: Bot, connection: Connection) -> None:
    db.session.refresh(connection)
    fits = (connection.exchange, connection.environment.value) == (bot.exchange, Mode.LIVE.value)
    if not fits or connection.deleted_at is not None:
        raise Invalid("Choose a live connection at the bot's exchange.", "connection")
    bot_rules.check_active(connection)
