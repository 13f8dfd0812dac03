"""Orders to a running bot: kept until its runner says they are done."""

from datetime import datetime
from typing import Any

from sqlalchemy import select, update

from app.extensions import db
from app.models.base import new_id
from app.models.bot import Bot, BotCommand
from runner.protocol import Command, CommandDone, CommandKind

_OPPOSITE = {
    CommandKind.DRAIN: CommandKind.CANCEL_DRAIN,
    CommandKind.CANCEL_DRAIN: CommandKind.DRAIN,
    CommandKind.PAUSE_ENTRIES: CommandKind.RESUME,
    CommandKind.RESUME: CommandKind.PAUSE_ENTRIES,
}


_LASTING = (CommandKind.FLATTEN, CommandKind.CANCEL_ENTRIES, CommandKind.WRITE_OFF)
WITHDRAWN, SUPERSEDED = "withdrawn", "superseded by a new claim"
"""Outcomes of commands that no runner carried out."""


def send(
    bot: Bot, kind: CommandKind, now: datetime, arguments: dict[str, Any] | None = None
) -> BotCommand:
    """Queue a command. An open one of the same kind is enough; its opposite is withdrawn.

    Only what is written off is one by one. Of two orders to reload, a runner that hears both with
    each report would take one's limits and the other's in turn.
    """
    _withdraw(bot.id, _OPPOSITE.get(kind), now)
    same = (it for it in _open(bot.id) if it.kind is kind)
    apart = kind is CommandKind.WRITE_OFF
    known = next((it for it in same if not apart or it.arguments == arguments), None)
    if known is not None:
        return known
    place = {"workspace_id": bot.workspace_id, "bot_id": bot.id}
    fresh = BotCommand(
        id=new_id("cmd"), **place, kind=kind, arguments=arguments or {}, created_at=now
    )
    db.session.add(fresh)
    return fresh


def pending(bot_id: str) -> tuple[Command, ...]:
    """What the runner should be told, oldest first."""
    return tuple(Command(row.id, row.kind, row.arguments) for row in _open(bot_id))


def waits(bot_id: str, kind: CommandKind) -> bool:
    """Whether one of this kind has been sent and is not done."""
    return any(command.kind is kind for command in _open(bot_id))


def done(bot_id: str, report: CommandDone, now: datetime) -> None:
    """The runner says what became of a command; a repeat changes nothing."""
    db.session.execute(
        update(BotCommand)
        .where(
            BotCommand.bot_id == bot_id, BotCommand.id == report.id, BotCommand.done_at.is_(None)
        )
        .values(done_at=now, outcome=f"{report.outcome} {report.detail}".strip()[:200])
    )


def forget(bot_id: str, now: datetime) -> None:
    """A new claim carries the whole wish in its configuration; older orders are moot.

    What a new machine must still carry out stays.
    """
    db.session.execute(
        update(BotCommand)
        .where(
            BotCommand.bot_id == bot_id,
            BotCommand.done_at.is_(None),
            BotCommand.kind.not_in(_LASTING),
        )
        .values(done_at=now, outcome=SUPERSEDED)
    )


def _open(bot_id: str) -> list[BotCommand]:
    query = select(BotCommand).where(BotCommand.bot_id == bot_id, BotCommand.done_at.is_(None))
    return list(db.session.scalars(query.order_by(BotCommand.created_at, BotCommand.id)))


def _withdraw(bot_id: str, kind: CommandKind | None, now: datetime) -> None:
    if kind is None:
        return
    db.session.execute(
        update(BotCommand)
        .where(BotCommand.bot_id == bot_id, BotCommand.kind == kind, BotCommand.done_at.is_(None))
        .values(done_at=now, outcome=WITHDRAWN)
    )
