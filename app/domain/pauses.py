"""Why a bot enters nothing by somebody's will: who paused or stopped it, why, and what lifts it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import update

from app.domain import bot_events, commands
from app.domain.audit import Actor, Change
from app.domain.errors import Conflict
from app.domain.pause_words import LIFTED, STARTED, WHO
from app.extensions import change, db
from app.models import Bot, PauseRule, User, Wish
from runner.protocol import CommandKind

REASON = 300
"""The room a reason has in its row; the audit log keeps all of it."""


@dataclass(frozen=True, slots=True)
class Pause:
    """``title``: who did it, as a sentence; ``reason`` may be empty; ``cure``: what lifts it."""

    title: str
    reason: str
    cure: str
    since: datetime | None = None


def of(bot: Bot) -> list[Pause]:
    """What stands: its pause, and that a limit has stopped it."""
    found = []
    if bot.paused:
        rule = bot.pause_rule or PauseRule.PERSON
        title = f"{_who(bot, rule)} paused it"
        found.append(Pause(title, bot.pause_reason, LIFTED[rule], bot.paused_at))
    if bot.wish is Wish.REST and bot.stop_reason:
        found.append(Pause(f"{WHO[PauseRule.LIMIT]} stopped it", bot.stop_reason, STARTED))
    return found


def set_(bot: Bot, rule: PauseRule, *, by: Actor, now: datetime, reason: str) -> None:
    """Enter nothing until that is lifted, once. Raises ``Conflict``."""
    if bot.paused:
        return
    person = by.id if by.kind == "user" else None
    why = {"pause_rule": rule, "pause_reason": reason[:REASON], "paused_by": person}
    _claim(bot, paused=True, paused_at=now, **why)
    commands.send(bot, CommandKind.PAUSE_ENTRIES, now)
    bot_events.changed("bot.pause", bot, by, now, [Change("paused", False, True)], reason)


def lift(bot: Bot, *, by: Actor, now: datetime) -> None:
    """Enter again, if it is paused. Raises ``Conflict``."""
    if not bot.paused:
        return
    nothing = {"pause_rule": None, "pause_reason": "", "paused_by": None}
    _claim(bot, paused=False, paused_at=None, **nothing)
    commands.send(bot, CommandKind.RESUME, now)
    bot_events.changed("bot.resume", bot, by, now, [Change("paused", True, False)])


def _claim(bot: Bot, *, paused: bool, **why: object) -> None:
    mine = Bot.id == bot.id, Bot.paused.is_(not paused)
    if change(update(Bot).where(*mine).values(paused=paused, **why)) != 1:
        raise Conflict("Somebody else was first; look again.")


def _who(bot: Bot, rule: PauseRule) -> str:
    if rule in WHO:
        return WHO[rule]
    person = db.session.get(User, bot.paused_by) if bot.paused_by else None
    name = person.name if person else "Somebody"
    return f"{name}, with the kill switch," if rule is PauseRule.KILL else name
