"""Trying again before its time, because a person says that the cause is gone."""

from datetime import datetime

from sqlalchemy import update

from app.domain import audit, bot_events, clock
from app.domain.audit import Actor
from app.domain.errors import Conflict
from app.extensions import change, db
from app.models import Bot, BotCompute

NOTHING_WAITS = "It is not waiting for another try; look again."


def now_for(bot: Bot, *, by: Actor, now: datetime) -> None:
    """Have the planner look at once at a bot that is blocked or waits before another try.

    Claimed by a conditional update: of two who press at once, one does it.

    Raises ``Conflict`` if it waits for nothing.
    """
    waiting = BotCompute.bot_id == bot.id, BotCompute.retry_at.is_not(None)
    values = {"retry_at": None, "due_at": clock.moment(now)}
    if change(update(BotCompute).where(*waiting).values(values)) != 1:
        raise Conflict(NOTHING_WAITS)
    compute = db.session.get_one(BotCompute, bot.id, populate_existing=True)
    told = [audit.Change("problem", compute.problem, None)] if compute.problem else []
    bot_events.record("bot.retry", bot, by, now, told)
