"""Trying again before its time, because a person says that the cause is gone."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from app.domain import audit, bot_events, clock, fleet, places, quotas, remedies
from app.domain.audit import Actor
from app.domain.errors import Conflict
from app.domain.remedies import Advice
from app.extensions import change, db
from app.models import Bot, BotCompute, Phase

NOTHING_WAITS = "It is not waiting for another try; look again."


@dataclass(frozen=True)
class Trouble:
    """Why a bot waits for another try: in whose words, what to do, when it comes by itself.

    ``waits`` is false where the next try is under way already, and ``of_cloud`` where the words are
    our own.
    """

    words: str
    advice: Advice
    next_try: datetime | None
    blocked: bool
    waits: bool
    of_cloud: bool


def trouble(bot: Bot, now: datetime) -> Trouble | None:
    """What its owner should know, if something was refused."""
    compute = db.session.get(BotCompute, bot.id)
    if compute is None or not compute.problem or compute.phase is Phase.RELEASED:
        return None
    return Trouble(
        words=compute.problem,
        advice=remedies.about(compute.cause, compute.problem),
        next_try=compute.retry_at if compute.retry_at and compute.retry_at > now else None,
        blocked=compute.phase is Phase.BLOCKED,
        waits=compute.retry_at is not None,
        of_cloud=compute.cause not in (quotas.BOUND, places.BY_HAND),
    )


def now_for(bot: Bot, *, by: Actor, now: datetime) -> None:
    """Have the planner look at once at a bot that is blocked or waits before another try.

    Claimed by a conditional update: of two who press at once, one does it.

    Raises ``Conflict`` if it waits for nothing.
    """
    waiting = BotCompute.bot_id == bot.id, BotCompute.retry_at.is_not(None)
    # The region before the bot, as whoever opens a region takes them: nobody waits in a circle.
    places.try_again(bot.region, clock.database_now(now))
    if change(update(BotCompute).where(*waiting).values(retry_at=None)) != 1:
        raise Conflict(NOTHING_WAITS)
    fleet.poke(bot.id, now)
    compute = db.session.get_one(BotCompute, bot.id, populate_existing=True)
    told = [audit.Change("problem", compute.problem, None)] if compute.problem else []
    bot_events.record("bot.retry", bot, by, now, told)
