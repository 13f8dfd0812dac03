"""Panic: pause, cancel entries and flatten many bots at once. It waits for nobody and no limit."""

from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select

from app.domain import audit, audit_urgent, bots, commands, machines
from app.domain.audit import Actor
from app.domain.errors import Conflict
from app.extensions import db
from app.models import Bot, BotCompute, Wish, Workspace
from app.models.base import new_id
from runner.protocol import CommandKind


@dataclass(frozen=True)
class Outcome:
    """What was asked of whom. Bots without a machine hold nothing; pausing is all they need."""

    flattening: list[Bot]
    paused: list[Bot]


def candidates(workspace: Workspace) -> list[Bot]:
    """Bots that may trade or hold something: those that follow their schedule or have a machine."""
    found = bots.in_workspace(workspace)
    return [bot for bot in found if bot.wish is Wish.FOLLOW or _may_hold(bot)]


def close(workspace: Workspace, chosen: list[Bot], *, by: Actor, now: datetime) -> Outcome:
    """Pause each bot, cancel its resting entries and close its position at market.

    One bot that somebody else changed at the same moment does not keep the others waiting. Each
    change has its event, all tied together with one that names the bots; a log that cannot be
    written keeps nobody from it.
    """
    _hold(chosen)
    by = replace(by, correlation_id=new_id("pan"))
    outcome = Outcome([], [])
    for bot in chosen:
        if _pause(bot, by, now):
            outcome.paused.append(bot)
        if _may_hold(bot):
            commands.send(bot, CommandKind.CANCEL_ENTRIES, now)
            bots.close_position(bot, by=by, now=now)
            outcome.flattening.append(bot)
    audit_urgent.record(
        "position.panic_close",
        by=by,
        now=now,
        workspace_id=workspace.id,
        target_id=workspace.id,
        target_label=workspace.name,
        changes=[
            audit.Change("paused", None, [bot.name for bot in outcome.paused]),
            audit.Change("flattening", None, [bot.name for bot in outcome.flattening]),
        ],
    )
    return outcome


def _hold(chosen: list[Bot]) -> None:
    """Lock all rows in the order of every other verb, before the first event locks the log."""
    ids = [bot.id for bot in chosen]
    for row in (Bot.id, BotCompute.bot_id):
        query = select(row).where(row.in_(ids)).order_by(row)
        db.session.execute(query.with_for_update(key_share=True))
    for bot in chosen:
        db.session.refresh(bot, ["paused", "wish"])


def _pause(bot: Bot, by: Actor, now: datetime) -> bool:
    if bot.paused:
        return False
    try:
        bots.pause(bot, by=by, now=now)
    except Conflict:
        return False
    return True


def _may_hold(bot: Bot) -> bool:
    """Whether a machine is there, or went without proving that it was flat."""
    return machines.current_machine(bot.id) is not None or machines.stranded(bot.id)
