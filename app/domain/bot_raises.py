"""Changes that let a bot risk more; who may make them is decided in ``domain/approvals.py``."""

from datetime import datetime

from app.domain import audit, bot_events, bot_rules, ceilings, going_live, revisions, workspaces
from app.domain.audit import Actor
from app.domain.errors import Refused
from app.domain.revisions import Safety
from app.extensions import db
from app.models import Bot, Connection
from runner.protocol import Limits, Mode, to_plain


def set_limits(bot: Bot, limits: Limits, *, by: Actor, now: datetime) -> None:
    """Set a bot's limits, also higher ones; who may is decided in ``domain/approvals.py``.

    Raises ``Refused`` where the workspace's ceilings leave no room, or where a live bot would be
    left without a limit that it needs.
    """
    workspaces.lock(bot.workspace)
    db.session.refresh(bot)
    before, wanted = bot_events.configuration(bot), to_plain(limits)
    shares = ceilings.shares(bot)
    if bot.mode is Mode.LIVE:
        bot_rules.check_live_limits(wanted)
    bot.limits = wanted
    ceilings.enforce(bot, now, before=shares)
    bot_events.reconfigured(
        "bot.limits", bot, by, now, audit.changes_between(before, bot_events.configuration(bot))
    )


def go_live(
    bot: Bot,
    connection: Connection,
    safety: Safety,
    *,
    by: Actor,
    now: datetime,
    acknowledged: str = "",
) -> None:
    """Put a bot into live mode, or approve anew what a live bot is.

    Who may is decided in ``domain/approvals.py``; ``acknowledged`` is that of ``going_live``.

    Raises:
        Refused: something a live bot needs is missing, or a ceiling forbids.
        Invalid: the connection does not fit, or what nobody has seen there was not accepted.
    """
    workspaces.lock(bot.workspace)
    bot_rules.check_mode(bot, Mode.LIVE, connection)
    going_live.demand(bot, connection, safety, now, acknowledged)
    if bot.mode is Mode.LIVE and bot.live_connection_id != connection.id:
        raise Refused("A live bot keeps its key. Switch it to paper to give it another one.")
    changes = differences(bot, connection, safety, acknowledged)
    action = "bot.revision" if bot.mode is Mode.LIVE else "bot.mode"
    bot.mode, bot.live_connection_id = Mode.LIVE, connection.id
    revisions.take(bot, safety)
    bot.approved_revision = revisions.digest(bot, connection)
    ceilings.enforce(bot, now)
    bot_events.reconfigured(action, bot, by, now, changes)


def differences(
    bot: Bot, connection: Connection | None, safety: Safety, acknowledged: str
) -> list[audit.Change]:
    """What going live changes, as the log and both people read it; never nothing."""
    before = {"mode": bot.mode, "connection": bot.live_connection_id}
    after = {"mode": Mode.LIVE, "connection": connection.id if connection else None}
    approved = bot.mode is Mode.LIVE and revisions.stands(bot)
    return [
        *audit.changes_between(before, after),
        *revisions.differences(bot, safety),
        audit.Change("approved", approved, True),
        *([audit.Change("acknowledged", None, acknowledged)] if acknowledged else []),
    ]
