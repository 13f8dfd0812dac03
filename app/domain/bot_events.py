"""What a change of a bot leaves behind: an event, a look of the planner, a word to its machine."""

from datetime import datetime
from typing import Any

from app.domain import audit, audit_urgent, commands, fleet, limit_breaches, runs
from app.domain.audit import Actor
from app.models import Bot
from runner.protocol import CommandKind, Limits, from_plain, to_plain

LIFTING = frozenset({"bot.start", "bot.resume"})
"""What lets a bot enter again that a passed limit kept from it."""
URGENT = frozenset({"bot.stop", "bot.pause", "position.close"})
"""What gets out of the market: it happens even if its event cannot be written."""


def reconfigured(
    action: str, bot: Bot, by: Actor, now: datetime, changes: list[audit.Change]
) -> None:
    """The machine loads what changed; a run that no longer fits ends."""
    if changes:
        limit_breaches.lift_changed(bot, from_plain(Limits, bot.limits), now)
        runs.end_if_asleep(bot, now)
        # Limits count at once, also while something is held; the rest is loaded when it is not.
        commands.send(bot, CommandKind.RELOAD, now).arguments = {"limits": bot.limits}
        changed(action, bot, by, now, changes)


def changed(
    action: str,
    bot: Bot,
    by: Actor,
    now: datetime,
    changes: list[audit.Change],
    reason: str = "",
) -> None:
    """The planner looks at once, and the log keeps who it was."""
    fleet.poke(bot.id, now)
    if action in LIFTING:
        limit_breaches.lift(bot, now)
    record(action, bot, by, now, changes, reason)


def record(
    action: str,
    bot: Bot,
    by: Actor,
    now: datetime,
    changes: list[audit.Change] | None = None,
    reason: str = "",
) -> None:
    """One event about a bot."""
    write = audit_urgent.record if action in URGENT else audit.record
    write(
        action,
        by=by,
        now=now,
        workspace_id=bot.workspace_id,
        target_id=bot.id,
        target_label=bot.name,
        changes=changes or [],
        reason=reason,
    )


def configuration(bot: Bot) -> dict[str, Any]:
    """What of a bot is set by configuring it, as the log tells it."""
    return {
        "name": bot.name,
        "symbols": bot.symbols,
        "strategy": bot.version.label,
        **{f"limits.{name}": value for name, value in _limits(bot).items()},
    }


def _limits(bot: Bot) -> dict[str, Any]:
    """All of them, also those that were not there when the row was written."""
    plain: dict[str, Any] = to_plain(from_plain(Limits, bot.limits))
    return plain
