"""A person's wish of the day: keep a bot awake, wake it now, let it sleep now, or none of it."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, update
from sqlalchemy.orm import InstrumentedAttribute

from app.domain import audit, bot_events, bot_rules, schedule
from app.domain.audit import Actor
from app.domain.errors import Conflict, Invalid, Refused
from app.extensions import change, db
from app.models import Bot, Wish

LONGEST = timedelta(days=14)


def keep_awake(bot: Bot, until: datetime, *, by: Actor, now: datetime) -> None:
    """Trade until then, whatever the schedule says.

    Raises:
        Invalid: a moment in the past or more than 14 days ahead.
        Refused: the bot is stopped, or its exchange is listed no more.
    """
    bot_rules.venue_of(bot)
    _set(bot, "bot.keep_awake", by, now, awake=_checked(until, now), asleep=None)


def wake(bot: Bot, hours: int | None, *, by: Actor, now: datetime) -> None:
    """Wake now: until its next session opens, or for so many hours.

    Raises ``Refused`` as ``keep_awake``, and where neither says how long.
    """
    bot_rules.venue_of(bot)
    until = schedule.next_opening(schedule.from_plain(bot.schedule), now)
    if hours is not None:
        until = now + timedelta(hours=max(hours, 0))
    if until is None:
        raise Invalid("No session opens in the next eight days: say for how long.", "hours")
    _set(bot, "bot.wake_now", by, now, awake=_checked(until, now, "hours"), asleep=None)


def sleep(bot: Bot, until: datetime | None, *, by: Actor, now: datetime) -> None:
    """Finish and sleep now: until then, or until its next session opens.

    Raises as ``wake``.
    """
    moment = until or schedule.next_opening(schedule.from_plain(bot.schedule), now)
    if moment is None:
        raise Invalid("No session opens in the next eight days: say until when.", "until")
    _set(bot, "bot.sleep_now", by, now, awake=None, asleep=_checked(moment, now))


def undo(bot: Bot, *, by: Actor, now: datetime) -> None:
    """Only the schedule counts again. Nothing happens where nothing was wished."""
    _set(bot, "bot.follow", by, now, awake=None, asleep=None)


def standing(bot: Bot, now: datetime) -> tuple[datetime | None, datetime | None]:
    """Until when it is kept awake or asleep; what is over counts no more."""
    awake, asleep = bot.keep_awake_until, bot.asleep_until
    return (
        awake if awake is not None and awake > now else None,
        asleep if asleep is not None and asleep > now else None,
    )


def _checked(until: datetime, now: datetime, field: str = "until") -> datetime:
    if until <= now:
        raise Invalid("Choose a moment that is still to come.", field)
    if until - now > LONGEST:
        raise Invalid("At most 14 days ahead; beyond that, change the schedule.", field)
    return until


def _set(
    bot: Bot,
    action: str,
    by: Actor,
    now: datetime,
    *,
    awake: datetime | None,
    asleep: datetime | None,
) -> None:
    """Claimed by a conditional update: nobody wakes a bot that was stopped a moment ago."""
    before = {"keep_awake_until": bot.keep_awake_until, "asleep_until": bot.asleep_until}
    after = {"keep_awake_until": awake, "asleep_until": asleep}
    if before == after:
        return
    wished = awake is not None or asleep is not None
    if wished and bot.wish is not Wish.FOLLOW:
        raise Refused("It is stopped: start it first, then it follows its schedule and your wish.")
    ours = [Bot.id == bot.id, *(_is(name, value) for name, value in before.items())]
    if wished:
        ours.append(Bot.wish == Wish.FOLLOW)
    if change(update(Bot).where(*ours).values(**after)) != 1:
        raise Conflict("Somebody else was first; look again.")
    db.session.refresh(bot)
    bot_events.changed(action, bot, by, now, audit.changes_between(before, after))


def _is(name: str, value: datetime | None) -> ColumnElement[bool]:
    column: InstrumentedAttribute[datetime | None] = getattr(Bot, name)
    return column.is_(None) if value is None else column == value
