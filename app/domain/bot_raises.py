"""Changes that let a bot risk more; who may make them is decided in ``domain/approvals.py``."""

from datetime import datetime

from app.domain import audit, bot_events, bot_rules, ceilings, workspaces
from app.domain.audit import Actor
from app.models import Bot, Connection
from runner.protocol import Limits, Mode, to_plain


def set_limits(bot: Bot, limits: Limits, *, by: Actor, now: datetime) -> None:
    """Set a bot's limits, also higher ones; who may is decided in ``domain/approvals.py``.

    Raises ``Refused`` where the workspace's ceilings leave no room.
    """
    workspaces.lock(bot.workspace)
    before = bot_events.configuration(bot)
    bot.limits = to_plain(limits)
    ceilings.enforce(bot, now)
    bot_events.reconfigured(
        "bot.limits", bot, by, now, audit.changes_between(before, bot_events.configuration(bot))
    )


def go_live(bot: Bot, connection: Connection, *, by: Actor, now: datetime) -> None:
    """Put a bot into live mode; who may is decided in ``domain/approvals.py``.

    Raises:
        Refused: live is closed, a position may be open, limits are missing, or a ceiling forbids.
        Invalid: the connection does not fit.
    """
    workspaces.lock(bot.workspace)
    bot_rules.check_mode(bot, Mode.LIVE, connection)
    bot_rules.require_flat(bot, "Going live", now)
    before, bot.mode = bot.mode, Mode.LIVE
    ceilings.enforce(bot, now)
    changes = [
        audit.Change("mode", before, Mode.LIVE),
        audit.Change("connection", None, connection.id),
    ]
    bot_events.reconfigured("bot.mode", bot, by, now, changes)
